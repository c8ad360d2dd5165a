"""Everything that the engine keeps for one instrument, and how events and decisions go through it."""

import struct
from collections.abc import Iterator
from functools import partial

from mmd.core.commands import (
    AmendOrder,
    Approved,
    CancelOrder,
    Command,
    PlaceOrder,
    QueryOrder,
    ReplaceOrder,
    ResyncBook,
)
from mmd.core.events import Fill, OrderRejected, Reconciled, RequestTimedOut
from mmd.core.instrument import Instrument, TradingStatus
from mmd.core.inventory.ledger import Ledger
from mmd.core.market_view import MarketView
from mmd.core.orders.order_diff import AMEND, PLACE, REPLACE, diff, new_working
from mmd.core.orders.order_numbers import OrderCounts, OrderNumbers
from mmd.core.orders.order_state import OrderState
from mmd.core.orders.order_update import OrderEvent
from mmd.core.orders.working_orders import Outcome, WorkingOrders
from mmd.core.quoter import Quoter
from mmd.core.quoting.avellaneda_stoikov import seconds_to_close
from mmd.core.quoting.quote_state import Conditions, QuoteReason, QuoteState, quote_state
from mmd.core.risk.gate import RiskGate, RiskView
from mmd.core.risk.levels import RiskLevel, RiskLevels
from mmd.core.risk.limits import Bounds, RiskLimits
from mmd.core.risk.reasons import LevelReason
from mmd.core.risk.stops import LossStop, RejectStorm
from mmd.core.scaling import Scale, scale_at
from mmd.core.spec import SessionSpec
from mmd.core.units import NANOS_PER_SECOND, Side, TimeInForce
from mmd.jit.kernel import bind

QUERY_PERIOD_NS = NANOS_PER_SECOND
RESYNC_PERIOD_NS = 2 * NANOS_PER_SECOND
_CLOSED = frozenset({RiskLevel.CANCEL_ALL, RiskLevel.HALTED})
_REDUCING = frozenset({RiskLevel.REDUCE_ONLY, RiskLevel.FLATTEN})
_NEW_ORDERS = (PlaceOrder, ReplaceOrder)
_POST_ONLY = TimeInForce.POST_ONLY
_SIDES = tuple(Side)
_ACTION = struct.Struct("=6q")
"""A row of WORKING.act; unpacked one at a time, because the first is wanted long before the others."""

_NO_SCALE = Scale(
    mid_ticks=0.0,
    ticks_per_bps=0.0,
    unit_lots=1,
    lots_min=1,
    position_lots_max=0,
    order_lots_max=1,
    tolerance_ticks=0,
)
"""Before the first mid: nothing may be held, so nothing can be placed."""


class Maker:
    """Makes a market in one instrument."""

    def __init__(
        self,
        instrument: Instrument,
        spec: SessionSpec,
        gate: RiskGate,
        levels: RiskLevels,
        numbers: OrderNumbers,
    ) -> None:
        self.instrument = instrument
        self.view = MarketView()
        self.quoter = Quoter(instrument, spec.quoting, self.view)
        self.working = new_working(requote_ns=spec.quoting.requote_interval_ns)
        self.orders = WorkingOrders(instrument.id, spec.session, self.working)
        self.ledger = Ledger(instrument, spec.target_atoms[instrument.id])
        self.counts = OrderCounts()
        self.scale: Scale | None = None
        self.is_private_up = False
        self.state = QuoteState.WITHDRAWN
        self.reason = QuoteReason.WARM_UP
        self._spec = spec
        self._gate = gate
        self._levels = levels
        self._numbers = numbers
        self._conditions = Conditions(
            operator_on=spec.quoting.enabled,
            trading=instrument.status is TradingStatus.TRADING,
            book_age_ns_max=spec.risk.stale_book_ns,
        )
        limits = _limits(spec, _NO_SCALE)
        self._risk = RiskView(Bounds(instrument, limits), self.orders)
        self._risk.status = instrument.status
        self._loss_stop = LossStop(levels, limits)
        self._storm = RejectStorm(levels, limits)
        self._hold_until_ns = [0, 0]
        self._level = RiskLevel.NORMAL
        self._limit_lots = 1
        self._sigma = memoryview(self.view.vol["sigma"])
        self._resync_asked_ns = -RESYNC_PERIOD_NS
        self._unix_less_engine_ns = spec.started_unix_ns - spec.started_monotonic_ns
        pictures = (self.working, self.quoter.quote)
        self._diff = partial(bind(diff, *pictures), *pictures)
        self._close_utc_s = spec.quoting.close_utc_s
        self._now_ns = memoryview(self.working["now_ns"])
        self._actions = memoryview(self.working["act"][0].reshape(-1).view("u1"))

    # What happens

    def on_reconciled(self, event: Reconciled) -> None:
        """The venue's picture of our holdings."""
        self.ledger.on_reconciled(event, self.view.mid_half_ticks)
        self._conditions.warm = self.scale is not None
        if self.ledger.drift_atoms == 0:
            self._levels.clear(LevelReason.ORDER_BREACH, event.ts_recv_ns)

    def on_status(self, status: TradingStatus) -> None:
        """The venue changed what may be done."""
        self._conditions.trading = status is TradingStatus.TRADING
        self._risk.status = status

    def on_new_day(self) -> None:
        """Losses count from here on."""
        if self.ledger.pnl is not None:
            self._loss_stop.on_new_day(self.ledger.pnl.total_quote_atoms)

    def on_private_down(self, now_ns: int) -> None:
        """Private events may be lost from here on: no order's fate is certain."""
        self.is_private_up = False
        self.orders.on_link_lost(now_ns)

    def on_order(self, event: OrderEvent, now_ns: int) -> None:
        """Anything about one of our orders."""
        applied = self.orders.apply(event)
        self._count(event, applied.outcome)
        if applied.is_new_fill and isinstance(event, Fill):
            self.ledger.on_fill(event, self.view.mid_half_ticks, now_ns)
            self._hold_until_ns[event.side] = now_ns + self._spec.quoting.refresh_delay_ns
            order = applied.order
            if order is not None and order.state is OrderState.FILLED:
                self.quoter.on_order_filled(order.side, order.price_ticks)
        if isinstance(event, OrderRejected):
            self._storm.on_reject(event.reason, now_ns)

    def on_time(self, now_ns: int) -> None:
        """What only time brings: estimates, loss limits, requests without an answer."""
        if self.scale is not None:
            self.quoter.on_time(self.orders, now_ns)
        if self.ledger.pnl is not None:
            self._loss_stop.on_equity(self.ledger.pnl.total_quote_atoms, now_ns)
        self._storm.on_time(now_ns)
        self.ledger.markouts.on_time(now_ns)
        for order in self.orders.overdue(now_ns, 2 * self._spec.quoting.request_timeout_ns):
            self.on_order(
                RequestTimedOut(now_ns, self.instrument.id, order.client_order_id), now_ns
            )

    # What to do

    def decide(self, now_ns: int) -> Iterator[Approved[Command]]:
        """Commands that bring the working orders to the targets of now, one by one.

        Each is recorded as sent when the caller comes back for the next (or goes away), and only then is the
        next one judged: the first is on the wire before the rest has been thought about.
        """
        view, risk = self.view, self._risk
        if view.is_dirty:
            self._follow_price()
        self._judge(now_ns)
        risk.now_ns = now_ns
        if view.wants_resync or self.orders.unknown_count > 0:
            for command in self._requests(now_ns):
                approved = self._approve(command)
                if approved is not None:
                    try:
                        yield approved
                    finally:
                        self._on_sent(command, now_ns, 0)
        if self.scale is None or not self.is_private_up:
            return
        self._target(self.scale, now_ns)
        self._now_ns[0] = now_ns
        n = self._diff()
        if n == 0:
            return
        self._refresh_risk_view()
        for op, side, level, slot, px, sz in _ACTION.iter_unpack(self._actions[: n * _ACTION.size]):
            approved = self._act(op, _SIDES[side], slot, px, sz)
            if approved is not None:
                try:
                    yield approved
                finally:
                    self._on_sent(approved.command, now_ns, level)

    def keep_books(self, now_ns: int) -> None:
        """Mark the inventory at the mid of now; after the commands, none of which depends on it."""
        if self.view.is_dirty:
            self.view.is_dirty = False
            if self.view.mid_half_ticks > 0:
                self.ledger.on_mid(self.view.mid_half_ticks, now_ns)

    def _follow_price(self) -> None:
        """Make the scale anew where the price has moved far, or is known at last."""
        mid_ticks = self.view.mid_half_ticks / 2
        if mid_ticks == 0.0 or (self.scale is not None and self.scale.holds_at(mid_ticks)):
            return
        first = self.scale is None
        quoting = self._spec.quoting
        scale = self.scale = scale_at(mid_ticks, self.instrument, quoting, self._spec.risk)
        if first:
            self.quoter.start(scale)
        self.quoter.rescale(scale)
        self.working["tolerance_ticks"] = scale.tolerance_ticks
        self._limit_lots = max(scale.position_lots_max, 1)
        self._conditions.warm = self.ledger.pnl is not None
        self._conditions.sigma_max = quoting.volatility_bps_max * scale.ticks_per_bps
        self._risk.bounds = Bounds(self.instrument, _limits(self._spec, scale))

    def _judge(self, now_ns: int) -> None:
        """Find the quote state from the conditions of now; what events alone change they have set."""
        view, c, level = self.view, self._conditions, self._levels.level
        if level is not self._level:
            self._level = level
            c.risk_may_quote = level not in _CLOSED
            c.risk_reduce_only = level in _REDUCING
        c.feed_up = view.is_up
        c.private_up = self.is_private_up and self.orders.unknown_count == 0
        c.book_synced = view.is_synced
        c.book_crossed = view.is_crossed
        c.book_age_ns = now_ns - view.changed_ns
        c.sigma = self._sigma[0]
        c.inventory_ratio = self.ledger.position_lots / self._limit_lots
        self.state, self.reason = quote_state(c)

    def _requests(self, now_ns: int) -> list[Command]:
        """What must be asked of the venue: a new snapshot, the fate of orders; each at its own period."""
        asks: list[Command] = []
        if self.view.wants_resync and now_ns - self._resync_asked_ns > RESYNC_PERIOD_NS:
            self._resync_asked_ns = now_ns
            asks.append(ResyncBook(self.instrument.id))
        if self.scale is not None and self.is_private_up:
            unknown = self.orders.unknown_orders(asked_before_ns=now_ns - QUERY_PERIOD_NS)
            asks += [QueryOrder(self.instrument.id, o.client_order_id) for o in unknown]
        return asks

    def _target(self, scale: Scale, now_ns: int) -> None:
        close_s, tau_s = self._close_utc_s, 0.0
        if close_s is not None:
            tau_s = seconds_to_close(now_ns + self._unix_less_engine_ns, close_s)
        self.quoter.target(self.state, self.ledger.position_lots, scale.position_lots_max, tau_s)

    def _refresh_risk_view(self) -> None:
        view, risk, ledger, c = self.view, self._risk, self.ledger, self._conditions
        risk.bid_ticks, risk.ask_ticks = view.bid_ticks, view.ask_ticks
        risk.last_ticks = view.last_trade_ticks
        risk.book_ts_ns = view.changed_ns
        risk.is_synced = c.book_synced and not c.book_crossed
        risk.is_private_up = self.is_private_up
        risk.hold(ledger.position_atoms, ledger.base_atoms, ledger.quote_atoms)

    def _act(
        self, op: int, side: Side, slot: int, price_ticks: int, qty_lots: int
    ) -> Approved[Command] | None:
        """One row of the order diff as a command, if it may be sent."""
        instrument = self.instrument.id
        if op == PLACE:
            if self._risk.now_ns < self._hold_until_ns[side]:
                return None
            new = self._numbers.next_id()
            return self._approve(
                PlaceOrder(instrument, new, side, price_ticks, qty_lots, _POST_ONLY)
            )
        old = self.orders.at(side, slot)
        old_id = old.client_order_id
        if op == REPLACE:
            new = self._numbers.next_id()
            replace = ReplaceOrder(instrument, old_id, new, side, price_ticks, qty_lots, _POST_ONLY)
            return self._approve(replace) or self._approve(CancelOrder(instrument, old_id))
        if op == AMEND:
            return self._approve(AmendOrder(instrument, old_id, old.filled_lots + qty_lots))
        return self._approve(CancelOrder(instrument, old_id))

    def _approve(self, command: Command) -> Approved[Command] | None:
        """Ask the gate."""
        verdict = self._gate.check(command, self._risk)
        return verdict if isinstance(verdict, Approved) else None

    def _on_sent(self, command: Command, now_ns: int, level: int) -> None:
        """Record a command that the caller has taken up; level is the rung that a new order is for."""
        self.orders.on_sent(command, now_ns, level)
        self.counts.sent += isinstance(command, _NEW_ORDERS)

    def _count(self, event: OrderEvent, outcome: Outcome) -> None:
        counts = self.counts
        counts.foreign += outcome is Outcome.FOREIGN
        if outcome is Outcome.BREACH:
            counts.breaches += 1
            self._levels.escalate(RiskLevel.REDUCE_ONLY, LevelReason.ORDER_BREACH, event.ts_recv_ns)
        if outcome is Outcome.CHANGED:
            counts.on_changed(event)


def _limits(spec: SessionSpec, scale: Scale) -> RiskLimits:
    """The risk limits at a price level."""
    risk = spec.risk
    return RiskLimits(
        qty_lots_max=max(scale.order_lots_max, 1),
        notional_quote_max=risk.order_notional_max,
        position_lots_max_long=scale.position_lots_max,
        position_lots_max_short=scale.position_lots_max,
        open_orders_max=risk.open_orders_max,
        collar_bps=risk.collar_bps,
        stale_book_ns=risk.stale_book_ns,
        loss_quote_max=risk.loss_max,
        drawdown_quote_max=risk.drawdown_max,
        rejects_max=risk.rejects_max,
        reject_window_ns=risk.rejects_window_ns,
    )
