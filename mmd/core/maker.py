"""Everything that the engine keeps for one instrument, and how events and decisions go through it."""

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
from mmd.core.events import (
    EndReason,
    Fill,
    OrderAccepted,
    OrderEnded,
    OrderRejected,
    Reconciled,
    RequestTimedOut,
)
from mmd.core.instrument import Instrument, TradingStatus
from mmd.core.inventory.ledger import Ledger
from mmd.core.market_view import MarketView
from mmd.core.orders import order_diff
from mmd.core.orders.order_state import OrderState
from mmd.core.orders.order_update import OrderEvent
from mmd.core.orders.working_orders import Outcome, WorkingOrders
from mmd.core.quoter import Quoter
from mmd.core.quoting.avellaneda_stoikov import seconds_to_close
from mmd.core.quoting.quote_state import Conditions, QuoteReason, QuoteState, quote_state
from mmd.core.risk.gate import Refused, RiskGate, RiskView
from mmd.core.risk.levels import RiskLevel, RiskLevels
from mmd.core.risk.limits import Bounds, RiskLimits
from mmd.core.risk.reasons import LevelReason
from mmd.core.risk.stops import LossStop, RejectStorm
from mmd.core.scaling import Scale, scale_at
from mmd.core.spec import SessionSpec
from mmd.core.units import NANOS_PER_SECOND, ClientOrderId, Side, TimeInForce, client_order_id
from mmd.jit.kernel import bind

QUERY_PERIOD_NS = NANOS_PER_SECOND
RESYNC_PERIOD_NS = 2 * NANOS_PER_SECOND
_CLOSED = frozenset({RiskLevel.CANCEL_ALL, RiskLevel.HALTED})
_REDUCING = frozenset({RiskLevel.REDUCE_ONLY, RiskLevel.FLATTEN})


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


class OrderNumbers:
    """Client order ids of a session, shared by its instruments."""

    def __init__(self, session: int) -> None:
        self._session = session
        self._last = 0

    def next_id(self) -> ClientOrderId:
        """The next id; ids only grow."""
        self._last += 1
        return client_order_id(self._session, self._last)


class OrderCounts:
    """What became of an instrument's orders."""

    __slots__ = ("acked", "breaches", "canceled", "foreign", "rejected", "sent", "timed_out")

    def __init__(self) -> None:
        self.sent = self.acked = self.rejected = self.canceled = self.timed_out = 0
        self.foreign = self.breaches = 0


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
        self.working = order_diff.new_working(requote_ns=spec.quoting.requote_interval_ns)
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
        self._resync_asked_ns = -RESYNC_PERIOD_NS
        self._unix_less_engine_ns = spec.started_unix_ns - spec.started_monotonic_ns
        self._diff = bind(order_diff.diff, self.working, self.quoter.quote)
        self._actions = self.working["act"][0]

    # What happens

    def on_reconciled(self, event: Reconciled) -> None:
        """The venue's picture of our holdings."""
        self.ledger.on_reconciled(event, self.view.mid_half_ticks)
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

    def decide(self, now_ns: int) -> list[Approved[Command]]:
        """Commands that bring the working orders to the targets of now."""
        view = self.view
        if view.is_dirty:
            view.is_dirty = False
            self._follow_price(now_ns)
        out: list[Approved[Command]] = []
        if view.wants_resync and now_ns - self._resync_asked_ns > RESYNC_PERIOD_NS:
            self._resync_asked_ns = now_ns
            self._approve(ResyncBook(self.instrument.id), now_ns, out)
        if self.scale is None or not self.is_private_up:
            self._judge(now_ns)
            return out
        if self.orders.unknown_count > 0:
            for order in self.orders.unknown_orders(asked_before_ns=now_ns - QUERY_PERIOD_NS):
                self._approve(QueryOrder(self.instrument.id, order.client_order_id), now_ns, out)
        self._judge(now_ns)
        self._target(self.scale, now_ns)
        self.working["now_ns"] = now_ns
        n = self._diff(self.working, self.quoter.quote)
        if n > 0:
            self._refresh_risk_view(now_ns)
            for action in self._actions[:n].tolist():
                self._act(action, now_ns, out)
        return out

    def _follow_price(self, now_ns: int) -> None:
        """Mark the inventory; make the scale anew where the price has moved far, or is known at last."""
        mid_half_ticks = self.view.mid_half_ticks
        if mid_half_ticks == 0:
            return
        self.ledger.on_mid(mid_half_ticks, now_ns)
        mid_ticks = mid_half_ticks / 2
        if self.scale is not None and self.scale.holds_at(mid_ticks):
            return
        first = self.scale is None
        scale = self.scale = scale_at(
            mid_ticks, self.instrument, self._spec.quoting, self._spec.risk
        )
        if first:
            self.quoter.start(scale)
        self.quoter.rescale(scale)
        self.working["tolerance_ticks"] = scale.tolerance_ticks
        self._risk.bounds = Bounds(self.instrument, _limits(self._spec, scale))

    def _judge(self, now_ns: int) -> None:
        """Find the quote state from the conditions of now."""
        view, c, level = self.view, self._conditions, self._levels.level
        c.feed_up = view.is_up
        c.private_up = self.is_private_up and self.orders.unknown_count == 0
        c.book_synced = view.is_synced
        c.book_crossed = view.is_crossed
        c.book_age_ns = now_ns - view.changed_ns
        c.warm = self.scale is not None and self.ledger.pnl is not None
        c.risk_may_quote = level not in _CLOSED
        c.risk_reduce_only = level in _REDUCING
        if self.scale is not None:
            c.sigma = float(view.vol["sigma"][0])
            c.sigma_max = self._spec.quoting.volatility_bps_max * self.scale.ticks_per_bps
            c.inventory_ratio = self.ledger.position_lots / max(self.scale.position_lots_max, 1)
        self.state, self.reason = quote_state(c)

    def _target(self, scale: Scale, now_ns: int) -> None:
        close_s = self._spec.quoting.close_utc_s
        unix_ns = now_ns + self._unix_less_engine_ns
        tau_s = 0.0 if close_s is None else seconds_to_close(unix_ns, close_s)
        self.quoter.target(
            self.state, self.ledger.position_lots, scale.position_lots_max, tau_s
        )

    def _refresh_risk_view(self, now_ns: int) -> None:
        view, risk = self.view, self._risk
        risk.bid_ticks, risk.ask_ticks = view.bid_ticks, view.ask_ticks
        risk.last_ticks = view.last_trade_ticks
        risk.book_ts_ns = view.changed_ns
        risk.is_synced = view.is_synced and not view.is_crossed
        risk.is_private_up = self.is_private_up
        risk.position_atoms = self.ledger.position_atoms
        self._refresh_funds()

    def _refresh_funds(self) -> None:
        """What our holdings leave beyond what our orders lock."""
        risk, orders, ledger = self._risk, self.orders, self.ledger
        locked = sum(o.price_ticks * o.leaves_lots for o in orders if o.side is Side.BUY)
        risk.quote_free_atoms = ledger.quote_atoms - risk.bounds.quote_atoms(locked)
        sells_atoms = orders.open_lots[Side.SELL] * risk.bounds.atoms_per_lot
        risk.base_free_atoms = ledger.base_atoms - sells_atoms

    def _act(self, action: list[int], now_ns: int, out: list[Approved[Command]]) -> None:
        """One row of the order diff as a command."""
        op, side_row, level, slot, price_ticks, qty_lots = action
        side, instrument = Side(side_row), self.instrument.id
        if op == order_diff.PLACE:
            if now_ns >= self._hold_until_ns[side]:
                new = self._numbers.next_id()
                post = TimeInForce.POST_ONLY
                place = PlaceOrder(instrument, new, side, price_ticks, qty_lots, post)
                self._approve(place, now_ns, out, level)
            return
        old = self.orders.at(side, slot)
        if op == order_diff.CANCEL:
            self._approve(CancelOrder(instrument, old.client_order_id), now_ns, out)
        elif op == order_diff.AMEND:
            total_lots = old.filled_lots + qty_lots
            self._approve(AmendOrder(instrument, old.client_order_id, total_lots), now_ns, out)
        else:
            replace = ReplaceOrder(
                instrument,
                old.client_order_id,
                self._numbers.next_id(),
                side,
                price_ticks,
                qty_lots,
                TimeInForce.POST_ONLY,
            )
            if not self._approve(replace, now_ns, out, level):
                self._approve(CancelOrder(instrument, old.client_order_id), now_ns, out)

    def _approve(
        self, command: Command, now_ns: int, out: list[Approved[Command]], level: int = 0
    ) -> bool:
        """Ask the gate; what it lets through is recorded as sent."""
        self._risk.now_ns = now_ns
        verdict = self._gate.check(command, self._risk)
        if isinstance(verdict, Refused):
            return False
        self.orders.on_sent(command, now_ns, level)
        if isinstance(command, PlaceOrder | ReplaceOrder):
            self.counts.sent += 1
            self._refresh_funds()
        out.append(verdict)
        return True

    def _count(self, event: OrderEvent, outcome: Outcome) -> None:
        counts = self.counts
        counts.foreign += outcome is Outcome.FOREIGN
        if outcome is Outcome.BREACH:
            counts.breaches += 1
            self._levels.escalate(RiskLevel.REDUCE_ONLY, LevelReason.ORDER_BREACH, event.ts_recv_ns)
        if outcome is not Outcome.CHANGED:
            return
        match event:
            case OrderAccepted():
                counts.acked += 1
            case OrderRejected():
                counts.rejected += 1
            case OrderEnded(reason=EndReason()):
                counts.canceled += 1
            case RequestTimedOut():
                counts.timed_out += 1
            case _:
                pass


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
