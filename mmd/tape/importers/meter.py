"""How far reading has got, in bytes of the source files, for progress bars."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


class Meter:
    """Adds up what was read of files as they are on disk, compressed or not; a second pass counts again."""

    def __init__(self, on_progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """`on_progress(done, total)` is called now and again."""
        self._on_progress = on_progress
        self._open: list[BinaryIO] = []
        self._finished = 0
        self.total = 0
        """Bytes that will have been read at the end."""

    def expect(self, path: Path, passes: int = 1) -> None:
        """Announce that a file will be read so many times."""
        if path.is_file():
            self.total += passes * path.stat().st_size

    def opened(self, raw: BinaryIO) -> None:
        """Follow a file that is being read."""
        self._open.append(raw)

    def closed(self, raw: BinaryIO) -> None:
        """A file is read to its end, or to where it was given up."""
        self._finished += raw.tell()
        self._open.remove(raw)

    def done(self) -> int:
        """Bytes read so far."""
        return self._finished + sum(raw.tell() for raw in self._open)

    def report(self) -> None:
        """Tell whoever watches."""
        self._on_progress(self.done(), self.total)
