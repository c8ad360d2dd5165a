"""What the engine process takes of its machine: processor, memory, files, garbage collections, room for the journal."""

import asyncio
import gc
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from mmd.core.durations import Durations
from mmd.ops.histogram_state import HistogramState, durations_state

_PAGE_BYTES = resource.getpagesize()
_STATM = Path("/proc/self/statm")
_FDS = Path("/proc/self/fd")


class ProcessState(msgspec.Struct, frozen=True):
    """The engine process as the operating system sees it; None where that does not say."""

    cpu_s: float
    memory_bytes: int | None
    open_files: int | None
    tasks: int | None
    """Of the event loop; None outside of one."""
    journal_free_bytes: int | None
    """Free on the journal's disk."""
    collections: HistogramState
    """Pauses for garbage collection."""


class ProcessUse:
    """Measures this process; collections are timed between `watching` and its end."""

    def __init__(self, journal: Path) -> None:
        """`journal` is a folder on the disk whose room counts."""
        self._journal = journal
        self._pauses = Durations()
        self._began_ns = 0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Time the garbage collections inside the block."""
        gc.callbacks.append(self._on_collection)
        try:
            yield
        finally:
            gc.callbacks.remove(self._on_collection)

    def state(self) -> ProcessState:
        """As it stands."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return ProcessState(
            cpu_s=used.ru_utime + used.ru_stime,
            memory_bytes=_resident_bytes(),
            open_files=_open_files(),
            tasks=_tasks(),
            journal_free_bytes=self._free_bytes(),
            collections=durations_state(self._pauses),
        )

    def _on_collection(self, phase: str, _: dict[str, int]) -> None:
        now_ns = time.perf_counter_ns()
        if phase == "stop":
            self._pauses.record(now_ns - self._began_ns)
        self._began_ns = now_ns

    def _free_bytes(self) -> int | None:
        try:
            disk = os.statvfs(self._journal)
        except OSError:
            return None
        return disk.f_bavail * disk.f_frsize


def _resident_bytes() -> int | None:
    try:
        return int(_STATM.read_text().split()[1]) * _PAGE_BYTES
    except OSError:
        return None


def _tasks() -> int | None:
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        return None


def _open_files() -> int | None:
    try:
        return len(os.listdir(_FDS)) - 1  # without the one that this takes  # noqa: PTH208
    except OSError:
        return None
