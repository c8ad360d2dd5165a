"""Appends records to memory-mapped segments; a thread only brings them to the disk.

An append is a copy into mapped memory, so a record survives the death of the process at once and the
death of the host after `sync_ns` at most. Space is allocated ahead: a full disk shows as a JournalError at
a segment's start, never as a fault in the middle of a write.
"""

import mmap
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import crc32c

from mmd.core.commands import Command
from mmd.core.events import Event
from mmd.core.spec import SessionSpec
from mmd.errors import JournalError
from mmd.journal.format import CHECKED_FROM, HEAD, SUFFIX, Kind, encoder


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
        self._append(Kind.MARKET, packed)

    def event(self, event: Event) -> None:
        """Append an event."""
        self._append(Kind.EVENT, encoder.encode(event))

    def command(self, command: Command) -> None:
        """Append an intent; only then may it be sent."""
        self._append(Kind.COMMAND, encoder.encode(command))

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

    def _append(self, kind: Kind, body: bytes | memoryview) -> None:
        size = HEAD.size + len(body)
        if self._at + size + HEAD.size > self._segment_bytes:
            self._roll()
        self._write(kind, body)

    def _write(self, kind: Kind, body: bytes | memoryview) -> None:
        """Body before head: a record exists from the moment its length does."""
        out, at = self._map, self._at
        assert out is not None, "journal is closed"
        self.records += 1
        start = at + HEAD.size
        out[start : start + len(body)] = body
        tail = HEAD.pack(0, 0, self.records, kind)[CHECKED_FROM:]
        HEAD.pack_into(
            out, at, len(body), crc32c.crc32c(body, crc32c.crc32c(tail)), self.records, kind
        )
        self._at = start + len(body)

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
        self._write(Kind.HEADER, self._header)

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
        while not self._stop.wait(period_s):
            fd = self._fd
            if fd >= 0:
                try:
                    os.fdatasync(fd)
                except OSError:  # the segment was rolled just now, and synced by that
                    continue
