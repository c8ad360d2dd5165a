"""Writes a tape file: memory bounded by one row group, and nothing to be seen under its name before it is whole."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from mmd.errors import TapeError
from mmd.tape.format import (
    ARROW_SCHEMA,
    METADATA_KEY,
    ROW_GROUP_ROWS,
    Rows,
    TapeCounts,
    TapeHeader,
    count_rows,
    cut_at_last_frame,
    encode_header,
    to_arrow,
)

_SMALL = ("kind", "flags", "side", "order_id")
_DELTAS = {n: "DELTA_BINARY_PACKED" for n in ARROW_SCHEMA.names if n not in _SMALL}
_FRAME_ROWS_MAX = 4 * ROW_GROUP_ROWS


class TapeWriter:
    """Collects rows into row groups of whole frames; `close` gives the file its name.

    Attributes:
        header: what `close` will write; its counts are of what was written so far.
    """

    def __init__(self, path: Path, header: TapeHeader) -> None:
        """Open a temporary file beside path. Raises: TapeError if it cannot be written."""
        self.header = header
        self._path = path
        self._part = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._waiting: list[Rows] = []
        self._n_waiting = 0
        self._counts = TapeCounts()
        try:
            self._file = pq.ParquetWriter(
                self._part,
                ARROW_SCHEMA,
                compression="zstd",
                use_dictionary=list(_SMALL),
                column_encoding=_DELTAS,
            )
        except OSError as error:
            raise _unwritable(path, error) from error

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written yet."""
        return self._n_waiting == 0 and self._counts.rows == 0

    def write(self, rows: Rows) -> None:
        """Append rows; they are copied. Raises: TapeError if the disk refuses them."""
        self._waiting.append(rows.copy())
        self._n_waiting += len(rows)
        if self._n_waiting >= ROW_GROUP_ROWS:
            self._write_group(is_end=False)

    def close(self) -> TapeHeader:
        """Write what is left and the header, and move the file to its name.

        Raises: TapeError if the last frame is incomplete or the disk refuses it.
        """
        self._write_group(is_end=True)
        self.header = msgspec.structs.replace(self.header, counts=self._counts)
        try:
            self._file.add_key_value_metadata({METADATA_KEY: encode_header(self.header)})
            self._file.close()
            _sync(self._part)
            self._part.replace(self._path)
        except OSError as error:
            raise _unwritable(self._path, error) from error
        return self.header

    def abandon(self) -> None:
        """Leave nothing behind."""
        try:
            self._file.close()
        finally:
            self._part.unlink(missing_ok=True)

    def _write_group(self, *, is_end: bool) -> None:
        """Write whole frames as row groups; the rest waits for its frame's end."""
        if self._n_waiting == 0:
            return
        rows = np.concatenate(self._waiting)
        cut = cut_at_last_frame(rows)
        if (is_end and cut < len(rows)) or len(rows) - cut > _FRAME_ROWS_MAX:
            raise TapeError(
                f"{self._path}: expected the last row of every frame to be marked, found {len(rows) - cut} rows "
                "without an end; the importer is at fault"
            )
        begin = 0
        while begin < cut:
            end = cut
            if cut - begin > 2 * ROW_GROUP_ROWS:
                end = begin + cut_at_last_frame(rows[begin : begin + ROW_GROUP_ROWS])
                end = cut if end == begin else end
            self._write_table(rows[begin:end])
            begin = end
        self._waiting = [rows[cut:].copy()] if cut < len(rows) else []
        self._n_waiting = len(rows) - cut

    def _write_table(self, rows: Rows) -> None:
        table = to_arrow(rows)
        try:
            self._file.write_table(table, row_group_size=len(rows))
        except (OSError, pa.ArrowException) as error:
            raise _unwritable(self._path, error) from error
        self._counts += count_rows(rows)


@contextmanager
def tape_writer(path: Path, header: TapeHeader) -> Iterator[TapeWriter]:
    """A writer that is closed at the end of the block, or abandoned where the block fails."""
    writer = TapeWriter(path, header)
    try:
        yield writer
        writer.close()
    except BaseException:
        writer.abandon()
        raise


def _sync(path: Path) -> None:
    """Bring a file to the disk before it gets its name."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _unwritable(path: Path, error: Exception) -> TapeError:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return TapeError(f"{path}: cannot be written ({reason}); name a file in a folder with room")
