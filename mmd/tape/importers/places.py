"""Where a row came from, as one integer: which source file, and which line or record of it."""

from collections.abc import Sequence
from pathlib import Path

_LINE_BITS = 40


class Places:
    """Names places for error messages and reports."""

    def __init__(self, files: Sequence[Path], unit: str = "line") -> None:
        """`unit` is what the numbers count: lines, rows, records."""
        self.files = tuple(files)
        self._unit = unit

    def at(self, file: int, line: int) -> int:
        """The place of a line (from 1) of the file-th file (from 0)."""
        return file << _LINE_BITS | line

    def told(self, place: int) -> str:
        """`FILE: line N`."""
        path = self.files[place >> _LINE_BITS]
        return f"{path}: {self._unit} {place & ((1 << _LINE_BITS) - 1)}"
