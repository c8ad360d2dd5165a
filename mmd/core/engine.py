"""The engine: `apply` what happened, `decide` what to do. No clock, no I/O, no logging.

Everything that it depends on is in its SessionSpec and in the events applied to it, so the same events
give the same commands, byte for byte: live, on paper, in a backtest and in a post-mortem.
"""

from collections.abc import Callable, Iterator
from typing import Any

from mmd.core.commands import Approved, Command
from mmd.core.crossvenue.cross_venue import cross_venue
from mmd.core.decision import EXTRAORDINARY
from mmd.core.events import (
    CancelRejected,
    ChoiceMade,
    ClockOffset,
    DayMark,
    Decision,
    Event,
    FeedDown,
    Fill,
    OperatorAction,
    OperatorCommand,
    OrderAccepted,
    OrderEnded,
    OrderRejected,
    OrderStatus,
    PrivateDown,
    RateUsage,
    RejectReason,
    RequestTimedOut,
    SettingsChanged,
    Timer,
)
from mmd.core.hedging.hedging import Hedging
from mmd.core.instrument import Instrument
from mmd.core.inventory_watch import InventoryWatch
from mmd.core.lead import leads
from mmd.core.learned.served_model import ModelShelf, ModelSource
from mmd.core.maker import Maker
from mmd.core.maker_events import maker_handlers, of_venue
from mmd.core.market.record import INSTRUMENT, TS_RECV_NS, MarketViews
from mmd.core.notices import Notices
from mmd.core.orders.order_numbers import OrderNumbers
from mmd.core.orders.order_update import OrderEvent
from mmd.core.ports import Pen
from mmd.core.risk.levels import RiskLevel
from mmd.core.risk.reasons import LevelReason
from mmd.core.risk.session_risk import SessionRisk
from mmd.core.scaling import NO_SCALE, risk_limits
from mmd.core.settings_change import changed
from mmd.core.spec import SessionSpec
from mmd.jit.kernel import Rec

_NORMAL = RiskLevel.NORMAL
_CANCEL_ALL = RiskLevel.CANCEL_ALL  # a look-up through the metaclass of an Enum takes 0.1 us
_FLATTEN = RiskLevel.FLATTEN
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
        risk: risk control of the session; levels, gate and throttle are its.
        crossvenue: what is done across venues; None where there is nothing to do.
        inventory: what the positions risk.
        hedging: who hedges them; None where nobody does.
        notices: what people should hear of.
        now_ns: engine time, the latest time that any event stated.
        first_order_ns: when the first order was approved; 0 before.
        settings_changes: what persons changed of the spec that it began with.
    """

    def __init__(self, spec: SessionSpec, models: ModelSource | None = None) -> None:
        """Build and compile everything; nothing more is allocated on the hot path.

        `models` is where those that events name are found; None: there are none.
        """
        self.spec = spec
        self._models = ModelShelf() if models is None else models
        self.risk = SessionRisk(spec, risk_limits(spec.risk, NO_SCALE))
        self.levels, self.gate = self.risk.levels, self.risk.gate
        self.throttle = self.risk.throttle
        numbers = OrderNumbers(spec.session)
        self.makers = [Maker(i, spec, self.risk, numbers) for i in spec.instruments]
        self.crossvenue = cross_venue(spec, self.makers, self.risk)
        views = [(maker.instrument, maker.view) for maker in self.makers]
        for maker, lead in zip(self.makers, leads(views, spec.quoting), strict=True):
            maker.quoter.lead = lead
        self.notices = Notices()
        self.inventory = InventoryWatch(self.makers, spec.inventory, self.risk, self.notices)
        self.hedging: Hedging | None = None
        if spec.hedge.is_on:
            self.hedging = Hedging(self.makers, spec.hedge, self.risk, self.inventory, self.notices)
        self.now_ns = 0
        self.first_order_ns = 0
        self.settings_changes: list[SettingsChanged] = []
        self._views = MarketViews()
        self._known = self._views.known
        self._applies = [maker.view.apply for maker in self.makers]
        self._deciders = [(maker.ordinary.plan, maker) for maker in self.makers]
        self._blackouts = self.risk.blackouts
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            FeedDown: self._on_feed_down,
            PrivateDown: self._on_private_down,
            ClockOffset: self._on_clock_offset,
            RateUsage: self._on_rate_usage,
            CancelRejected: self._on_cancel_rejected,
            Timer: self._on_timer,
            SettingsChanged: self._on_settings,
            OperatorCommand: self._on_operator,
            DayMark: _ignore,
            ChoiceMade: _ignore,
            **maker_handlers(self.makers, self._models),
        }
        for kind in (
            OrderAccepted,
            OrderRejected,
            OrderEnded,
            Fill,
            OrderStatus,
            RequestTimedOut,
        ):
            self._handlers[kind] = self._on_order

    def record_with(self, pen: Pen) -> None:
        """Have ordinary decisions put on record by the call that takes them."""
        for maker in self.makers:
            maker.ordinary.record_with(pen)

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
        views = self._known.get(id(market))
        head = self._views.of(market).head if views is None else views.head
        now_ns = head[TS_RECV_NS]
        self.now_ns = max(self.now_ns, now_ns)
        self._applies[head[INSTRUMENT]](market, self.now_ns)

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
        if now_ns >= self._blackouts.next_ns:
            self.risk.advance(now_ns)
        if self.levels.level is not _NORMAL:
            self._follow_level(now_ns)
        for plan, maker in self._deciders:
            n = plan(now_ns)
            if n == EXTRAORDINARY:
                n = yield from maker.plan_step_by_step(now_ns)
            for at in range(n):
                approved = maker.desk.act(at)
                if approved is not None:
                    try:
                        yield approved
                    finally:
                        maker.desk.on_acted(approved.command)
            if n > 0:
                maker.holdings.share()
            if self.levels.level is _FLATTEN:
                yield from maker.flatten(now_ns)
        if self.crossvenue is not None or self.hedging is not None:
            yield from self._decide_over_all(now_ns)
        for maker in self.makers:
            maker.keep_books(now_ns)
        if self.first_order_ns == 0 and any(m.counts.sent for m in self.makers):
            self.first_order_ns = now_ns

    def _decide_over_all(self, now_ns: int) -> Iterator[Approved[Command]]:
        """What is about more than one instrument."""
        if self.crossvenue is not None:
            yield from self.crossvenue.decide(now_ns)
        if self.hedging is not None:
            yield from self.hedging.decide(now_ns)

    def _follow_level(self, now_ns: int) -> None:
        """Go on to what follows a level, once it is reached."""
        level = self.levels.level
        if level is _CANCEL_ALL and self.orders_open == 0:
            self.levels.on_all_canceled(now_ns)
        elif level is _FLATTEN and all(m.is_flat for m in self.makers):
            self.levels.end_flatten(now_ns)

    def _on_feed_down(self, event: FeedDown) -> None:
        self.makers[event.instrument].view.lose(self.now_ns)

    def _on_private_down(self, event: PrivateDown) -> None:
        for maker in of_venue(self.makers, event.venue):
            maker.on_private_down(self.now_ns)

    def _on_clock_offset(self, event: ClockOffset) -> None:
        self.risk.on_clock_offset(event)
        if self.crossvenue is not None:
            self.crossvenue.on_clock_offset(event)

    def _on_rate_usage(self, event: RateUsage) -> None:
        self.throttle.on_usage(event)

    def _on_timer(self, _: Timer) -> None:
        now_ns, makers, shared = self.now_ns, self.makers, self.risk.commitments
        for maker in makers:
            shared.on_mid(maker.instrument.id, maker.view.mid_half_ticks)
        shared.revalue()
        lags_ns = [lag_ns for m in makers if (lag_ns := m.view.lag_ns) is not None]
        self.risk.on_time(now_ns, lags_ns, self._equity_atoms())
        for maker in makers:
            maker.on_time(now_ns)
        self.inventory.on_time(now_ns)
        if self.hedging is not None:
            self.hedging.on_time(now_ns)

    def _equity_atoms(self) -> int | None:
        """PnL of all instruments in the reporting currency; None until every account and price is known."""
        total = 0
        for maker in self.makers:
            pnl, rate = maker.ledger.pnl, self.risk.commitments.rate_of(maker.instrument.id)
            if pnl is None or rate is None:
                return None
            atoms = pnl.total_quote_atoms
            total += atoms if rate == 1.0 else int(atoms * rate)
        return total

    def _on_order(self, event: OrderEvent) -> None:
        self.makers[event.instrument].on_order(event, self.now_ns)
        if self.crossvenue is not None:
            self.crossvenue.on_order(event)
        if self.hedging is not None:
            self.hedging.on_order(event)

    def _on_cancel_rejected(self, event: CancelRejected) -> None:
        if event.reason is RejectReason.RATE_LIMIT:
            venue = self.makers[event.instrument].risk.venue
            self.risk.backoff.on_turned_away(venue, self.now_ns)
        self._on_order(event)

    def _on_operator(self, event: OperatorCommand) -> None:
        if event.action is OperatorAction.RESUME:
            self.levels.resume(self.now_ns)
            return
        if event.action is OperatorAction.FLATTEN:
            self.levels.flatten(LevelReason.OPERATOR, self.now_ns)
            return
        level, reason, then = _OPERATOR[event.action]
        self.levels.end_flatten(self.now_ns, reason)
        self.levels.escalate(level, reason, self.now_ns, then=then)

    def _on_settings(self, event: SettingsChanged) -> None:
        """Go by other numbers from here on; a replay finds them in the event."""
        self.spec = changed(self.spec, event)
        self.settings_changes.append(event)
        self.risk.change(self.spec.risk)
        for maker in self.makers:
            maker.change(self.spec)


def _ignore(_: DayMark | ChoiceMade) -> None:
    """A note to others, made of what this engine knows already."""
