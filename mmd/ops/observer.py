"""Looks at the daemon four times a second for everybody who watches: history, event log, queue positions, live frames.

It looks whether or not a page is open, so that one opened late has what came before.
"""

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from mmd.errors import MmdError
from mmd.ops.event_log import EventLog, LoggedEvent, new_fills
from mmd.ops.history import PERIOD_S, FillPoint, History, InstrumentHistory
from mmd.ops.queue_ahead import QueueAhead
from mmd.ops.state import InstrumentState, State

LOOK_PERIOD_S = 0.25


class Sight:
    """What one look brought: the picture, and what is new in it.

    Attributes:
        state: the daemon with what only ops knows; None where it could not be read.
        error: why not.
        age_s: how old the picture is.
        events: new lines of the log.
        points: by instrument, a new point of its history; most looks bring none.
        fills: by instrument, our trades since the last look.
    """

    def __init__(self, state: State | None, error: str = "", age_s: float = 0.0) -> None:
        self.state = state
        self.error = error
        self.age_s = age_s
        self.events: list[LoggedEvent] = []
        self.points: dict[str, list[float | None]] = {}
        self.fills: dict[str, list[FillPoint]] = {}


class Observer:
    """Keeps what is derived from pictures in a row."""

    def __init__(self, snapshot: Callable[[], State], clock_s: Callable[[], float]) -> None:
        """`clock_s` is the machine's monotonic clock, in seconds."""
        self.log = EventLog()
        self._snapshot = snapshot
        self._clock_s = clock_s
        self._histories: dict[str, InstrumentHistory] = {}
        self._queues: dict[str, QueueAhead] = {}
        self._last: State | None = None
        self._pointed_s = 0.0

    def current(self) -> State:
        """The daemon now, with what ops knows of its orders. Raises: MmdError while there is none."""
        return self._place(self._snapshot())

    def history(self, instrument: str) -> History | None:
        """Of <venue>:<symbol>; None where there is no such instrument, or none was seen yet."""
        kept = self._histories.get(instrument)
        return None if kept is None else kept.all(instrument)

    def look(self) -> Sight:
        """Take in the picture of now."""
        try:
            state = self._snapshot()
        except MmdError as error:
            return Sight(None, str(error))
        last = self._last
        age_s = max(self._clock_s() - state.taken_monotonic_s, 0.0)
        if last is not None and last.taken_unix_s == state.taken_unix_s:
            return Sight(self._place(state), age_s=age_s)
        self._follow_queues(state)
        sight = Sight(self._place(state), age_s=age_s)
        sight.events = self.log.follow(state)
        self._keep(state, last, sight)
        self._last = state
        return sight

    def _follow_queues(self, state: State) -> None:
        for row in state.instruments:
            queue = self._queues.setdefault(name_of(row), QueueAhead())
            queue.follow(row, shows_own=state.environment != "paper")

    def _place(self, state: State) -> State:
        queues = self._queues
        rows = [
            queues[name_of(r)].place(r) if name_of(r) in queues else r for r in state.instruments
        ]
        return replace(state, instruments=rows)

    def _keep(self, state: State, last: State | None, sight: Sight) -> None:
        """Add to the histories."""
        is_new = last is None or last.session != state.session
        is_due = is_new or state.taken_unix_s - self._pointed_s >= PERIOD_S - LOOK_PERIOD_S / 2
        if is_due:
            self._pointed_s = state.taken_unix_s
        for at, row in enumerate(state.instruments):
            name = name_of(row)
            if is_new:
                self._histories[name] = InstrumentHistory()
            kept = self._histories[name]
            if is_due:
                sight.points[name] = kept.add(row, state.taken_unix_s)
            fills = (
                row.last_fills if last is None or is_new else new_fills(last.instruments[at], row)
            )
            if fills:
                sight.fills[name] = [kept.add_fill(fill, state.taken_unix_s) for fill in fills]


def name_of(row: InstrumentState) -> str:
    """<venue>:<symbol>."""
    return f"{row.venue}:{row.symbol}"


async def watch(observer: Observer, show: Callable[[Sight], None]) -> None:
    """Look again and again, and pass each sight on. Runs until it is cancelled."""
    while True:
        show(observer.look())
        await asyncio.sleep(LOOK_PERIOD_S)
