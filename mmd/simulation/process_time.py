"""Virtual time as one process sees it: while the process stands still nothing of it is done, and then all in order."""

from collections.abc import Callable
from typing import Any, Protocol

from mmd.simulation.agenda import Agenda


class Timeline(Protocol):
    """When what happens; an agenda, or what a process makes of one."""

    @property
    def now_ns(self) -> int:
        """Virtual time."""
        ...

    def at(self, due_ns: int, action: Callable[[Any], None], argument: Any = None) -> None:
        """Do something at a time; a time that has passed is now."""
        ...


class ProcessTime:
    """A process's share of an agenda: what falls due while it is stopped waits, in the order in which it fell due.

    Attributes:
        agenda: the world's own.
    """

    def __init__(self, agenda: Agenda) -> None:
        self.agenda = agenda
        self._goes_on_ns = 0

    @property
    def now_ns(self) -> int:
        """Virtual time."""
        return self.agenda.now_ns

    @property
    def is_stopped(self) -> bool:
        """Whether the process stands still."""
        return self.agenda.now_ns < self._goes_on_ns

    def stop(self, until_ns: int) -> None:
        """As SIGSTOP; at that time, SIGCONT."""
        self._goes_on_ns = max(self._goes_on_ns, until_ns)

    def at(self, due_ns: int, action: Callable[[Any], None], argument: Any = None) -> None:
        """Do something at a time, or when the process goes on."""
        self.agenda.at(due_ns, self._do, (action, argument))

    def _do(self, what: tuple[Callable[[Any], None], Any]) -> None:
        if self.agenda.now_ns < self._goes_on_ns:
            self.agenda.at(self._goes_on_ns, self._do, what)
            return
        action, argument = what
        action(argument)
