"""The engine: `apply` what happened, `decide` what to do. No clock, no I/O, no logging.

Everything that it depends on is in its SessionSpec and in the events applied to it, so the same events
give the same commands, byte for byte: live, on paper, in a backtest and in a post-mortem.
"""

from collections.abc import Callable, Iterator
from typing import Any

from mmd.core.commands import Approved, Command
from mmd.core.events import (
    Balance,
    CancelRejected,
    ClockOffset,
    Decision,
    Event,
    FeedDown,
    FeedUp,
    Fill,
    InstrumentStatus,
    OperatorAction,
    OperatorCommand,
    OrderAccepted,
    OrderEnded,
    OrderRejected,
    OrderStatus,
    PrivateDown,
    PrivateUp,
    RateUsage,
    Reconciled,
    RequestTimedOut,
    Timer,
)
from mmd.core.instrument import Instrument
from mmd.core.maker import Maker
from mmd.core.market.record import INSTRUMENT, TS_RECV_NS, MarketViews
from mmd.core.orders.order_numbers import OrderNumbers
from mmd.core.orders.order_update import OrderEvent
from mmd.core.risk.gate import RiskGate
from mmd.core.risk.levels import RiskLevel, RiskLevels
from mmd.core.risk.reasons import LevelReason
from mmd.core.risk.throttle import Budget, Counted, Throttle
from mmd.core.spec import RiskSpec, SessionSpec
from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import Rec

_CANCEL_ALL = RiskLevel.CANCEL_ALL  # a look-up through the metaclass of an Enum takes 0.1 us
_DAY_NS = 86_400 * NANOS_PER_SECOND
_OPERATOR: dict[OperatorAction, tuple[RiskLevel, LevelReason, RiskLevel | None]] = {
    OperatorAction.HALT: (RiskLevel.CANCEL_ALL, LevelReason.OPERATOR, RiskLevel.HALTED),
    OperatorAction.CANCEL_ALL: (RiskLevel.CANCEL_ALL, LevelReason.OPERATOR, None),
    OperatorAction.STOP: (RiskLevel.CANCEL_ALL, LevelReason.STOP, RiskLevel.HALTED),
}
"""The level that an operator's action asks for, why, and what follows once every order is gone."""


class Engine:
    """One session's state and decisions.

    Attributes:
        makers: one per instrument, in the order of the spec.
        levels, gate, throttle: risk control of the session.
        now_ns: engine time, the latest time that any event stated.
        first_order_ns: when the first order was approved; 0 before.
        clock_offset_ns: venue clock less ours, as last measured.
    """

    def __init__(self, spec: SessionSpec) -> None:
        """Build and compile everything; nothing more is allocated on the hot path."""
        self.spec = spec
        self.levels = RiskLevels()
        self.throttle = Throttle(_budgets(spec.risk))
        self.gate = RiskGate(self.levels, self.throttle)
        numbers = OrderNumbers(spec.session)
        self.makers = [Maker(i, spec, self.gate, self.levels, numbers) for i in spec.instruments]
        self.now_ns = 0
        self.first_order_ns = 0
        self.clock_offset_ns = 0
        self._views = MarketViews()
        self._unix_less_engine_ns = spec.started_unix_ns - spec.started_monotonic_ns
        self._day = spec.started_unix_ns // _DAY_NS
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            FeedUp: self._on_feed_up,
            FeedDown: self._on_feed_down,
            PrivateUp: self._on_private_up,
            PrivateDown: self._on_private_down,
            Balance: self._on_balance,
            Reconciled: self._on_reconciled,
            InstrumentStatus: self._on_status,
            ClockOffset: self._on_clock_offset,
            RateUsage: self._on_rate_usage,
            Timer: self._on_timer,
            OperatorCommand: self._on_operator,
        }
        for kind in (
            OrderAccepted,
            OrderRejected,
            OrderEnded,
            CancelRejected,
            Fill,
            OrderStatus,
            RequestTimedOut,
        ):
            self._handlers[kind] = self._on_order

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """What is traded."""
        return self.spec.instruments

    @property
    def orders_open(self) -> int:
        """Orders that may rest at a venue."""
        return sum(sum(m.orders.open_orders) for m in self.makers)

    @property
    def is_ready(self) -> bool:
        """Whether every book is in sync and every account reconciled."""
        return all(
            m.view.is_synced and (m.ledger.pnl is not None or not self.spec.quoting.enabled)
            for m in self.makers
        )

    def apply_market(self, market: Rec) -> None:
        """Apply one market record."""
        views = self._views.of(market)
        head = views.head
        now_ns = self.now_ns = max(self.now_ns, head[TS_RECV_NS])
        self.makers[head[INSTRUMENT]].view.apply(views, now_ns)

    def apply(self, event: Event) -> None:
        """Apply any other event."""
        self.now_ns = max(self.now_ns, event.ts_recv_ns)
        self._handlers[type(event)](event)

    def decide(self, decision: Decision) -> Iterator[Approved[Command]]:
        """Commands for all instruments, one by one, risk-reducing ones first within each.

        Send each before asking for the next, take them all, and apply nothing meanwhile: a command counts as
        sent once the caller comes back, and what follows is judged with it.
        """
        now_ns = self.now_ns = max(self.now_ns, decision.ts_recv_ns)
        if self.levels.level is _CANCEL_ALL and self.orders_open == 0:
            self.levels.on_all_canceled(now_ns)
        for maker in self.makers:
            yield from maker.decide(now_ns)
        for maker in self.makers:
            maker.keep_books(now_ns)
        if self.first_order_ns == 0 and any(m.counts.sent for m in self.makers):
            self.first_order_ns = now_ns

    def _on_feed_up(self, event: FeedUp) -> None:
        self.makers[event.instrument].view.is_up = True

    def _on_feed_down(self, event: FeedDown) -> None:
        self.makers[event.instrument].view.lose()

    def _on_private_up(self, event: PrivateUp) -> None:
        for maker in self._of_venue(event.venue):
            maker.is_private_up = True

    def _on_private_down(self, event: PrivateDown) -> None:
        for maker in self._of_venue(event.venue):
            maker.on_private_down(self.now_ns)

    def _on_balance(self, event: Balance) -> None:
        for maker in self._of_venue(event.venue):
            maker.ledger.on_balance(event)

    def _on_reconciled(self, event: Reconciled) -> None:
        self.makers[event.instrument].on_reconciled(event)

    def _on_status(self, event: InstrumentStatus) -> None:
        self.makers[event.instrument].on_status(event.status)

    def _on_clock_offset(self, event: ClockOffset) -> None:
        self.clock_offset_ns = event.offset_ns

    def _on_rate_usage(self, event: RateUsage) -> None:
        self.throttle.on_usage(event)

    def _on_timer(self, _: Timer) -> None:
        day = (self.now_ns + self._unix_less_engine_ns) // _DAY_NS
        for maker in self.makers:
            if day != self._day:
                maker.on_new_day()
            maker.on_time(self.now_ns)
        self._day = day

    def _on_order(self, event: OrderEvent) -> None:
        self.makers[event.instrument].on_order(event, self.now_ns)

    def _on_operator(self, event: OperatorCommand) -> None:
        if event.action is OperatorAction.RESUME:
            self.levels.resume(self.now_ns)
            return
        level, reason, then = _OPERATOR[event.action]
        self.levels.escalate(level, reason, self.now_ns, then=then)

    def _of_venue(self, venue: str) -> list[Maker]:
        return [m for m in self.makers if m.instrument.venue == venue]


def _budgets(risk: RiskSpec) -> tuple[Budget, ...]:
    """The session's own budgets, named and spaced as Binance spot counts, so that its usage corrects them."""
    orders, weight = Counted.ORDERS, Counted.WEIGHT
    return (
        Budget(
            name="ORDERS",
            counts=orders,
            limit=risk.orders_per_10s,
            interval_ns=10 * NANOS_PER_SECOND,
        ),
        Budget(
            name="ORDERS",
            counts=orders,
            limit=risk.orders_per_day,
            interval_ns=86_400 * NANOS_PER_SECOND,
        ),
        Budget(
            name="REQUEST_WEIGHT",
            counts=weight,
            limit=risk.messages_per_minute,
            interval_ns=60 * NANOS_PER_SECOND,
            reserve=risk.messages_per_minute // 10,
        ),
    )
