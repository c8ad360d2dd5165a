"""The venue's end of order entry: checks what every request is checked for, carries it out, answers it."""

from collections.abc import Callable, Iterable
from typing import Final

from adapters.binance_spot.api_session import TradesOf
from adapters.binance_spot.order_replies import refused, timed_out
from adapters.binance_spot.rejects import INVALID_TIMESTAMP, TOO_MANY_REQUESTS
from mmd.core.commands import Command, PlaceOrder, QueryOrder, ReplaceOrder
from mmd.core.events import (
    CancelRejected,
    Event,
    Fill,
    OrderRejected,
    OrderStatus,
    RejectReason,
    RequestTimedOut,
)
from mmd.exchange.executions import ExchangeEvent, Execution, ExecutionKind
from mmd.simulation.fault import FaultKind
from mmd.simulation.venue import Client, SimulatedVenue
from mmd.simulation.weather import Weather

_MS: Final = 1_000_000
_RECEIVE_WINDOW_NS: Final = 2_000 * _MS
_FUTURE_NS: Final = 1_000 * _MS
"""How far ahead of the venue a timestamp may be. Source: rest-api.md, "Timing security"."""
_ORDER_REASONS: Final = tuple(
    r for r in RejectReason if r not in (RejectReason.UNKNOWN_ORDER, RejectReason.DUPLICATE)
)
_CHANGE_REASONS: Final = (
    RejectReason.OTHER,
    RejectReason.UNKNOWN_ORDER,
    RejectReason.RATE_LIMIT,
    RejectReason.CLOCK,
    RejectReason.SIGNATURE,
)
Purpose = Command | TradesOf
"""What a request is about: a command, or the trades of an order that is asked about."""
_ANSWERS: Final = frozenset({ExecutionKind.NEW, ExecutionKind.CANCELED, ExecutionKind.REPLACED})


class OrderService:
    """Serves one account.

    Attributes:
        clock_ahead_ns: the venue's clock less the trader's.
        clock_anchor_ns: what the trader takes that for.
        postdated: orders that the venue would have refused at once, because their time was yet to come for it; those that
            were held up on the way it takes for as much longer.
        on_served: called after a request was carried out.
        on_refused: called with each reason for which a request was turned down.
    """

    def __init__(self, venue: SimulatedVenue, client: Client, weather: Weather) -> None:
        self._venue, self._client, self._weather = venue, client, weather
        self.clock_ahead_ns = self.clock_anchor_ns = 0
        self.postdated: set[int] = set()
        self.on_served: Callable[[Command], None] | None = None
        self.on_refused: Callable[[RejectReason], None] | None = None

    def stamp(self, purpose: Purpose, now_ns: int) -> int:
        """The time that a request sent now carries: the trader's clock, put right by what it measured last.

        It is the trader's clock that steps: what is on its way keeps its time, as the venue's clock goes on.
        """
        error_ns = self.clock_anchor_ns - self.clock_ahead_ns
        if error_ns > _FUTURE_NS and isinstance(purpose, PlaceOrder | ReplaceOrder):
            self.postdated.add(purpose.client_order_id)
        return now_ns + error_ns

    def serve(self, command: Command, stamp_ns: int) -> tuple[Iterable[Event], int]:
        """Answer a request; with it goes the time until which the venue wants no other, 0 for none."""
        now_ns, weather = self._venue.agenda.now_ns, self._weather
        age_ns = now_ns - stamp_ns
        if age_ns > _RECEIVE_WINDOW_NS or age_ns < -_FUTURE_NS:
            return self._refuse(command, RejectReason.CLOCK, INVALID_TIMESTAMP), 0
        if weather.has(FaultKind.BAN):
            why = RejectReason.RATE_LIMIT
            retry_ns = weather.until_ns(FaultKind.BAN)
            return self._refuse(command, why, TOO_MANY_REQUESTS), retry_ns
        if weather.strikes(FaultKind.REJECT, 0.2):
            is_order = isinstance(command, PlaceOrder | ReplaceOrder)
            reasons = _ORDER_REASONS if is_order else _CHANGE_REASONS
            reason = reasons[weather.draw(FaultKind.REJECT, 0, len(reasons))]
            return self._refuse(command, reason, -1), 0
        if weather.strikes(FaultKind.FATE_UNKNOWN, 0.4):
            if weather.strikes(FaultKind.FATE_UNKNOWN, 0.5):
                self._carry_out(command)
            return list(timed_out(command, now_ns)), 0
        return self._carry_out(command), 0

    def fills_of(self, status: OrderStatus) -> list[Fill]:
        """All trades of one order."""
        now_ns, gateway = self._venue.agenda.now_ns, self._client.gateway
        trades = gateway.trades_after({}, now_ns)
        return [t for t in trades if t.client_order_id == status.client_order_id]

    def _refuse(self, command: Command, reason: RejectReason, code: int) -> list[Event]:
        if self.on_refused is not None:
            self.on_refused(reason)
        text = f"simulated: {reason.name}"
        return list(refused(command, reason, code, text, self._venue.agenda.now_ns))

    def _carry_out(self, command: Command) -> list[Event]:
        """Do it; the answer repeats what the account's stream says of it."""
        answers, happened = self._venue.carry_out(self._client, command)
        for event in happened if not isinstance(command, QueryOrder) else ():
            answers += self._told(event)
        if self.on_served is not None:
            self.on_served(command)
        for answer in answers:
            if isinstance(answer, OrderRejected | CancelRejected) and self.on_refused is not None:
                self.on_refused(answer.reason)
        return answers

    def _told(self, event: ExchangeEvent) -> list[Event]:
        gateway = self._client.gateway
        if not isinstance(event, Execution) or event.order.account != gateway.account:
            return []
        if event.kind not in _ANSWERS:
            return []
        return list(gateway.told(event, self._venue.agenda.now_ns))


def unanswered(purpose: Purpose, now_ns: int) -> Iterable[Event]:
    """What is to be made of a request that has no answer."""
    if isinstance(purpose, TradesOf):
        status = purpose.status
        return (RequestTimedOut(now_ns, status.instrument, status.client_order_id),)
    return timed_out(purpose, now_ns)
