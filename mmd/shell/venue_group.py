"""Several venues as one: instruments are numbered through, commands go where their instrument is traded."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from mmd.core.commands import Approved, Command
from mmd.core.events import Event, OrderStatus
from mmd.core.instrument import Instrument
from mmd.core.ports import DeadMansSwitch, EventSink, Venue
from mmd.core.trades_told import TradesTold
from mmd.core.units import InstrumentId
from mmd.errors import MmdError
from mmd.jit.kernel import Rec
from mmd.shell.start_barrier import StartBarrier

VenueAt = Callable[[int], Venue]
"""Makes a venue whose instruments are numbered from here."""


class _GatheredSink:
    """A driver that hears of the first venue's account no sooner than of the last one's."""

    def __init__(self, sink: EventSink, venues: Sequence[str]) -> None:
        self._barrier = StartBarrier(venues, sink.on_event)
        self.on_market: Callable[[Rec], None] = sink.on_market

    def on_event(self, event: Event) -> None:
        self._barrier.on_event(event)


class VenueGroup:
    """A `mmd.core.ports.Venue` over several; what fails in one of them is a failure of the group.

    Attributes:
        members: by name, once loaded.
    """

    def __init__(self, names: Sequence[str], makers: Sequence[VenueAt]) -> None:
        """Nothing is made before `load`, because a venue's numbers begin where the one before it ends."""
        self.members: dict[str, Venue] = {}
        self._names = names
        self._makers = makers
        self._by_instrument: list[Venue] = []

    @property
    def name(self) -> str:
        """All names."""
        return "+".join(self._names)

    @property
    def is_observing(self) -> bool:
        """Whether all of them are."""
        return all(venue.is_observing for venue in self.members.values())

    @property
    def switches(self) -> Sequence[DeadMansSwitch]:
        """Those of all of them."""
        return [switch for venue in self.members.values() for switch in venue.switches]

    @property
    def unknown_events(self) -> Mapping[str, int]:
        """Those of all of them."""
        return {n: k for v in self.members.values() for n, k in v.unknown_events.items()}

    async def load(self) -> Sequence[Instrument]:
        """Load one after the other. Raises: VenueError, InstrumentError."""
        found: list[Instrument] = []
        for name, make in zip(self._names, self._makers, strict=True):
            venue = self.members[name] = make(len(found))
            loaded = await venue.load()
            found += loaded
            self._by_instrument += [venue] * len(loaded)
        return found

    def expect_stragglers(self, sent_ns: int) -> None:
        """Each of them may have some."""
        for venue in self.members.values():
            venue.expect_stragglers(sent_ns)

    def resume_trades(self, told: Mapping[InstrumentId, TradesTold]) -> None:
        """Each of them hears of its own."""
        for venue in self.members.values():
            own = {at: t for at, t in told.items() if self._by_instrument[at] is venue}
            venue.resume_trades(own)

    async def run(self, sink: EventSink) -> None:
        """Keep every venue's connections alive until cancelled; none is quoted before all are reconciled.

        Raises:
            VenueError: As of one of them.
        """
        trading = [name for name, venue in self.members.items() if not venue.is_observing]
        sink = _GatheredSink(sink, trading)
        try:
            async with asyncio.TaskGroup() as group:
                for name, venue in self.members.items():
                    group.create_task(venue.run(sink), name=name)
        except* MmdError as failures:
            raise _first(failures) from failures

    def send(self, command: Approved[Command]) -> None:
        """Pass a command to the venue of its instrument."""
        self._by_instrument[command.command.instrument].send(command)

    async def open_orders_ours(self) -> Sequence[OrderStatus]:
        """Our working orders at all of them. Raises: VenueError."""
        return [s for v in self.members.values() for s in await v.open_orders_ours()]

    async def cancel_ours(self) -> None:
        """Take back all of them; one venue's trouble does not keep the orders of another. Raises: VenueError."""
        failure: MmdError | None = None
        for venue in self.members.values():
            try:
                await venue.cancel_ours()
            except MmdError as error:
                failure = failure or error
        if failure is not None:
            raise failure

    async def balances(self) -> dict[str, tuple[int, int]]:
        """Free and locked atoms by asset, of all accounts together. Raises: VenueError."""
        total: dict[str, tuple[int, int]] = {}
        for venue in self.members.values():
            for asset, (free, locked) in (await venue.balances()).items():
                before = total.get(asset, (0, 0))
                total[asset] = (before[0] + free, before[1] + locked)
        return total

    async def close(self) -> None:
        """Release every connection."""
        for venue in self.members.values():
            await venue.close()


def member(venue: Venue, name: str) -> Venue:
    """The venue of a name: itself, or one of a group."""
    return venue.members[name] if isinstance(venue, VenueGroup) else venue


def _first(failures: BaseExceptionGroup[MmdError]) -> MmdError:
    """The failure to tell."""
    failure: BaseException = failures
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    assert isinstance(failure, MmdError), "a group of nothing else"
    return failure
