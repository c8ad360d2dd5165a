"""A trader's connection to a venue that fails as networks and venues do, and reacts as the adapter does."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from adapters.binance_spot.account_state import AccountState
from adapters.binance_spot.reconcile import Reconciler
from mmd.core.commands import Command, ResyncBook
from mmd.core.events import Balance, ClockOffset, Event, InstrumentStatus, RejectReason
from mmd.core.instrument import Instrument
from mmd.core.trades_told import TradesTold
from mmd.core.units import InstrumentId
from mmd.simulation.account_api import SimulatedAccountApi
from mmd.simulation.agenda import Agenda
from mmd.simulation.channel import Carrier
from mmd.simulation.fault import Fault, FaultKind
from mmd.simulation.feed_session import SILENCE_NS, FeedSession
from mmd.simulation.guard import GuardedVenue
from mmd.simulation.link import Receiver
from mmd.simulation.market_frames import Frame
from mmd.simulation.order_gateway import OrderGateway
from mmd.simulation.order_service import OrderService
from mmd.simulation.order_session import AccountSide, OrderSession
from mmd.simulation.process_time import ProcessTime
from mmd.simulation.venue import SimulatedVenue
from mmd.simulation.virtual_rest import VirtualRest, pause
from mmd.simulation.weather import Weather

_MS: Final = 1_000_000
_LOOK_NS: Final = 60_000 * _MS
"""As clock_check_s and rules_check_s."""
_SOONEST_NS: Final = 2_000 * _MS
_MEASURED_NS: Final = 10 * _MS
_CLOCK_JUMP_MS: Final = 10_000


class VirtualClock:
    """Engine time of a simulated process; implements `mmd.core.ports.Clock`."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda

    def monotonic_ns(self) -> int:
        """Virtual time."""
        return self._agenda.now_ns

    def unix_ns(self) -> int:
        """The same."""
        return self._agenda.now_ns


class FaultyLink:
    """One process's connection to one venue.

    Attributes:
        venue, gateway: where to, and the account there.
        feed, orders: its two halves.
        service: the venue's end of order entry.
        told_trading: by instrument, whether the trader was told last that it trades.
    """

    def __init__(
        self,
        venue: SimulatedVenue,
        account: str,
        markets: Mapping[InstrumentId, int],
        instruments: Mapping[InstrumentId, Instrument],
        weather: Weather,
        rng: np.random.Generator,
        time: ProcessTime,
    ) -> None:
        """Markets are the venue's numbers by the trader's; `time` is that of the trader's process."""
        self.venue = venue
        self.gateway = OrderGateway(venue.name, account, venue.exchange, markets)
        self.told_trading = dict.fromkeys(markets, True)
        self._agenda, self._weather = time, weather
        self._receiver: Receiver | None = None
        self._is_closed = self._is_measuring = False
        self._looked_ns = 0
        self._look_due_ns = 0
        ways = [_ordinary(rng) for _ in range(6)]
        self._guardian_ways = ways[3], ways[4]
        self._rest = VirtualRest(venue.agenda, ways[3], ways[4], weather, time)
        by_market = {market: instruments[at] for at, market in markets.items()}
        self._api = SimulatedAccountApi(venue, self, by_market)
        state = self._state = AccountState(markets)
        traded = tuple(by_market.values())
        self._symbols = [instrument.symbol for instrument in traded]
        clock = VirtualClock(venue.agenda)
        reconciler = Reconciler(venue.name, traded, self._api, state, clock, pause)
        self.service = OrderService(venue, self, weather)
        self.service.on_refused = self._on_refused
        self.feed = FeedSession(
            venue,
            self.gateway.instruments,
            (ways[0], ways[3], ways[4]),
            weather,
            self._on_frame,
            self._tell_here,
            time,
        )
        self.orders = OrderSession(
            venue.name,
            time,
            (ways[1], ways[2]),
            weather,
            AccountSide(self.service, state, reconciler, self._rest),
            self._tell_here,
            rng,
        )
        venue.connect(self)

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing about orders or the account is on its way."""
        return self.orders.is_at_rest

    def open(self, receiver: Receiver) -> None:
        """Connect: the clock is compared, books and account follow."""
        self._receiver = receiver
        self._measure()
        self._agenda.at(self._agenda.now_ns + _LOOK_NS, self._check_clock)
        self._schedule_look(self._agenda.now_ns + _LOOK_NS)
        self.feed.open()
        self.orders.open()

    def resume_trades(self, told: Mapping[InstrumentId, TradesTold]) -> None:
        """As the adapter: the first reconciliation tells what was traded since."""
        for instrument in self.gateway.markets.keys() & told.keys():
            self._state.resume_trades(instrument, told[instrument])

    def close(self) -> None:
        """The process is gone."""
        self._is_closed = True
        self.feed.close()
        self.orders.close()
        self._rest.close()
        self.venue.disconnect(self)

    def guarded(self) -> GuardedVenue:
        """The venue as a guardian reaches it: over a way of its own, which dies with nobody."""
        out, back = self._guardian_ways
        rest = VirtualRest(self.venue.agenda, out, back, self._weather)
        return GuardedVenue(self.venue.name, self._symbols, self._api, rest)

    def send(self, command: Command, sent_ns: int) -> None:
        """A request leaves the trader."""
        if isinstance(command, ResyncBook):
            self.feed.resync(command.instrument)
        else:
            self.orders.send(command, sent_ns)

    def publish(self, market: int, frame: Frame) -> None:
        """Market data leaves the venue."""
        self.feed.publish(market, frame)

    def tell(self, event: Event) -> None:
        """Something about the account leaves the venue."""
        if isinstance(event, Balance):
            self._api.updated_ms = self._agenda.now_ns // _MS
        self.orders.tell(event)

    def begin(self, fault: Fault) -> None:
        """Suffer what a fault does at its beginning; what it does to messages is the weather's."""
        match fault.kind:
            case FaultKind.FEED_DOWN | FaultKind.SNAPSHOT_LATE | FaultKind.SNAPSHOT_OLD:
                if fault.kind is FaultKind.SNAPSHOT_OLD:
                    self.feed.keep_snapshots()
                self.feed.lose("simulated reset")
            case FaultKind.ENTRY_DOWN:
                self.orders.lose("simulated reset")
            case FaultKind.HALF_OPEN if fault.length_ms * _MS >= SILENCE_NS:
                self._agenda.at(
                    self._agenda.now_ns + SILENCE_NS, lambda _: self.orders.lose("silent")
                )
            case FaultKind.CLOCK_JUMP:
                self.service.clock_ahead_ns = (
                    self._weather.draw(fault.kind, -_CLOCK_JUMP_MS, _CLOCK_JUMP_MS) * _MS
                )
            case _:
                pass

    def end(self, fault: Fault) -> None:
        """Clocks go right again."""
        if fault.kind is FaultKind.CLOCK_JUMP:
            self.service.clock_ahead_ns = 0

    def _on_refused(self, reason: RejectReason) -> None:
        """As the adapter's venue: the clock is measured, or the rules are read, when a refusal asks for it."""
        if reason is RejectReason.CLOCK and not self._is_measuring:
            self._is_measuring = True
            self._agenda.at(self._agenda.now_ns + _MEASURED_NS, lambda _: self._measure())
        elif reason is RejectReason.NOT_TRADING:
            self._schedule_look(max(self._agenda.now_ns, self._looked_ns + _SOONEST_NS))

    def _check_clock(self, _: object) -> None:
        if not self._is_closed:
            self._measure()
            self._agenda.at(self._agenda.now_ns + _LOOK_NS, self._check_clock)

    def _measure(self) -> None:
        self._is_measuring = False
        if self._is_closed:
            return
        service = self.service
        service.clock_anchor_ns = service.clock_ahead_ns
        now_ns, name = self._agenda.now_ns, self.venue.name
        self._tell_here(ClockOffset(now_ns, name, service.clock_ahead_ns, 2 * _MS))

    def _schedule_look(self, due_ns: int) -> None:
        self._look_due_ns = due_ns
        self._agenda.at(due_ns, self._look, due_ns)

    def _look(self, due_ns: int) -> None:
        """Read what may be done with each instrument, and tell what has changed."""
        if self._is_closed or due_ns != self._look_due_ns:
            return
        now_ns = self._looked_ns = self._agenda.now_ns
        self._schedule_look(now_ns + _LOOK_NS)
        for market, at in self.gateway.instruments.items():
            status = self.venue.exchange.markets[market].status
            is_trading = status == status.TRADING
            if is_trading != self.told_trading[at]:
                self.told_trading[at] = is_trading
                self._tell_here(InstrumentStatus(now_ns, at, status))

    def _on_frame(self, frame: Frame) -> None:
        assert self._receiver is not None, "the link is not open"
        self._receiver.on_frame(frame)

    def _tell_here(self, event: Event) -> None:
        assert self._receiver is not None, "the link is not open"
        if not self._is_closed:
            self._receiver.on_event(event)


def _ordinary(rng: np.random.Generator) -> Carrier:
    """A millisecond and what a jittery network adds to it."""
    draws = (rng.lognormal(0.0, 0.5, 1024) * _MS).astype(np.int64).tolist()
    at = 0

    def carry(sent_ns: int) -> tuple[int, ...]:
        nonlocal at
        at = (at + 1) & 1023
        return (sent_ns + draws[at],)

    return carry
