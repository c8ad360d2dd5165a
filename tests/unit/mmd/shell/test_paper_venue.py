"""Paper trading: the feed is passed on, orders meet it first, nothing is ever sent."""

import asyncio
from collections.abc import Sequence

from mmd.core.commands import Approved, CancelOrder, Command, PlaceOrder
from mmd.core.events import Balance, Event, FeedUp, PrivateUp, Reconciled
from mmd.core.instrument import Instrument
from mmd.core.market.record import MARKET, SNAPSHOT, TRADE
from mmd.core.ports import EventSink
from mmd.core.risk.gate import GATE_TOKEN
from mmd.core.units import ATOMS_PER_UNIT, ClientOrderId, Side, TimeInForce
from mmd.exchange.fills.record import FRONT
from mmd.jit.kernel import Rec, new
from mmd.shell.clock import SystemClock
from mmd.shell.paper_venue import PaperVenue
from tests.fill_bench import ZERO, kinds
from tests.session import instrument


class Feed:
    """A real venue's adapter, as far as paper trading may use it; `send` would be a breach."""

    name = "embedded"

    def __init__(self) -> None:
        self.closed = False
        self.sink: EventSink | None = None

    async def load(self) -> Sequence[Instrument]:
        return [instrument()]

    async def run(self, sink: EventSink) -> None:
        self.sink = sink
        sink.on_event(FeedUp(1, ZERO))
        sink.on_event(PrivateUp(1, "embedded"))
        sink.on_event(Balance(1, "embedded", "MMD", 5, 0))
        await asyncio.Event().wait()

    def send(self, command: Approved[Command]) -> None:
        raise AssertionError(f"{command.command} left the process")

    async def close(self) -> None:
        self.closed = True


class Sink:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.markets = 0

    def on_market(self, market: Rec) -> None:
        del market
        self.markets += 1

    def on_event(self, event: Event) -> None:
        self.events.append(event)


def market(kind: int, px: tuple[int, int], lots: int, side: int = 0) -> Rec:
    record = new(MARKET)
    record["kind"], record["ts_recv_ns"], record["last"], record["side"] = kind, 9, 1, side
    record["n"][0] = (1, 0) if kind == TRADE else (1, 1)
    record["px"][0, :, 0], record["sz"][0, :, 0] = px, lots
    return record


async def test_a_paper_order_is_filled_by_the_real_feed() -> None:
    """Opening, order, fill and cancel come back as ordinary events; the real account's events do not."""
    feed, sink = Feed(), Sink()
    held = {"MMD": 10 * ATOMS_PER_UNIT, "USDT": 10_000 * ATOMS_PER_UNIT}
    venue = PaperVenue(
        feed,  # type: ignore[arg-type]
        SystemClock(),
        held,
        queue=FRONT,
        entry_s=0.0,
        response_s=0.0,
    )
    await venue.load()
    running = asyncio.create_task(venue.run(sink))
    await asyncio.sleep(0.01)
    assert kinds(sink.events) == ["Balance", "Balance", "Reconciled", "PrivateUp", "FeedUp"]
    assert [e.base_atoms for e in sink.events if isinstance(e, Reconciled)] == [held["MMD"]]
    venue.on_market(market(SNAPSHOT, (100, 102), 50))
    for number, px in ((1, 100), (2, 99)):
        order = PlaceOrder(ZERO, ClientOrderId(number), Side.BUY, px, 5, TimeInForce.POST_ONLY)
        venue.send(Approved(order, gate=GATE_TOKEN))
    await asyncio.sleep(0.01)
    assert [o.client_order_id for o in await venue.open_orders_ours()] == [1, 2]
    venue.on_market(market(TRADE, (100, 0), 5, side=int(Side.SELL)))
    venue.send(Approved(CancelOrder(ZERO, ClientOrderId(2)), gate=GATE_TOKEN))
    await asyncio.sleep(0.01)
    told = kinds(sink.events[5:])
    assert told == ["OrderAccepted", "OrderAccepted", "Fill", "Balance", "Balance", "OrderEnded"]
    assert sink.markets == 2
    assert (await venue.balances())["MMD"] == (held["MMD"] + 500_000, 0)
    await venue.cancel_ours()
    assert await venue.open_orders_ours() == []
    running.cancel()
    await venue.close()
    assert feed.closed
