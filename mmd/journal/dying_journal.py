"""A test hook: the process kills itself, as kill -9 would, at a named step of its journal.

Off unless the environment variable MMD_DIE_AT names a step (see `mmd.journal.kill_points`), and then it costs only those
who asked for it: the journal's own methods are replaced.
"""

import os
import signal
from collections.abc import Callable
from typing import Any, Final

import structlog

from mmd.core.commands import Command
from mmd.core.events import Decision
from mmd.errors import ConfigError
from mmd.journal.kill_points import MARKET, ROLL, KillPoint, Phase, kill_point, step_of
from mmd.journal.writer import JournalWriter

VARIABLE: Final = "MMD_DIE_AT"
_log = structlog.get_logger()


def kill_self() -> None:
    """End this process at this instruction."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(journal: JournalWriter, text: str, die: Callable[[], None] = kill_self) -> None:
    """Have the process die at STEP:PHASE:N of this journal. Raises: ConfigError for a point that cannot be reached so."""
    point, count = kill_point(text)
    if point.phase is Phase.TORN or point.step == ROLL:
        raise ConfigError(
            f"{VARIABLE}: expected a point that a running process can die at by itself, found {text!r}: "
            "half a record and a new segment are left to the simulation"
        )
    _log.warning("dies_at", point=point.name, count=count)
    journal.pen.turn_to(None)  # what is written where it is decided would pass by here
    watch = _Watch(point, count, die)
    event = watch.around(journal.event, "event")
    append = watch.around(journal.command, "command")

    def command(command: Command, decision: Decision | None = None) -> None:
        if decision is not None:
            event(decision)
        append(command)

    replaced = {"market": watch.around(journal.market, MARKET), "event": event, "command": command}
    for name, write in replaced.items():
        setattr(journal, name, write)


class _Watch:
    """Counts down to the point."""

    def __init__(self, point: KillPoint, count: int, die: Callable[[], None]) -> None:
        self._point, self._left, self._die = point, count, die
        self._is_done = False

    def around(self, append: Callable[[Any], None], name: str) -> Callable[[Any], None]:
        """An append that dies when its time has come."""

        def write(record: Any) -> None:
            if self._is_done:
                self._die()
            step = MARKET if name == MARKET else step_of(record)
            self._left -= step == self._point.step
            is_it = step == self._point.step and self._left == 0
            if is_it and self._point.phase is Phase.BEFORE:
                self._die()
            append(record)
            if is_it and self._point.phase is Phase.WRITTEN:
                self._die()
            self._is_done = self._is_done or (is_it and self._point.phase is Phase.DONE)

        return write
