"""Everything that the engine keeps for one instrument, and how events and decisions go through it."""

from collections.abc import Generator, Iterator
from functools import partial

from mmd.core.adverse_watch import AdverseWatch
from mmd.core.commands import Approved, Command
from mmd.core.events import (
    Fill,
    FundingPaid,
    FundingRate,
    OrderRejected,
    Reconciled,
    RequestTimedOut,
)
from mmd.core.flattening import is_flat
from mmd.core.holdings import Holdings
from mmd.core.instrument import Instrument, TradingStatus
from mmd.core.instrument_predictor import predictor_of
from mmd.core.inventory.ledger import Ledger
from mmd.core.learning import learning_of
from mmd.core.market_view import MarketView
from mmd.core.order_desk import OrderDesk
from mmd.core.orders.order import OrderPurpose
from mmd.core.orders.order_diff import hold, new_working
from mmd.core.orders.order_numbers import OrderCounts, OrderNumbers
from mmd.core.orders.order_update import OrderEvent
from mmd.core.orders.own_levels import OwnLevels
from mmd.core.orders.working_orders import Applied, Outcome, WorkingOrders
from mmd.core.ordinary_decision import OrdinaryDecision
from mmd.core.quote_judge import QuoteJudge
from mmd.core.quoter import Quoter
from mmd.core.quoting.avellaneda_stoikov import seconds_to_close
from mmd.core.quoting.funding import Funding
from mmd.core.quoting.quote_state import QuoteReason, QuoteState
from mmd.core.quoting.uptime import Uptime
from mmd.core.risk.book_pace import BookPace
from mmd.core.risk.caution import PositionDrift
from mmd.core.risk.levels import RiskLevel
from mmd.core.risk.limits import Bounds
from mmd.core.risk.message_storm import MessageStorm
from mmd.core.risk.reasons import LevelReason, RiskReason
from mmd.core.risk.session_risk import SessionRisk
from mmd.core.risk.stops import RejectStorm
from mmd.core.risk.view import RiskView
from mmd.core.scaling import NO_SCALE, Scale, risk_limits, scale_at
from mmd.core.shaping import Shaping
from mmd.core.spec import SessionSpec
from mmd.core.units import ATOMS_PER_UNIT
from mmd.jit.kernel import bind

_FLATTEN = RiskLevel.FLATTEN
_QUOTE = OrderPurpose.QUOTE
_OK = RiskReason.OK


class Maker:
    """Makes a market in one instrument."""

    def __init__(
        self,
        instrument: Instrument,
        spec: SessionSpec,
        session: SessionRisk,
        numbers: OrderNumbers,
    ) -> None:
        self.instrument = instrument
        own = OwnLevels() if spec.book_shows_own else None
        self.view = MarketView(None if own is None else own.record)
        target_atoms = spec.target_atoms[instrument.id]
        self.ledger = Ledger(instrument, target_atoms, books_early_fills=spec.books_early_fills)
        self.quoter = Quoter(instrument, spec.quoting, self.view, self.ledger.markouts.record)
        self.funding = Funding(self.quoter.quote, is_quoted=spec.quoting.funding_drift)
        self.predictor = predictor_of(spec, self.view, self.quoter)
        self.working = new_working(
            requote_ns=spec.quoting.requote_interval_ns,
            amends_max=instrument.amends_max,
            holds_levels=spec.construction.refresh_levels,
        )
        self.orders = WorkingOrders(instrument.id, spec.session, self.working, own=own)
        self.counts = OrderCounts()
        self.scale: Scale | None = None
        self.uptime = Uptime()
        self.pace = BookPace(spec.risk)
        self._spec = spec
        self._session = session
        self._levels = session.levels.of(instrument.id)
        self._judge = QuoteJudge(instrument, spec, session, self.view, self.orders, self.ledger)
        self.quote_changes, self.calm = self._judge.changes, self._judge.calm
        shaped = (self.quoter, self._judge, self.ledger, self.view.vol)
        self.shaping = Shaping(instrument, spec.construction, *shaped)
        limits = risk_limits(spec.risk, NO_SCALE)
        self.risk = RiskView(Bounds(instrument, limits), self.orders)
        self.risk.status = instrument.status
        self.risk.venue = session.throttle.number_of(instrument.venue)
        placed = (self.orders, self.quoter.quote, self.view.record, self.risk)
        self.desk = OrderDesk(instrument, *placed, session.gate, numbers, self.counts)
        self._storm = RejectStorm(self._levels, limits)
        self.message_storm = MessageStorm(self._levels, spec.risk)
        self.adverse = AdverseWatch(spec, self._levels, self.quoter, self.view, self.ledger)
        quoted = (self.quoter, self._judge, self.ledger, self.view, self.counts)
        self.learning = learning_of(spec, instrument.id, self.predictor, *quoted)
        self._drift = PositionDrift(self._levels)
        self._drift_atoms_max = instrument.atoms_per_lot
        self._private_down_ns = 0
        self._lots_max: int | None = None
        self.holdings = Holdings(instrument.id, session, self.ledger, self.orders, self.risk)
        decided = (self.view, self.quoter, self._judge, self.risk, session, numbers, self.holdings)
        self.ordinary = OrdinaryDecision(spec.quoting, *decided)
        self._unix_less_engine_ns = spec.started_unix_ns - spec.started_monotonic_ns
        pictures = (self.working, self.quoter.quote)
        self._hold = partial(bind(hold, *pictures, 0, 0, 0, 0), *pictures)
        self._close_utc_s = spec.quoting.close_utc_s
        self._unknown = memoryview(self.working["unknown_count"])

    # What happens

    def on_reconciled(self, event: Reconciled) -> None:
        """The venue's picture of our holdings."""
        self.ledger.on_reconciled(event, self.view.mid_half_ticks)
        self._judge.set_warm(is_warm=self.scale is not None)
        self._judge_drift(event.ts_recv_ns)

    def _judge_drift(self, now_ns: int) -> None:
        drift_atoms = self.ledger.drift_atoms
        if drift_atoms == 0:
            self._levels.clear(LevelReason.ORDER_BREACH, now_ns)
        self._drift.on_reconciled(drift_atoms, self._drift_atoms_max, now_ns)

    def on_status(self, status: TradingStatus) -> None:
        """The venue changed what may be done."""
        self._judge.set_trading(is_trading=status is TradingStatus.TRADING)
        self.risk.status = status

    def on_private_down(self, now_ns: int) -> None:
        """Private events may be lost from here on: no order's fate is certain."""
        if self.is_private_up:
            self._private_down_ns = now_ns
        self.is_private_up = False
        self.orders.on_link_lost(now_ns)

    def on_order(self, event: OrderEvent, now_ns: int) -> None:
        """Anything about one of our orders."""
        applied = self.orders.apply(event)
        self._count(event, applied)
        if applied.is_new_fill and isinstance(event, Fill):
            order = applied.order
            purpose = _QUOTE if order is None else order.purpose
            drift_atoms = self.ledger.drift_atoms
            self.ledger.on_fill(event, self.view.mid_half_ticks, now_ns, purpose)
            if self.ledger.drift_atoms != drift_atoms:
                self._judge_drift(now_ns)
            self.adverse.on_fill(order, event)
            self._session.ratio.on_fill()
            self.quoter.on_fill(event, order)
            if purpose is _QUOTE:
                until_ns = now_ns + self._spec.quoting.refresh_delay_ns
                self._hold(int(event.side), event.price_ticks, now_ns, until_ns)
        if isinstance(event, OrderRejected):
            self._storm.on_reject(event.reason, now_ns)
        self.holdings.share()

    def on_funding(self, event: FundingPaid | FundingRate) -> None:
        """What holding a perpetual has brought, or will bring."""
        if isinstance(event, FundingPaid):
            self.ledger.on_funding(event)
        else:
            self.funding.on_rate(event, self.view.mid_half_ticks)

    def on_time(self, now_ns: int) -> None:
        """What only time brings: bars, estimates, streaks, drift, uptime, requests without an answer."""
        self.view.close_bars(now_ns)
        if self.predictor is not None:
            self.predictor.on_time(now_ns)
        ledger = self.ledger
        if self.scale is not None and self.quoter.on_time(self.orders, now_ns):
            self.shaping.on_step(now_ns)
            self.message_storm.on_step(self.view.messages, now_ns)
            if self.learning is not None:
                self.learning.on_step(now_ns, self.scale.ticks_per_bps)
            if self.pace.on_step(self.view.messages, now_ns):
                self.follow_pace()
        self.adverse.on_time(self.scale, now_ns)
        self._drift.on_time(ledger.stated_drift_atoms, self._drift_atoms_max, now_ns)
        self._storm.on_time(now_ns)
        for order in self.orders.overdue(now_ns, 2 * self._spec.quoting.request_timeout_ns):
            self.on_order(
                RequestTimedOut(now_ns, self.instrument.id, order.client_order_id), now_ns
            )
        if ledger.pnl is not None:
            self.uptime.on_time(now_ns, is_quoting=min(self.orders.open_orders) > 0)
        self.holdings.commit()

    # What to do

    def plan_step_by_step(self, now_ns: int) -> Generator[Approved[Command], None, int]:
        """Plan what is to be done now, whatever the circumstances; returns how many actions there are.

        On the way requests that no plan is about: of a new book, of the fate of orders, to take orders back.
        """
        view, desk, judge = self.view, self.desk, self._judge
        if view.is_dirty:
            self._follow_price()
        judge.judge(now_ns, is_private_up=self.is_private_up)
        if view.wants_resync or self._unknown[0] > 0 or not self.is_private_up:
            self.risk.now_ns, self.risk.hindrance = now_ns, judge.hindrance
            is_known = self.scale is not None and self.is_private_up
            for command in desk.requests(now_ns, view.wants_resync, has_orders=is_known):
                yield from desk.sending(desk.approve(command))
            if not self.is_private_up and self.scale is not None:
                yield from self._leave_blind(now_ns)
        if self.scale is None or not self.is_private_up:
            return 0
        close_s, tau_s = self._close_utc_s, 0.0
        if close_s is not None:
            tau_s = seconds_to_close(now_ns + self._unix_less_engine_ns, close_s)
        lots, lots_max = self.ledger.quoted_lots, self.scale.position_lots_max
        self.quoter.target(judge.state, lots, lots_max, tau_s, now_ns)
        self.holdings.tell()
        return desk.plan(judge.hindrance, now_ns)

    def flatten(self, now_ns: int) -> Iterator[Approved[Command]]:
        """The next slice of the position, once every order is confirmed gone; where it is known what there is."""
        is_known = self.scale is not None and self.is_private_up
        if not is_known or sum(self.orders.open_orders) > 0:
            return
        self.settle_risk()
        if self.risk.refusal is _OK and not self.is_flat:
            slippage_bps = self._spec.risk.flatten_slippage_bps
            taken = self.desk.take(self.ledger.position_lots, slippage_bps, now_ns)
            yield from self.desk.sending(taken, purpose=OrderPurpose.FLATTEN)

    @property
    def is_private_up(self) -> bool:
        """Whether private events are coming."""
        return self.ordinary.is_private_up

    @is_private_up.setter
    def is_private_up(self, is_up: bool) -> None:
        self.ordinary.is_private_up = is_up

    @property
    def state(self) -> QuoteState:
        """How the instrument was last quoted."""
        return self._judge.state

    @property
    def reason(self) -> QuoteReason:
        """Why so."""
        return self._judge.reason

    @property
    def is_flat(self) -> bool:
        """Whether nothing works, nothing is owed and what is held is too little for an order."""
        orders = self.orders
        if self.ledger.pnl is None or sum(orders.open_orders) + sum(orders.open_lots) > 0:
            return False
        slippage_bps = self._spec.risk.flatten_slippage_bps
        return is_flat(self.risk, self.ledger.position_lots, slippage_bps)

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
        self._rescale(mid_ticks)

    def cap_position(self, lots_max: int) -> None:
        """Hold no more than so many lots either way from now on, nor than the settings allow."""
        self._lots_max = lots_max
        if self.scale is not None:
            self._rescale(self.scale.mid_ticks)

    def change(self, spec: SessionSpec) -> None:
        """Go by the changeable settings of another spec from now on."""
        self._spec = spec
        self.quoter.change(spec.quoting)
        if self.scale is not None:
            self._rescale(self.scale.mid_ticks)

    def _rescale(self, mid_ticks: float) -> None:
        first = self.scale is None
        quoting, risk = self._spec.quoting, self._spec.risk
        scale = self.scale = scale_at(mid_ticks, self.instrument, quoting, risk, self._lots_max)
        calm = self._judge.calm
        calm["mid_low"], calm["mid_high"] = scale.half_ticks_range()
        if first:
            self.quoter.start(scale)
        self.quoter.rescale(scale)
        self.shaping.rescale(scale.ticks_per_bps)
        self.working["tolerance_ticks"] = scale.tolerance_ticks
        self._judge.set_warm(is_warm=self.ledger.pnl is not None)
        sigma_max = quoting.volatility_bps_max * scale.ticks_per_bps
        self._judge.set_limits(scale.position_lots_max, sigma_max)
        self.risk.limit(Bounds(self.instrument, risk_limits(risk, scale)))
        self.follow_pace()
        mid = self.instrument.price(mid_ticks)
        self._drift_atoms_max = int(risk.position_drift_max / mid * ATOMS_PER_UNIT)

    def follow_pace(self) -> None:
        """Take the book for stale at another age."""
        self._judge.set_book_age(self.pace.age_ns_max)
        self.risk.set_book_age(self.pace.age_ns_max)

    def _leave_blind(self, now_ns: int) -> Iterator[Approved[Command]]:
        """Take back orders that nobody tells us about any more: soon, and where quoting would stop anyway."""
        is_long = now_ns - self._private_down_ns >= self._spec.risk.private_down_ns
        if is_long or not self._judge.keeps_blind():
            for command in self.desk.cancels(now_ns, self._private_down_ns):
                yield from self.desk.sending(self.desk.approve(command))

    def settle_risk(self) -> None:
        """Bring what the gate knows of the instrument up to date; needed before it is asked about an order."""
        view, risk = self.view, self.risk
        risk.bid_ticks, risk.ask_ticks = view.bid_ticks, view.ask_ticks
        risk.last_ticks = view.last_trade_ticks
        risk.book_ts_ns = view.changed_ns
        risk.is_synced = view.is_synced and not view.is_crossed
        risk.is_private_up = self.is_private_up
        self.holdings.tell()
        risk.settle()

    def _count(self, event: OrderEvent, applied: Applied) -> None:
        counts, outcome = self.counts, applied.outcome
        counts.foreign += outcome is Outcome.FOREIGN
        if outcome is Outcome.BREACH:
            counts.breaches += 1
            self._levels.escalate(RiskLevel.REDUCE_ONLY, LevelReason.ORDER_BREACH, event.ts_recv_ns)
        if outcome is Outcome.CHANGED:
            counts.on_changed(event, applied.order)
