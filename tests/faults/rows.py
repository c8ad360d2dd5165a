"""Rows of the fault matrix that share one running daemon: a function injects a fault and tells when it was noticed."""

import sys
import traceback
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from tests.faults.rig import Rig
from tests.faults.table import Outcome

Inject = Callable[[Rig], Awaitable[int | None]]
"""Injects; returns when the daemon noticed (monotonic ns), None where there is nothing to notice."""


class SkipError(Exception):
    """The row cannot be tried on this machine; the text says why."""


class Row(NamedTuple):
    """One fault; `seen` says what the daemon is expected to do, which the function waits for."""

    name: str
    inject: Inject
    seen: str
    is_quick: bool


class Family:
    """Rows that one daemon goes through, one after the other."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: list[Row] = []

    def row(self, name: str, seen: str, *, quick: bool = False) -> Callable[[Inject], Inject]:
        """Register a function as a row; quick ones are in `make test`."""

        def register(inject: Inject) -> Inject:
            self.rows.append(Row(name, inject, seen, quick))
            return inject

        return register

    async def play(
        self, rig: Rig, wanted: Callable[[str], bool], on_outcome: Callable[[Outcome], None]
    ) -> None:
        """Go through the rows whose name is wanted."""
        for row in self.rows:
            if wanted(row.name):
                on_outcome(await self._play(rig, row))

    async def _play(self, rig: Rig, row: Row) -> Outcome:
        try:
            detected_ns = await row.inject(rig)
            return await rig.judged(self.name, row.name, detected_ns, row.seen)
        except SkipError as reason:
            return Outcome(self.name, row.name, skipped=str(reason))
        except (AssertionError, TimeoutError, KeyError, OSError) as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            print(*rig.daemon.lines[-15:], sep="\n", file=sys.stderr)
            return Outcome(self.name, row.name, failed=f"{error!r} at {where.name}:{where.lineno}")


def quick_names(families: Iterable[Family]) -> set[str]:
    """Names of the rows that take little time."""
    return {row.name for family in families for row in family.rows if row.is_quick}
