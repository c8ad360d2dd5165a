"""Paper trading: a real venue's market data, and orders that never leave the process.

The adapter runs as it does to observe; what it brings goes first to a simulated exchange, where our orders stand in
queue models, and then to the driver. Requests and answers take the configured delays.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from mmd.core.commands import Approved, CancelAll, Command, QueryOrder
from mmd.core.events import (
    Balance,
    Event,
    FeedUp,
    OrderStatus,
    PrivateDown,
    PrivateUp,
    Reconciled,
)
from mmd.core.instrument import Instrument
from mmd.core.market.record import DIFF, SNAPSHOT, TOP, TRADE
from mmd.core.ports import Clock, DeadMansSwitch, EventSink, Venue
from mmd.core.trades_told import TradesTold
from mmd.core.units import InstrumentId, Side
from mmd.exchange.fills.fill_exchange import FillExchange
from mmd.jit.kernel import Rec

_BOOK_KINDS = (SNAPSHOT, DIFF, TOP)
_PRIVATE = (PrivateUp, PrivateDown, Balance, Reconciled)
"""Events of a real account, which is not the one that trades here."""


class PaperVenue:
    """A `mmd.core.ports.Venue` round another one, of which only the market data is used."""

    def __init__(
        self,
        feed: Venue,
        clock: Clock,
        balances: dict[str, int],
        *,
        queue: int,
        entry_s: float = 0.001,
        response_s: float = 0.001,
    ) -> None:
        """Prepare to trade on paper.

        Args:
            feed: the real venue's adapter, set to observe.
            clock: shared by everything.
            balances: atoms by asset that the account starts with; each instrument has an account of its own.
            queue: code of a queue model (mmd.exchange.fills.record).
            entry_s: from us to the simulated exchange.
            response_s: and back.
        """
        self._feed = feed
        self._clock = clock
        self._opening = balances
        self._queue = queue
        self._delays_s = (entry_s, response_s)
        self._exchanges: dict[InstrumentId, FillExchange] = {}
        self._sink: EventSink | None = None

    @property
    def name(self) -> str:
        """The real venue's."""
        return self._feed.name

    @property
    def is_observing(self) -> bool:
        """Never: the account on paper is there from the beginning."""
        return False

    @property
    def switches(self) -> Sequence[DeadMansSwitch]:
        """None: orders on paper die with their process."""
        return ()

    @property
    def unknown_events(self) -> Mapping[str, int]:
        """The real venue's."""
        return self._feed.unknown_events

    @property
    def exchanges(self) -> dict[InstrumentId, FillExchange]:
        """The simulated exchange of each instrument, once loaded."""
        return self._exchanges

    async def load(self) -> Sequence[Instrument]:
        """The real instruments' rules; a simulated exchange opens for each. Raises: VenueError, InstrumentError."""
        instruments = await self._feed.load()
        for at in instruments:
            held = {asset: self._opening.get(asset, 0) for asset in (at.base, at.quote)}
            self._exchanges[at.id] = FillExchange(at, held, model=self._queue)
        return instruments

    def expect_stragglers(self, sent_ns: int) -> None:
        """Orders on paper die with their process."""

    def resume_trades(self, told: Mapping[InstrumentId, TradesTold]) -> None:
        """Nothing is traded on paper while no process runs."""

    async def run(self, sink: EventSink) -> None:
        """Keep the real feed alive until cancelled."""
        self._sink = sink
        now_ns = self._clock.monotonic_ns()
        for exchange in self._exchanges.values():
            for event in exchange.opening(now_ns):
                sink.on_event(event)
        sink.on_event(PrivateUp(now_ns, self.name))
        await self._feed.run(self)

    def on_market(self, market: Rec) -> None:
        """A frame of the real venue: our orders meet it first, then the driver sees it."""
        exchange = self._exchanges[InstrumentId(int(market["instrument"][0]))]
        kind = int(market["kind"][0])
        if kind in _BOOK_KINDS:
            exchange.on_book(market)
        elif kind == TRADE:
            row = market[0]
            price, lots = int(row["px"][0, 0]), int(row["sz"][0, 0])
            exchange.on_trade(Side(int(row["side"])), price, lots, int(row["ts_recv_ns"]))
        if exchange.has_fills:
            self._answer(list(exchange.collect()))
        self._driver.on_market(market)

    def on_event(self, event: Event) -> None:
        """Anything else that the feed says; the real account's affairs are none of ours."""
        if isinstance(event, FeedUp):
            self._exchanges[event.instrument].forget_book()
        if not isinstance(event, _PRIVATE):
            self._driver.on_event(event)

    def send(self, command: Approved[Command]) -> None:
        """Put a command on its way to the simulated exchange."""
        asyncio.get_running_loop().call_later(self._delays_s[0], self._arrive, command.command)

    async def open_orders_ours(self) -> Sequence[OrderStatus]:
        """Orders that rest at the simulated exchanges."""
        found: list[OrderStatus] = []
        for exchange in self._exchanges.values():
            now_ns = self._clock.monotonic_ns()
            for number in exchange.order_ids:
                query = QueryOrder(exchange.instrument.id, number)
                told = exchange.receive(query, now_ns)
                found += [e for e in told if isinstance(e, OrderStatus)]
        return found

    async def cancel_ours(self) -> None:
        """Take all of them back."""
        for exchange in self._exchanges.values():
            command = CancelAll(exchange.instrument.id)
            self._answer(list(exchange.receive(command, self._clock.monotonic_ns())))

    async def balances(self) -> dict[str, tuple[int, int]]:
        """Free and locked atoms by asset, of all accounts together."""
        total: dict[str, tuple[int, int]] = {}
        for exchange in self._exchanges.values():
            account = exchange.account
            for asset, atoms in account.free.items():
                free, locked = total.get(asset, (0, 0))
                total[asset] = (free + atoms, locked + account.locked.get(asset, 0))
        return total

    async def close(self) -> None:
        """Release the real venue's connections."""
        await self._feed.close()

    @property
    def _driver(self) -> EventSink:
        assert self._sink is not None, "the venue is not running"
        return self._sink

    def _arrive(self, command: Command) -> None:
        exchange = self._exchanges[command.instrument]
        self._answer(list(exchange.receive(command, self._clock.monotonic_ns())))

    def _answer(self, events: Iterable[Event]) -> None:
        asyncio.get_running_loop().call_later(self._delays_s[1], self._deliver, events)

    def _deliver(self, events: Iterable[Event]) -> None:
        now_ns = self._clock.monotonic_ns()
        for event in events:
            self._driver.on_event(msgspec.structs.replace(event, ts_recv_ns=now_ns))
