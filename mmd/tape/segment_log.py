"""The segment that is being recorded: rows appended to a plain file, so that a crash loses only what was not written.

A Parquet file cannot be read before its end is written. So rows go here first; when the segment is full they
become a tape, and after a crash what is here does (`mmd.tape.recorder.recover_segments`).
"""

import os
from collections.abc import Iterator
from pathlib import Path
from struct import Struct

import numpy as np

from mmd.errors import TapeError
from mmd.tape.format import (
    ROW,
    Rows,
    TapeHeader,
    cut_at_last_frame,
    decode_header,
    encode_header,
)

SUFFIX = ".rows"
_HEAD = Struct("<8sI")
_MAGIC = b"MMDROWS1"
_BLOCK_ROWS = 1 << 16


class SegmentLog:
    """One file that only grows."""

    def __init__(self, path: Path, header: TapeHeader) -> None:
        """Create it. Raises: TapeError if that is not possible."""
        self.path = path
        self.rows = 0
        encoded = encode_header(header)
        try:
            self._file = path.open("xb", buffering=0)
            self._file.write(_HEAD.pack(_MAGIC, len(encoded)) + encoded)
        except OSError as error:
            raise TapeError(
                f"{path}: cannot be written ({error.strerror}); record elsewhere"
            ) from error

    def append(self, rows: Rows) -> None:
        """Write rows of whole frames and bring them to the disk. Raises: TapeError."""
        data = memoryview(rows.tobytes())
        try:
            while data:
                data = data[self._file.write(data) or 0 :]
            os.fdatasync(self._file.fileno())
        except OSError as error:
            raise TapeError(
                f"{self.path}: cannot be written ({error.strerror}); make room"
            ) from error
        self.rows += len(rows)

    def close(self) -> None:
        """No more rows come."""
        self._file.close()


def read_log(path: Path) -> tuple[TapeHeader, Iterator[Rows]]:
    """The header of a log, and its rows in blocks up to the last whole frame.

    Raises: TapeError if it is no such file.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD.size)
        magic, length = _HEAD.unpack(head) if len(head) == _HEAD.size else (b"", 0)
        if magic != _MAGIC:
            raise TapeError(
                f"{path}: expected a recorder's segment, found another file; move it away"
            )
        header = decode_header(file.read(length), path)
    return header, _blocks(path, _HEAD.size + length)


def _blocks(path: Path, at: int) -> Iterator[Rows]:
    """Rows from an offset on; a torn end is left out."""
    held: Rows = np.empty(0, ROW)
    with path.open("rb") as file:
        file.seek(at)
        while data := file.read(_BLOCK_ROWS * ROW.itemsize):
            whole = len(data) // ROW.itemsize
            rows = np.concatenate([held, np.frombuffer(data, ROW, whole)])
            cut = cut_at_last_frame(rows)
            held = rows[cut:]
            if cut:
                yield rows[:cut]
