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
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from mmd.core.commands import Command
from mmd.core.durations import Durations
from mmd.core.events import Decision, Event
from mmd.core.spec import SessionSpec
from mmd.errors import JournalError
from mmd.jit.kernel import Rec
from mmd.journal.format import SUFFIX, Kind, encoder
from mmd.journal.pen import Pen
from mmd.journal.segment import FULL, Segment

_HEADER = int(Kind.HEADER)
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
        self.sync_times = Durations()
        """How long bringing it to the disk took, each time."""
        self._synced_bytes = 0
        self._header = encoder.encode(spec)
        self._segment_bytes = max(segment_bytes, 4 * len(self._header) + 1024 * 1024)
        self._number = 0
        self._segment: Segment | None = None
        self._market: Callable[[Rec], int] = _refuse
        self._event: Callable[[Event], int] = _refuse
        self._command: Callable[[Command, Decision | None], int] = _refuse
        self._ended = 0, 0
        """Where the last segment ended, and the number of its last record."""
        self.pen = Pen()
        """What puts ordinary decisions on record where they are taken."""
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

    @property
    def records(self) -> int:
        """How many were appended so far, headers included."""
        return self._ended[1] if self._segment is None else self._segment.sequence

    def market(self, market: Rec) -> None:
        """Append a market record, packed."""
        if self._market(market) == FULL:
            self._roll()
            self._market(market)

    def event(self, event: Event) -> None:
        """Append an event."""
        if self._event(event) == FULL:
            self._roll()
            self._event(event)

    def command(self, command: Command, decision: Decision | None = None) -> None:
        """Append an intent, and before it the decision that it comes from, unless that is on record."""
        if self._command(command, decision) == FULL:
            self._roll()
            self._command(command, decision)

    @property
    def bytes_written(self) -> int:
        """Bytes in all segments so far, zero fill not counted."""
        at = self._ended[0] if self._segment is None else self._segment.at
        return (self._number - 1) * self._segment_bytes + at

    @property
    def unsynced_bytes(self) -> int:
        """What the death of the host would take now, at most."""
        return max(self.bytes_written - self._synced_bytes, 0)

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

    def _roll(self) -> None:
        """Close the full segment and start the next with the header."""
        self._finish_segment()
        self._number += 1
        path = self.folder / f"{self._number:06d}{SUFFIX}"
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            os.posix_fallocate(self._fd, 0, self._segment_bytes)
        except OSError as error:
            raise JournalError(
                f"cannot allocate {self._segment_bytes} bytes for {path}: {error.strerror}; free disk space or set journal.segment_mib lower"
            ) from error
        self._map = mmap.mmap(self._fd, self._segment_bytes)
        segment = self._segment = Segment(self._map, self._ended[1])
        self._market, self._event, self._command = segment.market, segment.event, segment.command
        segment.body(_HEADER, self._header)
        self.pen.turn_to(segment.end)

    def _finish_segment(self) -> None:
        segment = self._segment
        if self._map is None or segment is None:
            return
        self._ended = segment.at, segment.sequence
        self.pen.turn_to(None)
        # Whatever refers to the map would keep it from being closed.
        self._segment = segment = None
        self._market = self._event = self._command = _refuse
        out, fd, self._map, self._fd = self._map, self._fd, None, -1
        out.flush()
        out.close()
        os.ftruncate(fd, self._ended[0])
        os.fsync(fd)
        os.close(fd)

    def _sync_forever(self, period_s: float) -> None:
        """Bring dirty pages to the disk; sleeps without the interpreter lock in between."""
        synced_at = 0
        while not self._stop.wait(period_s):
            fd, out, segment = self._fd, self._map, self._segment
            if fd < 0 or out is None or segment is None:
                continue
            at, segment = segment.at, None
            written = (self._number - 1) * self._segment_bytes + at
            began_ns = time.perf_counter_ns()
            try:
                os.fdatasync(fd)
                self.sync_times.record(time.perf_counter_ns() - began_ns)
                self._synced_bytes = written
                _touch_ahead(out, at, 2 * (at - synced_at))
            except (OSError, ValueError):  # the segment was rolled just now, and synced by that
                continue
            finally:
                synced_at = at


def _refuse(*_: object) -> int:
    raise AssertionError("journal is closed")


def _touch_ahead(out: mmap.mmap, at: int, size: int) -> None:
    """Make the pages of the next `size` bytes writable now. Raises: OSError where the kernel cannot."""
    start = at - at % mmap.PAGESIZE
    end = min(at + min(max(size, _AHEAD_MIN), _AHEAD_MAX), len(out))
    out.madvise(_POPULATE_WRITE, start, end - start)
