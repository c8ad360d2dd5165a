"""The pieces of a running daemon's picture, each taken by a call of its own."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from msgspec.structs import replace

from mmd.core.engine import Engine
from mmd.core.maker import Maker
from mmd.core.ports import Clock
from mmd.journal.writer import JournalWriter
from mmd.ops.process_use import ProcessUse
from mmd.ops.snapshot import instrument_state, session_state
from mmd.ops.state import InstrumentState, State
from mmd.shell.driver import Driver


class Picture(NamedTuple):
    """What takes the pieces."""

    session: Callable[[], State]
    """All but the instruments."""
    instruments: Sequence[Callable[[], InstrumentState]]

    def whole(self) -> State:
        """Everything at one moment."""
        return replace(self.session(), instruments=[take() for take in self.instruments])


def picture_of(
    engine: Engine,
    driver: Driver,
    journal: JournalWriter,
    clock: Clock,
    use: ProcessUse,
    beside: Callable[[], dict[str, Any]],
) -> Picture:
    """A daemon's; `beside` gives those fields of the State that are not the engine's own."""

    def session() -> State:
        state = session_state(engine, driver, journal, clock.monotonic_ns(), use.state())
        return replace(state, **beside())

    def instrument(maker: Maker) -> InstrumentState:
        return instrument_state(engine, maker, clock.monotonic_ns())

    return Picture(session, [partial(instrument, maker) for maker in engine.makers])
