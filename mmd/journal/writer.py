"""Appends records to memory-mapped segments; a thread only brings them to the disk.

An append is a copy into mapped memory, so a record survives the death of the process at once and the
death of the host after `sync_ns` at most. Space is allocated ahead: a full disk shows as a JournalError at
a segment's start, never as a fault in the middle of a write. The thread also touches the pages that will be
written next: the first touch of a page, and the first after each sync, takes the kernel 3 us when all is warm
and 20 us when it is not.
"""

import mmap
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from mmd.core.commands import Command
from mmd.core.events import Event
from mmd.core.spec import SessionSpec
from mmd.errors import JournalError
from mmd.journal.format import HEAD, SUFFIX, Kind, encoder, write_record

_HEAD_SIZE = HEAD.size
# Plain integers: members of an Enum are looked up through its metaclass, 0.1 us each.
_HEADER, _MARKET, _EVENT, _COMMAND = (
    int(kind) for kind in (Kind.HEADER, Kind.MARKET, Kind.EVENT, Kind.COMMAND)
)
_POPULATE_WRITE = 23
"""MADV_POPULATE_WRITE of Linux 5.14, which this Python's mmap does not name."""
_AHEAD_MIN = 4 * mmap.PAGESIZE
_AHEAD_MAX = 256 * mmap.PAGESIZE


class JournalWriter:
    """One session's journal, open for appending. Not thread-safe but for `_sync_forever`."""

    def __init__(
        self, folder: Path, spec: SessionSpec, *, segment_bytes: int, sync_ns: int
    ) -> None:
        """Create the session's folder and its first segment.

        Raises:
            JournalError: The folder exists already, or cannot be written.
        """
        self.folder = folder
        self.records = 0
        self._header = encoder.encode(spec)
        self._segment_bytes = max(segment_bytes, 4 * len(self._header) + 1024 * 1024)
        self._segment = 0
        self._at = 0
        self._room = self._segment_bytes - 2 * _HEAD_SIZE
        """For bodies: a record has a head of its own, and another of zeros ends the segment."""
        self._map: mmap.mmap | None = None
        self._fd = -1
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise JournalError(
                f"cannot create journal folder {folder}: {error.strerror}; choose another journal.folder"
            ) from error
        self._roll()
        self._stop = threading.Event()
        self._syncer = threading.Thread(
            target=self._sync_forever, args=(sync_ns / 1e9,), name="journal-sync", daemon=True
        )
        self._syncer.start()

    def market(self, packed: memoryview) -> None:
        """Append a market record's packed bytes."""
        self._append(_MARKET, packed)

    def event(self, event: Event) -> None:
        """Append an event."""
        self._append(_EVENT, encoder.encode(event))

    def command(self, command: Command) -> None:
        """Append an intent; only then may it be sent."""
        self._append(_COMMAND, encoder.encode(command))

    @property
    def bytes_written(self) -> int:
        """Bytes in all segments so far, zero fill not counted."""
        return (self._segment - 1) * self._segment_bytes + self._at

    def close(self) -> None:
        """Cut the zero fill off and bring everything to the disk."""
        self._stop.set()
        self._syncer.join()
        self._finish_segment()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _append(self, kind: int, body: bytes | memoryview) -> None:
        if self._at + len(body) > self._room:
            self._roll()
        out = self._map
        assert out is not None, "journal is closed"
        self.records += 1
        self._at = write_record(out, self._at, self.records, kind, body)

    def _roll(self) -> None:
        """Close the full segment and start the next with the header."""
        self._finish_segment()
        self._segment += 1
        path = self.folder / f"{self._segment:06d}{SUFFIX}"
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            os.posix_fallocate(self._fd, 0, self._segment_bytes)
        except OSError as error:
            raise JournalError(
                f"cannot allocate {self._segment_bytes} bytes for {path}: {error.strerror}; free disk space or set journal.segment_mib lower"
            ) from error
        self._map = mmap.mmap(self._fd, self._segment_bytes)
        self._at = 0
        self._append(_HEADER, self._header)

    def _finish_segment(self) -> None:
        if self._map is None:
            return
        out, fd, self._map, self._fd = self._map, self._fd, None, -1
        out.flush()
        out.close()
        os.ftruncate(fd, self._at)
        os.fsync(fd)
        os.close(fd)

    def _sync_forever(self, period_s: float) -> None:
        """Bring dirty pages to the disk; sleeps without the interpreter lock in between."""
        synced_at = 0
        while not self._stop.wait(period_s):
            fd, out, at = self._fd, self._map, self._at
            if fd < 0 or out is None:
                continue
            try:
                os.fdatasync(fd)
                _touch_ahead(out, at, 2 * (at - synced_at))
            except (OSError, ValueError):  # the segment was rolled just now, and synced by that
                continue
            finally:
                synced_at = at


def _touch_ahead(out: mmap.mmap, at: int, size: int) -> None:
    """Make the pages of the next `size` bytes writable now. Raises: OSError where the kernel cannot."""
    start = at - at % mmap.PAGESIZE
    end = min(at + min(max(size, _AHEAD_MIN), _AHEAD_MAX), len(out))
    out.madvise(_POPULATE_WRITE, start, end - start)
