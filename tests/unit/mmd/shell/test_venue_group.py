"""Several venues behind one port: numbering, routing, and what one's trouble means for the others."""

from collections.abc import Mapping, Sequence

import pytest

from mmd.core.commands import Approved, Command, PlaceOrder
from mmd.core.events import Event, OrderStatus
from mmd.core.instrument import Instrument
from mmd.core.ports import EventSink
from mmd.core.trades_told import TradesTold
from mmd.core.units import ClientOrderId, InstrumentId, Side, TimeInForce
from mmd.errors import VenueError
from mmd.jit.kernel import Rec
from mmd.shell.venue_group import VenueGroup, member
from tests.session import instrument


class Recorded:
    """A venue of so many instruments that notes what is asked of it."""

    def __init__(self, name: str, count: int, first: int, *, fails: bool = False) -> None:
        self.name = name
        self.sent: list[Command] = []
        self.canceled = self.closed = self.is_observing = False
        self.stragglers_ns = 0
        self.unknown_events = {name: count}
        self._fails = fails
        self._instruments = [
            instrument(id=InstrumentId(first + k), venue=name, symbol=f"S{k}") for k in range(count)
        ]

    async def load(self) -> Sequence[Instrument]:
        return self._instruments

    async def run(self, sink: EventSink) -> None:
        del sink
        if self._fails:
            raise VenueError(f"{self.name} is gone")

    def expect_stragglers(self, sent_ns: int) -> None:
        self.stragglers_ns = sent_ns

    def resume_trades(self, told: Mapping[InstrumentId, TradesTold]) -> None:
        self.told = told

    def send(self, command: Approved[Command]) -> None:
        self.sent.append(command.command)

    async def open_orders_ours(self) -> Sequence[OrderStatus]:
        number = self._instruments[0].id
        return [OrderStatus(1, number, ClientOrderId(1), True, True, 1, Side.BUY, 1, 1, 0)]

    async def cancel_ours(self) -> None:
        if self._fails:
            raise VenueError(f"{self.name} does not answer")
        self.canceled = True

    async def balances(self) -> dict[str, tuple[int, int]]:
        return {"USDT": (5, 1), self.name: (1, 0)}

    async def close(self) -> None:
        self.closed = True


class Listener:
    """A driver that takes no notice."""

    def on_market(self, market: Rec) -> None:
        del market

    def on_event(self, event: Event) -> None:
        del event


class _Passed:
    """What a gate's Approved looks like to a venue."""

    def __init__(self, number: int) -> None:
        order_id = ClientOrderId(1)
        self.command = PlaceOrder(
            InstrumentId(number), order_id, Side.BUY, 1, 1, TimeInForce.POST_ONLY
        )


def group_of(*, fails: bool = False) -> VenueGroup:
    return VenueGroup(
        ["one", "two"],
        [
            lambda first: Recorded("one", 2, first, fails=fails),
            lambda first: Recorded("two", 1, first),
        ],
    )


async def test_instruments_are_numbered_through_and_commands_find_their_venue() -> None:
    """The second venue's first instrument is number 2."""
    group = group_of()
    assert [(i.id, i.venue) for i in await group.load()] == [(0, "one"), (1, "one"), (2, "two")]
    for number in (0, 2, 1):
        group.send(_Passed(number))  # type: ignore[arg-type]
    one, two = group.members["one"], group.members["two"]
    assert isinstance(one, Recorded)
    assert isinstance(two, Recorded)
    assert [c.instrument for c in one.sent] == [0, 1]
    assert [c.instrument for c in two.sent] == [2]
    assert member(group, "two") is two
    assert member(two, "anything") is two


async def test_orders_and_balances_are_of_all_together() -> None:
    """Holdings of one asset add up."""
    group = group_of()
    await group.load()
    assert [s.instrument for s in await group.open_orders_ours()] == [0, 2]
    assert await group.balances() == {"USDT": (10, 2), "one": (1, 0), "two": (1, 0)}
    await group.close()
    assert all(v.closed for v in group.members.values() if isinstance(v, Recorded))


async def test_one_that_fails_is_told_and_the_others_are_canceled_all_the_same() -> None:
    """Its own error, not a group of errors."""
    group = group_of(fails=True)
    await group.load()
    two = group.members["two"]
    assert isinstance(two, Recorded)
    with pytest.raises(VenueError, match="one does not answer"):
        await group.cancel_ours()
    assert two.canceled
    with pytest.raises(VenueError, match="one is gone"):
        await group.run(Listener())


async def test_stragglers_of_an_earlier_process_are_expected_everywhere() -> None:
    """It may have sent its last order to any of them."""
    group = group_of()
    await group.load()
    group.expect_stragglers(77)
    assert [v.stragglers_ns for v in group.members.values()] == [77, 77]  # type: ignore[attr-defined]
    assert not group.is_observing


async def test_each_venue_hears_of_its_own_trades() -> None:
    """Instruments are numbered through."""
    group = group_of()
    numbers = [i.id for i in await group.load()]
    told = {at: TradesTold(100 + at) for at in numbers}
    group.resume_trades(told)
    heard = [v.told for v in group.members.values()]  # type: ignore[attr-defined]
    assert [t for some in heard for t in some.values()] == list(told.values())
    assert all(len(some) > 0 for some in heard)
