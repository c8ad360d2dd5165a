"""REST calls on virtual time: coroutines of the adapter run here without an event loop.

A coroutine that runs here awaits two things alone: something to be done at the venue, which takes the way there and
the way back, and a pause.
"""

import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final, TypeVar, cast

from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import VenueError, VenueUnreachableError
from mmd.simulation.agenda import Agenda
from mmd.simulation.channel import Carrier
from mmd.simulation.fault import FaultKind
from mmd.simulation.process_time import Timeline
from mmd.simulation.weather import Weather

_TIMEOUT_NS: Final = 5 * NANOS_PER_SECOND
_SERVED_SHARE: Final = 0.5
"""Of the calls without an answer, those that the venue carries out nevertheless."""
ResultT = TypeVar("ResultT")


@types.coroutine
def at_venue(act: Callable[[], ResultT]) -> Generator[Any, Any, ResultT]:
    """Have something done at the venue and return its result. Raises: VenueError."""
    result = yield act
    return cast("ResultT", result)


@types.coroutine
def pause(seconds: float) -> Generator[Any, Any, None]:
    """Let time pass."""
    yield seconds


class VirtualRest:
    """Runs coroutines.

    Attributes:
        running: how many have not ended.
    """

    def __init__(
        self,
        agenda: Agenda,
        out: Carrier,
        back: Carrier,
        weather: Weather,
        time: Timeline | None = None,
    ) -> None:
        """`time` is that of the process where the coroutines run, if it is not the world's."""
        self._agenda = agenda
        self._time: Timeline = agenda if time is None else time
        self._out, self._back = out, back
        self._weather = weather
        self._is_closed = False
        self.running = 0

    def start(
        self, work: Coroutine[Any, Any, None], on_done: Callable[[VenueError | None], None]
    ) -> None:
        """Run a coroutine; on_done is told how it ended."""
        self.running += 1
        self._step(work, on_done, None)

    def close(self) -> None:
        """The process is gone: nothing goes on."""
        self._is_closed = True

    def _step(
        self,
        work: Coroutine[Any, Any, None],
        on_done: Callable[[VenueError | None], None],
        result: object,
    ) -> None:
        if self._is_closed:
            work.close()
            return
        try:
            asked = work.throw(result) if isinstance(result, VenueError) else work.send(result)
        except StopIteration:
            self.running -= 1
            on_done(None)
        except VenueError as error:
            self.running -= 1
            on_done(error)
        else:
            self._serve(asked, lambda found: self._step(work, on_done, found))

    def _serve(self, asked: Any, then: Callable[[object], None]) -> None:
        now_ns = self._agenda.now_ns
        if not callable(asked):
            self._time.at(now_ns + round(asked * NANOS_PER_SECOND), then)
            return
        (due_ns,) = self._out(now_ns)
        if not self._weather.has(FaultKind.REST_DOWN):
            self._agenda.at(due_ns, lambda _: self._answer(asked, then))
            return
        if self._weather.strikes(FaultKind.REST_DOWN, _SERVED_SHARE):
            self._agenda.at(due_ns, _do, asked)
        lost = VenueUnreachableError("simulated: no answer over REST")
        self._time.at(now_ns + _TIMEOUT_NS, lambda _: then(lost))

    def _answer(self, asked: Callable[[], object], then: Callable[[object], None]) -> None:
        found = _result(asked)
        (due_ns,) = self._back(self._agenda.now_ns)
        self._time.at(due_ns, lambda _: then(found))


def _result(asked: Callable[[], object]) -> object:
    """What is found at the venue: a refusal is a result, too."""
    try:
        return asked()
    except VenueError as error:
        return error


def _do(asked: Callable[[], object]) -> None:
    """The venue carries out what nobody will hear of."""
    _result(asked)
