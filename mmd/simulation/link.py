"""A trader's connection to a venue: market data one way, requests the other, answers back, each with its delay."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec
import numpy as np

from mmd.core.commands import Command, ResyncBook
from mmd.core.events import (
    ClockOffset,
    Event,
    FeedDown,
    FeedUp,
    PrivateDown,
    PrivateUp,
    Reconciled,
)
from mmd.core.units import InstrumentId
from mmd.exchange.fills.latency import Latency, constant
from mmd.simulation.channel import Channel, carrier
from mmd.simulation.market_frames import Frame, receive
from mmd.simulation.order_gateway import OrderGateway
from mmd.simulation.venue import SimulatedVenue

_MS = 1_000_000


class LinkDelays(msgspec.Struct, frozen=True, kw_only=True):
    """How far away a venue is."""

    feed: Latency = constant(_MS)
    entry: Latency = constant(_MS)
    response: Latency = constant(_MS)


class Receiver(Protocol):
    """Who is at this end."""

    def on_frame(self, frame: Frame) -> None:
        """A packed market record that carries its receiver's number and time."""
        ...

    def on_event(self, event: Event) -> None:
        """Any other event."""
        ...


class Link:
    """One account's connection.

    Attributes:
        gateway: the account at the venue.
        feed, entry, response: the channels; give them another carrier to make them worse.
        is_feed_up, is_private_up: whether each part is connected.
    """

    def __init__(
        self,
        venue: SimulatedVenue,
        account: str,
        markets: Mapping[InstrumentId, int],
        delays: LinkDelays,
        rng: np.random.Generator,
    ) -> None:
        """Markets are the venue's numbers by the trader's; rng draws delays that are not constant."""
        self.venue = venue
        self.gateway = OrderGateway(venue.name, account, venue.exchange, markets)
        agenda = venue.agenda
        self.feed: Channel[tuple[int, Frame]]
        self.feed = Channel(agenda, carrier(delays.feed, rng), self._on_frame)
        self.entry: Channel[Command]
        self.entry = Channel(agenda, carrier(delays.entry, rng), self._on_request)
        self.response: Channel[Event]
        self.response = Channel(agenda, carrier(delays.response, rng), self._on_answer)
        self.is_feed_up = self.is_private_up = False
        self._agenda = agenda
        self._receiver: Receiver | None = None
        self._fill_ids: dict[InstrumentId, int] = {}
        """Up to which trade each instrument was reconciled: later ones are fetched again, whether told or not."""
        venue.connect(self)

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing about orders or the account is on its way."""
        return self.is_private_up and self.entry.in_flight == 0 == self.response.in_flight

    def open(self, receiver: Receiver) -> None:
        """Connect: the clock is compared, books and account follow."""
        self._receiver = receiver
        receiver.on_event(ClockOffset(self._agenda.now_ns, self.venue.name, 0, 2 * _MS))
        self.restore_feed()
        self.restore_private()

    def send(self, command: Command, sent_ns: int) -> None:
        """A request leaves the trader."""
        if self.is_private_up:
            self.entry.send(command, sent_ns)

    def publish(self, market: int, frame: Frame) -> None:
        """Market data leaves the venue; what this account does not trade is not subscribed to."""
        if self.is_feed_up and market in self.gateway.instruments:
            self.feed.send((market, frame), self._agenda.now_ns)

    def tell(self, event: Event) -> None:
        """Something about the account leaves the venue."""
        if self.is_private_up:
            self.response.send(event, self._agenda.now_ns)

    def break_feed(self, reason: str) -> None:
        """Market data is lost, and the trader notices."""
        self.is_feed_up = False
        self.feed.cut()
        self._each_instrument(lambda at, now_ns: FeedDown(now_ns, at, reason))

    def restore_feed(self) -> None:
        """Market data is connected again; a snapshot comes first."""
        self.is_feed_up = True
        self._each_instrument(lambda at, now_ns: FeedUp(now_ns, at))
        for market in self.gateway.instruments:
            self.publish(market, self.venue.snapshot(market))

    def break_private(self, reason: str) -> None:
        """Order entry is lost with all that is on its way, and the trader notices."""
        self.is_private_up = False
        self.entry.cut()
        self.response.cut()
        self._tell_here(PrivateDown(self._agenda.now_ns, self.venue.name, reason))

    def restore_private(self) -> None:
        """Order entry is connected again: missed fills, orders and holdings are fetched first."""
        self.is_private_up = True
        now_ns = self._agenda.now_ns
        for event in self._reconciliation(now_ns):
            self.tell(event)

    def _reconciliation(self, now_ns: int) -> list[Event]:
        gateway, account = self.gateway, self.venue.exchange.accounts[self.gateway.account]
        missed = list(gateway.trades_after(self._fill_ids, now_ns))
        self._fill_ids |= {fill.instrument: fill.trade_id for fill in missed}
        found: list[Event] = [*missed]
        found += gateway.open_orders(now_ns)
        found += gateway.balances(now_ns)
        for market, at in gateway.instruments.items():
            asset = self.venue.exchange.markets[market].instrument.base
            found.append(Reconciled(now_ns, self.venue.name, at, account.total(asset)))
        return [*found, PrivateUp(now_ns, self.venue.name)]

    def _each_instrument(self, event: Callable[[InstrumentId, int], Event]) -> None:
        for at in self.gateway.instruments.values():
            self._tell_here(event(at, self._agenda.now_ns))

    def _tell_here(self, event: Event) -> None:
        assert self._receiver is not None, "the link is not open"
        self._receiver.on_event(event)

    def _on_frame(self, sent: tuple[int, Frame]) -> None:
        market, frame = sent
        assert self._receiver is not None, "the link is not open"
        at = self.gateway.instruments[market]
        self._receiver.on_frame(receive(frame, at, self._agenda.now_ns))

    def _on_request(self, command: Command) -> None:
        """A request reaches the venue; a new snapshot comes by the feed."""
        if isinstance(command, ResyncBook):
            at = command.instrument
            market = next(m for m, i in self.gateway.instruments.items() if i == at)
            self.publish(market, self.venue.snapshot(market))
        else:
            self.venue.request(self, command)

    def _on_answer(self, event: Event) -> None:
        self._tell_here(msgspec.structs.replace(event, ts_recv_ns=self._agenda.now_ns))
