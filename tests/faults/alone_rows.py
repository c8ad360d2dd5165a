"""Rows that each need a daemon of their own: a function runs it, injures it, and says what came of it."""

import sys
import tempfile
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from tests.faults.rows import SkipError
from tests.faults.table import Outcome

_WORK_S = 0.2
Run = Callable[[Path], Awaitable["Told"]]


class Told(NamedTuple):
    """What a row tells: times in ns of the monotonic clock, losses, and what was seen."""

    injected_ns: int
    detected_ns: int | None
    recovered_ns: int | None
    seen: str
    losses: tuple[int, int, int] | None
    """Orders, fills and atoms; None where no daemon came to trade."""


class AloneFamily:
    """Rows with a daemon each."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._rows: list[tuple[str, Run]] = []

    def row(self, name: str) -> Callable[[Run], Run]:
        """Register a function as a row."""

        def register(run: Run) -> Run:
            self._rows.append((name, run))
            return run

        return register

    async def play(
        self, wanted: Callable[[str], bool], on_outcome: Callable[[Outcome], None]
    ) -> None:
        """Go through the rows whose name is wanted, each in a folder of its own."""
        for name, run in self._rows:
            if wanted(name):
                on_outcome(await self._play(name, run))

    async def _play(self, name: str, run: Run) -> Outcome:
        with tempfile.TemporaryDirectory(prefix="mmd-faults-") as folder:
            try:
                told = await run(Path(folder))
            except SkipError as reason:
                return Outcome(self.name, name, skipped=str(reason))
            except (AssertionError, TimeoutError, KeyError, OSError) as error:
                traceback.print_exc(file=sys.stderr)
                where = traceback.extract_tb(error.__traceback__)[-1]
                return Outcome(self.name, name, failed=f"{error!r} at {where.name}:{where.lineno}")
        return Outcome(
            self.name,
            name,
            _ms(told.injected_ns, told.detected_ns),
            _ms(told.injected_ns, told.recovered_ns),
            *(told.losses or (0, 0, 0)),
            seen=told.seen,
            is_audited=told.losses is not None,
        )


def _ms(from_ns: int, to_ns: int | None) -> float | None:
    return None if to_ns is None else max(0.0, (to_ns - from_ns) / 1e6)


def stretch() -> float:
    """How much longer than alone things take on this machine now: wall time over processor time of some work."""
    wall, cpu = time.perf_counter(), time.process_time()
    while time.process_time() - cpu < _WORK_S:
        pass
    return max(1.0, (time.perf_counter() - wall) / _WORK_S)


def now_ns() -> int:
    """The monotonic clock, which all processes of this machine share."""
    return time.monotonic_ns()
