"""A venue on virtual time: the interactive exchange, its strangers, its feed, and the links of those who trade there."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from mmd.core.commands import Command
from mmd.core.events import Event
from mmd.core.instrument import Instrument
from mmd.exchange.exchange import Exchange
from mmd.exchange.executions import BalanceChange, ExchangeEvent, Execution, PublicTrade
from mmd.exchange.flow_interactive import InteractiveFlow
from mmd.exchange.presets import FlowPreset, PriceLink
from mmd.simulation.agenda import Agenda
from mmd.simulation.market_frames import Frame, MarketFrames
from mmd.simulation.order_gateway import OrderGateway

FLUSH_NS = 100_000_000
PARTIAL_EVERY = 10
"""Flushes between two partial books."""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A market to open: its instrument, numbered by its place at the venue, and who trades in it."""

    instrument: Instrument
    preset: FlowPreset
    link: PriceLink | None = None
    """Where its efficient price comes from; None: its own."""


class Client(Protocol):
    """Somebody who is connected; what reaches him, and when, is his own business."""

    @property
    def gateway(self) -> OrderGateway:
        """Whose account, and how he numbers the markets."""
        ...

    def publish(self, market: int, frame: Frame) -> None:
        """Public market data leaves the venue."""
        ...

    def tell(self, event: Event) -> None:
        """Something about his account leaves the venue."""
        ...


class _OpenMarket:
    """One market's feed and flow."""

    def __init__(self, listing: Listing, number: int, venue: "SimulatedVenue", seed: int) -> None:
        market = venue.exchange.markets[number]
        self.number = number
        self.frames = MarketFrames(market)
        self.flow = InteractiveFlow(
            listing.preset, seed, venue.exchange, market, venue.agenda.now_ns, listing.link
        )
        self.flushes = 0


class SimulatedVenue:
    """One venue.

    Attributes:
        name: as instruments and balances call it.
        exchange: accounts, books, orders.
        opening: atoms by asset that each account began with.
        is_feed_silent: no market data leaves, by the preset's phases or because a fault says so.
        on_execution: called with the venue's name and each thing that happens to an account's order.
    """

    def __init__(
        self,
        name: str,
        listings: Sequence[Listing],
        balances: dict[str, dict[str, int]],
        agenda: Agenda,
        seed: int,
    ) -> None:
        """Open the markets now; balances are atoms by asset, by account."""
        self.name = name
        self.agenda = agenda
        self.exchange = Exchange([x.instrument for x in listings], balances)
        self.opening = {account: dict(assets) for account, assets in balances.items()}
        self.is_feed_silent = False
        self.on_execution: Callable[[str, Execution], None] | None = None
        self._markets = [_OpenMarket(x, n, self, seed) for n, x in enumerate(listings)]
        self._clients: list[Client] = []
        for market in self._markets:
            agenda.at(market.flow.next_ns, self._play, market)
            agenda.at(agenda.now_ns + FLUSH_NS, self._flush, market)

    def connect(self, client: Client) -> None:
        """Somebody will be told from now on."""
        self._clients.append(client)

    def disconnect(self, client: Client) -> None:
        """Somebody is gone for good."""
        self._clients.remove(client)

    def flow(self, market: int) -> InteractiveFlow:
        """A market's strangers."""
        return self._markets[market].flow

    def snapshot(self, market: int) -> Frame:
        """A market's book as it stands, for one who asks."""
        return self._markets[market].frames.snapshot(self.agenda.now_ns)

    def request(self, client: Client, command: Command) -> None:
        """A command arrives."""
        for event in self.carry_out(client, command)[0]:
            client.tell(event)

    def carry_out(
        self, client: Client, command: Command
    ) -> tuple[list[Event], list[ExchangeEvent]]:
        """Do what a command asks for and tell all whom it concerns, except for the answer, which is returned."""
        answers, happened = client.gateway.request(command, self.agenda.now_ns)
        self._tell_all(happened)
        for market in self._markets:
            self._publish_top(market)
        return answers, happened

    def _play(self, market: _OpenMarket) -> None:
        """The next thing that a stranger does."""
        happened = market.flow.step()
        if happened:
            self._tell_all(happened)
        self._publish_top(market)
        self.agenda.at(market.flow.next_ns, self._play, market)

    def _flush(self, market: _OpenMarket) -> None:
        """Publish what changed, ten times a second."""
        now_ns = self.agenda.now_ns
        self.agenda.at(now_ns + FLUSH_NS, self._flush, market)
        diff = market.frames.diff(now_ns)
        if diff is None:
            return
        self._publish(market, diff)
        market.flushes += 1
        if market.flushes % PARTIAL_EVERY == 0:
            self._publish(market, market.frames.partial(now_ns))

    def _tell_all(self, happened: list[ExchangeEvent]) -> None:
        """Accounts hear of their orders, everybody of trades, in the order in which it happened."""
        now_ns = self.agenda.now_ns
        for event in happened:
            if isinstance(event, PublicTrade):
                market = self._markets[event.instrument]
                self._publish(market, market.frames.trade(event))
            elif isinstance(event, Execution):
                if self.on_execution is not None:
                    self.on_execution(self.name, event)
                self._tell(event.order.account, event, now_ns)
            elif isinstance(event, BalanceChange):
                self._tell(event.account, event, now_ns)

    def _tell(self, account: str, event: Execution | BalanceChange, now_ns: int) -> None:
        for client in self._clients:
            if client.gateway.account == account:
                for told in client.gateway.told(event, now_ns):
                    client.tell(told)

    def _publish_top(self, market: _OpenMarket) -> None:
        top = market.frames.top()
        if top is not None:
            self._publish(market, top)

    def _publish(self, market: _OpenMarket, frame: Frame) -> None:
        """Market data that nobody gets is lost, and ids go on: receivers see the gap."""
        if self.is_feed_silent or market.flow.is_feed_silent:
            return
        for client in self._clients:
            client.publish(market.number, frame)
