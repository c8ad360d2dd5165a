"""What a tape is on disk: one Parquet row per level change, trade or order event, and a header in its metadata.

A frame is the rows of one message, the last of which has LAST_IN_FRAME. Prices are ticks, quantities lots,
times nanoseconds since 1970. Book kinds and trades are those of `mmd.core.market.record`; order-by-order
tapes add ORDER_* rows, which say who stands in the queue and leave the book to the book rows.

Row use by kind:
    SNAPSHOT, PARTIAL  one row a level of the whole book (or of its best levels); last = update id
    DIFF               one row a changed level, 0 lots removes; first..last = update ids, prev = id before
    TOP                two rows, best bid and best ask; 0 lots where the side is empty; last = update id
    TRADE              one row; first = trade id, side = aggressor if AGGRESSOR_KNOWN
    ORDER_ADD          order_id joins the queue at price_ticks with qty_lots
    ORDER_MODIFY       order_id now stands at price_ticks with qty_lots left
    ORDER_DELETE       qty_lots of order_id are cancelled; it is gone when nothing is left
    ORDER_EXECUTE      qty_lots of order_id are filled; it is gone when nothing is left
"""

from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]

from mmd.core.instrument import Instrument
from mmd.core.market.record import DIFF, PARTIAL, SNAPSHOT, TOP, TRADE
from mmd.errors import TapeError

SCHEMA = 1
ROW_GROUP_ROWS = 1 << 17
METADATA_KEY = b"mmd.tape"

ORDER_ADD: Final = 16
ORDER_MODIFY: Final = 17
ORDER_DELETE: Final = 18
ORDER_EXECUTE: Final = 19
KIND_NAMES: Final = {
    SNAPSHOT: "snapshot",
    DIFF: "diff",
    TOP: "top",
    TRADE: "trade",
    PARTIAL: "partial",
    ORDER_ADD: "order_add",
    ORDER_MODIFY: "order_modify",
    ORDER_DELETE: "order_delete",
    ORDER_EXECUTE: "order_execute",
}

LAST_IN_FRAME: Final = 1
AGGRESSOR_KNOWN: Final = 2
EMPTY: Final = 4
"""The frame names no level at all; its only row carries its ids and times."""
AFTER_GAP: Final = 8
"""First row after a known hole in the recording."""
OFF_BOOK: Final = 16
"""A trade that took nothing displayed: a hidden order, an auction, a reported block."""

ROW: Final = np.dtype(
    [
        ("ts_event_ns", "i8"),
        ("ts_recv_ns", "i8"),
        ("first", "i8"),
        ("last", "i8"),
        ("prev", "i8"),
        ("price_ticks", "i8"),
        ("qty_lots", "i8"),
        ("order_id", "i8"),
        ("kind", "i1"),
        ("flags", "i1"),
        ("side", "i1"),
    ],
    align=True,
)
"""One row in memory; batches are arrays of these."""
COLUMNS: Final = tuple(ROW.names or ())
Rows = npt.NDArray[np.void]
"""Structured array of dtype ROW."""

ARROW_SCHEMA: Final = pa.schema(
    [(name, pa.int64() if ROW[name].itemsize == 8 else pa.int8()) for name in COLUMNS]
)


class TapeCounts(msgspec.Struct, frozen=True):
    """How much a tape (or a segment) holds."""

    rows: int = 0
    frames: dict[str, int] = {}
    """Frames by the names of KIND_NAMES; order events count one each."""
    first_ns: int = 0
    last_ns: int = 0
    """Receive time of the first and the last row."""

    def __add__(self, other: "TapeCounts") -> "TapeCounts":
        """Of two stretches together."""
        if self.rows == 0:
            return other
        if other.rows == 0:
            return self
        names = self.frames | other.frames
        frames = {n: self.frames.get(n, 0) + other.frames.get(n, 0) for n in names}
        return TapeCounts(
            self.rows + other.rows,
            frames,
            min(self.first_ns, other.first_ns),
            max(self.last_ns, other.last_ns),
        )


class TapeHeader(msgspec.Struct, frozen=True, kw_only=True):
    """Where a tape comes from and how its integers are to be read."""

    schema: int = SCHEMA
    instrument: Instrument
    source: str
    """Format that it was imported from, or "record"."""
    files: tuple[str, ...] = ()
    command: str = ""
    """The command line that made it."""
    is_tick_inferred: bool = False
    is_lot_inferred: bool = False
    has_sequence: bool = True
    """Whether update ids are the venue's; else frames are numbered by the importer."""
    has_recv_time: bool = True
    """Whether ts_recv_ns was measured; else it is the running maximum of ts_event_ns."""
    issues: dict[str, int] = {}
    """What validation counted, by the names of `mmd.tape.validation`."""
    counts: TapeCounts = TapeCounts()


def encode_header(header: TapeHeader) -> bytes:
    """The header as it stands in the file's metadata."""
    return msgspec.json.encode(header)


def decode_header(data: bytes | None, where: object) -> TapeHeader:
    """Read a header back. Raises: TapeError if there is none, or it is of another schema."""
    if data is None:
        raise TapeError(
            f"{where}: expected a tape, found a file without '{METADATA_KEY.decode()}' metadata; make one with mmd import"
        )
    try:
        version = msgspec.json.decode(data, type=_Version).schema
        if version != SCHEMA:
            raise TapeError(
                f"{where}: expected tape schema {SCHEMA}, found {version}; import or record it again"
            )
        return msgspec.json.decode(data, type=TapeHeader)
    except msgspec.DecodeError as error:
        raise TapeError(
            f"{where}: expected a tape header, found {error}; import it again"
        ) from error


class _Version(msgspec.Struct):
    schema: int


def count_rows(rows: Rows) -> TapeCounts:
    """Counts of whole frames."""
    if len(rows) == 0:
        return TapeCounts()
    ends = rows["kind"][(rows["flags"] & LAST_IN_FRAME) != 0]
    kinds, numbers = np.unique(ends, return_counts=True)
    frames = {KIND_NAMES[int(k)]: int(n) for k, n in zip(kinds, numbers, strict=True)}
    recv = rows["ts_recv_ns"]
    return TapeCounts(len(rows), frames, int(recv.min()), int(recv.max()))


def to_arrow(rows: Rows) -> pa.Table:
    """Rows as an Arrow table of ARROW_SCHEMA."""
    columns: list[Any] = [np.ascontiguousarray(rows[name]) for name in COLUMNS]
    return pa.table(columns, schema=ARROW_SCHEMA)


def from_arrow(table: pa.Table) -> Rows:
    """An Arrow table of ARROW_SCHEMA as rows."""
    rows = np.empty(table.num_rows, ROW)
    for name in COLUMNS:
        rows[name] = table.column(name).to_numpy()
    return rows


def cut_at_last_frame(rows: Rows) -> int:
    """Index after the last complete frame, 0 if there is none."""
    ends = np.flatnonzero(rows["flags"] & LAST_IN_FRAME)
    return int(ends[-1]) + 1 if len(ends) else 0
