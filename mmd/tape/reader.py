"""Reads tapes: a file or a folder of segments as one stream of row batches, one row group in memory at a time."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from mmd.errors import TapeError
from mmd.tape.format import (
    ARROW_SCHEMA,
    COLUMNS,
    LAST_IN_FRAME,
    METADATA_KEY,
    Rows,
    TapeCounts,
    TapeHeader,
    decode_header,
    from_arrow,
)
from mmd.tape.names import SUFFIX

_RECV = COLUMNS.index("ts_recv_ns")
_BEGIN_OF_TIME_NS, _END_OF_TIME_NS = -(2**63), 2**63 - 1


class Tape:
    """A tape that can be read any number of times.

    Attributes:
        path: what was opened.
        files: its segments in order; one for a plain file.
        header: the first segment's, with the counts and issues of all.
    """

    def __init__(self, path: Path, files: tuple[Path, ...], header: TapeHeader) -> None:
        self.path = path
        self.files = files
        self.header = header

    def batches(
        self, start_ns: int = _BEGIN_OF_TIME_NS, end_ns: int = _END_OF_TIME_NS
    ) -> Iterator[Rows]:
        """Yield arrays of whole frames whose last row was received in [start_ns, end_ns).

        Row groups outside the range are not read: their statistics say when they were received.

        Raises:
            TapeError: A file is damaged; it names the file.
        """
        for path in self.files:
            yield from _file_batches(path, start_ns, end_ns)


def open_tape(path: Path) -> Tape:
    """Open a tape file, or a folder of segments that a recorder wrote.

    Raises:
        TapeError: There is none, it is no tape, or its segments have different instruments.
    """
    if path.is_dir():
        files = tuple(sorted(path.glob(f"*{SUFFIX}")))
        if not files:
            raise TapeError(
                f"{path}: expected a tape or a folder with files like 000001{SUFFIX}, found neither"
            )
    else:
        files = (path,)
    headers = [read_header(file) for file in files]
    first = headers[0]
    for file, header in zip(files, headers, strict=True):
        if header.instrument != first.instrument:
            raise TapeError(
                f"{file}: expected the instrument of {files[0].name} ({_told(first)}), found {_told(header)}; "
                "read the segments one by one"
            )
    counts = sum((h.counts for h in headers), TapeCounts())
    names = sorted({name for h in headers for name in h.issues})
    issues = {name: sum(h.issues.get(name, 0) for h in headers) for name in names}
    return Tape(path, files, msgspec.structs.replace(first, counts=counts, issues=issues))


def read_header(path: Path) -> TapeHeader:
    """The header of one tape file. Raises: TapeError."""
    with _opened(path) as file:
        return decode_header((file.metadata.metadata or {}).get(METADATA_KEY), path)


def _opened(path: Path) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path)
    except OSError as error:
        raise TapeError(
            f"{path}: cannot be read ({error.strerror or error}); check the path"
        ) from error
    except pa.ArrowException as error:
        raise TapeError(
            f"{path}: expected a tape (Parquet), found {_one_line(error)}; make one with mmd import"
        ) from error
    return file


def _file_batches(path: Path, start_ns: int, end_ns: int) -> Iterator[Rows]:
    with _opened(path) as file:
        if not file.schema_arrow.equals(ARROW_SCHEMA):
            raise TapeError(
                f"{path}: expected columns {', '.join(COLUMNS)}, found {', '.join(file.schema_arrow.names)}"
            )
        for number in range(file.num_row_groups):
            low, high = _received(file, number)
            if high < start_ns or low >= end_ns:
                continue
            rows = _read_group(file, number, path)
            if low < start_ns or high >= end_ns:
                rows = _within(rows, start_ns, end_ns)
            if len(rows):
                yield rows


def _received(file: pq.ParquetFile, number: int) -> tuple[int, int]:
    """Least and greatest receive time of a row group; everything where there are no statistics."""
    statistics = file.metadata.row_group(number).column(_RECV).statistics
    if statistics is None or not statistics.has_min_max:
        return _BEGIN_OF_TIME_NS, _END_OF_TIME_NS - 1
    return statistics.min, statistics.max


def _read_group(file: pq.ParquetFile, number: int, path: Path) -> Rows:
    try:
        return from_arrow(file.read_row_group(number))
    except (OSError, pa.ArrowException) as error:
        raise TapeError(
            f"{path}: row group {number} cannot be read ({_one_line(error)}); restore it from a copy"
        ) from error


def _within(rows: Rows, start_ns: int, end_ns: int) -> Rows:
    """The frames that were received in a range."""
    ends = np.flatnonzero(rows["flags"] & LAST_IN_FRAME)
    recv = rows["ts_recv_ns"][ends]
    keep = (recv >= start_ns) & (recv < end_ns)
    lengths = np.diff(ends, prepend=-1)
    return rows[: ends[-1] + 1][np.repeat(keep, lengths)]


def _told(header: TapeHeader) -> str:
    at = header.instrument
    return f"{at.venue} {at.symbol} tick {at.tick_size} lot {at.lot_size}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
