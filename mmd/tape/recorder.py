"""Records market records into rotated segments, by a thread of its own; at most the last flush is lost in a crash."""

import queue
import threading
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import TapeError
from mmd.jit.kernel import Rec
from mmd.tape.format import AFTER_GAP, Rows, TapeHeader
from mmd.tape.names import SUFFIX
from mmd.tape.packing import RowPacker
from mmd.tape.segment_log import SUFFIX as LOG_SUFFIX
from mmd.tape.segment_log import SegmentLog, read_log
from mmd.tape.writer import tape_writer

PACKER_ROWS = 1 << 14
_QUEUE_MAX = 256
"""Batches that wait for the disk. More means that it cannot keep up: recording ends with an error, rather than
leave holes or hold the feed back."""


class Rotation(NamedTuple):
    """When a segment is full: by its age or its rows."""

    age_ns: int = 3_600 * NANOS_PER_SECOND
    rows: int = 20_000_000


def recover_segments(folder: Path) -> list[tuple[Path, int]]:
    """Make tapes of segments that were never finished; returns their paths and rows.

    Raises: TapeError if one is not what a recorder writes.
    """
    made = []
    for log in sorted(folder.glob(f"*{LOG_SUFFIX}")):
        rows = _finish(log)
        if rows:
            made.append((_tape_of(log), rows))
    return made


class _Segments:
    """One instrument's folder; used by the writing thread only."""

    def __init__(self, folder: Path, header: TapeHeader, rotation: Rotation) -> None:
        self._folder = folder
        self._header = header
        self._rotation = rotation
        self._log: SegmentLog | None = None
        self._began_ns = 0
        self._number = max(
            (int(p.name.split(".")[0]) for p in folder.glob(f"*{SUFFIX}")), default=0
        )
        self.is_continued = self._number > 0
        """Whether an earlier recording stands here already."""

    def append(self, rows: Rows) -> None:
        """Write rows; a full segment is finished before them."""
        now_ns = int(rows["ts_recv_ns"][0])
        log = self._log
        if log is not None and (
            log.rows >= self._rotation.rows or now_ns - self._began_ns >= self._rotation.age_ns
        ):
            self.finish()
            log = None
        if log is None:
            self._number += 1
            self._began_ns = now_ns
            path = self._folder / f"{self._number:06d}{LOG_SUFFIX}"
            self._log = log = SegmentLog(path, self._header)
        log.append(rows)

    def finish(self) -> None:
        """Make a tape of what was written since the last one."""
        if self._log is not None:
            self._log.close()
            _finish(self._log.path)
            self._log = None


class Recorder:
    """Takes market records on the caller's thread and writes them on its own.

    Attributes:
        frames, rows: taken so far, by instrument.
    """

    def __init__(
        self,
        folder: Path,
        headers: Mapping[int, TapeHeader],
        rotation: Rotation,
        *,
        unix_less_monotonic_ns: int,
    ) -> None:
        """One folder per instrument below `folder`; unfinished segments there are recovered first.

        Receive times of records are monotonic; the difference makes them wall time on the tape.

        Raises: TapeError if the folder cannot be used.
        """
        self.frames = dict.fromkeys(headers, 0)
        self.rows = dict.fromkeys(headers, 0)
        self.recovered: list[tuple[Path, int]] = []
        self._shift_ns = unix_less_monotonic_ns
        self._packers = {i: RowPacker(PACKER_ROWS) for i in headers}
        self._segments: dict[int, _Segments] = {}
        for i, header in headers.items():
            place = folder / header.instrument.symbol
            try:
                place.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise TapeError(
                    f"{place}: cannot be made ({error.strerror}); record elsewhere"
                ) from error
            self.recovered += recover_segments(place)
            self._segments[i] = _Segments(place, header, rotation)
        self._next_flags = {
            i: AFTER_GAP if s.is_continued else 0 for i, s in self._segments.items()
        }
        self._queue: queue.Queue[tuple[int, Rows] | None] = queue.Queue(_QUEUE_MAX)
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._write_all, name="tape-writer", daemon=True)
        self._thread.start()

    def on_market(self, market: Rec) -> None:
        """Take one record; valid only during the call. Raises: TapeError if writing has failed."""
        i = int(market["instrument"][0])
        packer = self._packers[i]
        self.frames[i] += 1
        self.rows[i] += packer.add(market, self._next_flags[i])
        self._next_flags[i] = 0
        if packer.is_full:
            self._hand_over(i)

    def mark_gap(self, instrument: int) -> None:
        """What comes next does not continue what came before: the feed was away."""
        self._next_flags[instrument] = AFTER_GAP

    def flush(self) -> None:
        """Hand what was taken to the writing thread. Raises: TapeError if writing has failed."""
        for i, packer in self._packers.items():
            if len(packer):
                self._hand_over(i)
        self._check()

    def close(self) -> None:
        """Write everything and finish every segment. Raises: TapeError if writing has failed."""
        try:
            self.flush()
        finally:
            self._queue.put(None)
            self._thread.join()
        self._check()

    def _hand_over(self, i: int) -> None:
        rows = self._packers[i].take()
        rows["ts_recv_ns"] += self._shift_ns
        self._check()
        try:
            self._queue.put_nowait((i, rows))
        except queue.Full:
            raise TapeError(
                f"expected the disk to keep up, found {_QUEUE_MAX} batches waiting for it; record fewer instruments or elsewhere"
            ) from None

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _write_all(self) -> None:
        """The writing thread: until None comes or something fails."""
        try:
            while (item := self._queue.get()) is not None:
                self._segments[item[0]].append(item[1])
            for segments in self._segments.values():
                segments.finish()
        except Exception as error:  # noqa: BLE001 - told to the recording thread, which ends
            self._failure = error
            while self._queue.get() is not None:  # nothing may wait for a writer that is gone
                continue


def _tape_of(log: Path) -> Path:
    return log.with_name(log.name.removesuffix(LOG_SUFFIX) + SUFFIX)


def _finish(log: Path) -> int:
    """Make a tape of a log and remove the log; returns its rows, 0 where it held no frame."""
    header, blocks = read_log(log)
    total = 0
    first = next(blocks, None)
    if first is not None:
        with tape_writer(_tape_of(log), header) as writer:
            for rows in chain((first,), blocks):
                writer.write(rows)
                total += len(rows)
    log.unlink()
    return total
