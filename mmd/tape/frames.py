"""From tape rows to market records: a compiled kernel that fills the next frame, and a cursor over a tape."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from mmd.core.market.record import LEVELS_MAX, MARKET, PARTIAL, TRADE
from mmd.errors import TapeError
from mmd.jit.kernel import Rec, bind, kernel, layout, leaf, new
from mmd.tape.format import AGGRESSOR_KNOWN, EMPTY, LAST_IN_FRAME, ROW, Rows
from mmd.tape.reader import Tape

END: Final = 0
BROKEN: Final = -1
"""What `next_frame` returns when no frame is left, and for a frame without end or with too many levels."""
_BEGIN_OF_TIME_NS, _END_OF_TIME_NS = -(2**63), 2**63 - 1

CURSOR_FIELDS: Final = (
    ("at", "i8"),  # row at which the next frame begins
    ("stop", "i8"),  # rows in the batch
    ("begin", "i8"),  # row at which the last frame began
    ("flags", "i8"),  # of all its rows together
    ("instrument", "i8"),  # id that records get
    ("trade_px", "i8"),  # ticks of the last trade, 0 = none yet
    ("trade_side", "i8"),  # and which side the tick rule gave it
)
"""Part of a record's layout; `next_frame` takes any record that has these."""
# A record that these begin would be a subtype of one that has no others, which numba warns of.
CURSOR = layout(("before", "i8"), *CURSOR_FIELDS)  # rows of the batches before


@leaf
def _fill_head(head: Rec, m: Rec) -> None:
    """Take over what all rows of a frame share."""
    m.kind = head.kind
    m.ts_event_ns = head.ts_event_ns
    m.ts_recv_ns = head.ts_recv_ns
    m.first = head.first
    m.last = head.last
    m.prev = head.prev
    m.side = 0


@leaf
def _fill_levels(rows: Rec, at: int, stop: int, c: Rec, m: Rec) -> int:
    """Take over the levels of the frame at rows[at]; returns the index after it, or BROKEN."""
    m.n[0] = m.n[1] = 0
    c["flags"] = 0  # by item, as of rows: see mmd.tape.packing
    while at < stop:
        row = rows[at]
        flags = row["flags"]
        c["flags"] |= flags
        if flags & EMPTY == 0:
            side = 0 if row.kind == TRADE else row.side
            n = m.n[side]
            if n == LEVELS_MAX:
                return BROKEN
            m.px[side, n] = row.price_ticks
            m.sz[side, n] = row.qty_lots
            m.n[side] = n + 1
        at += 1
        if flags & LAST_IN_FRAME != 0:
            return at
    return BROKEN


@leaf
def _sign_trade(side: int, c: Rec, m: Rec) -> None:
    """Give a trade its aggressor: the one on the tape, or the tick rule's."""
    px = m.px[0, 0]
    if c.trade_px != 0:
        if px > c.trade_px:
            c.trade_side = 0
        elif px < c.trade_px:
            c.trade_side = 1
    m.side = side if c["flags"] & AGGRESSOR_KNOWN != 0 else c.trade_side
    c.trade_px = px


@kernel
def next_frame(rows: Rec, cursor: Rec, market: Rec) -> int:
    """Fill market with the next book or trade frame of a batch; order rows are passed over.

    A trade without a known aggressor gets the side that the tick rule gives it: up is a buyer, down a
    seller, unchanged as before. `cursor.flags & AGGRESSOR_KNOWN` tells which it is.

    Args:
        rows: shape (n,), dtype ROW, whole frames.
        cursor: CURSOR record with `at` and `stop` set; `at` is moved on.
        market: MARKET record to overwrite.

    Returns:
        The kind, END or BROKEN.

    Source: Lee, Ready 1991, "Inferring Trade Direction from Intraday Data", section I (the tick test).
    """
    c, m = cursor[0], market[0]
    at = c.at
    while at < c.stop and rows[at].kind > PARTIAL:
        at += 1
    c.at = c.begin = at
    if at >= c.stop:
        return END
    _fill_head(rows[at], m)
    m.instrument = c.instrument
    end = _fill_levels(rows, at, c.stop, c, m)
    if end == BROKEN:
        return BROKEN
    c.at = end
    if m.kind == TRADE:
        _sign_trade(rows[at].side, c, m)
    return int(m.kind)


class Frames:
    """Walks over a tape frame by frame; iterating yields the one `market` record, refilled each time.

    Attributes:
        market: MARKET record that holds the frame at hand; packed by whoever needs it later.
        row: index of the frame's first row in the tape.
    """

    def __init__(
        self,
        tape: Tape,
        *,
        instrument: int = 0,
        start_ns: int = _BEGIN_OF_TIME_NS,
        end_ns: int = _END_OF_TIME_NS,
    ) -> None:
        """Frames received in [start_ns, end_ns), as records of this instrument id."""
        self.market: Rec = new(MARKET)
        self._tape = tape
        self._batches = tape.batches(start_ns, end_ns)
        self._cursor = new(CURSOR)
        self._cursor["instrument"] = instrument
        self._rows: Rows = np.empty(0, ROW)
        self._fill = bind(next_frame, self._rows, self._cursor, self.market)

    @property
    def row(self) -> int:
        """Index of the frame's first row in what is read of the tape."""
        return int(self._cursor["before"][0] + self._cursor["begin"][0])

    @property
    def flags(self) -> int:
        """Flags of all rows of the frame at hand together."""
        return int(self._cursor["flags"][0])

    def advance(self) -> int:
        """Fill `market` with the next frame; returns its kind, or END after the last.

        Raises:
            TapeError: A frame has no end or too many levels, or the file is damaged.
        """
        while (kind := self._fill(self._rows, self._cursor, self.market)) == END:
            rows = next(self._batches, None)
            if rows is None:
                return END
            self._cursor["before"] += len(self._rows)
            self._rows = rows
            self._cursor["at"], self._cursor["stop"] = 0, len(rows)
        if kind == BROKEN:
            raise TapeError(
                f"{self._tape.path}: row {self.row}: expected a frame of at most {LEVELS_MAX} levels a side with an end, "
                "found none; make the tape again"
            )
        return kind

    def __iter__(self) -> Iterator[Rec]:
        """Yield `market` once for every frame that is left."""
        while self.advance() != END:
            yield self.market
