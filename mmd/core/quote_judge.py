"""Judges before each decision whether and how one instrument may be quoted: gathers what `quote_state` asks for."""

import math
from functools import partial

from mmd.core.calm import CALM, stays_calm
from mmd.core.instrument import Instrument, TradingStatus
from mmd.core.inventory.ledger import Ledger
from mmd.core.market_view import MarketView
from mmd.core.orders.working_orders import WorkingOrders
from mmd.core.quoting.quote_changes import QuoteChange, QuoteChanges
from mmd.core.quoting.quote_state import Conditions, QuoteReason, QuoteState, quote_state
from mmd.core.risk.levels import RiskLevel
from mmd.core.risk.reasons import RiskReason
from mmd.core.risk.session_risk import QUOTE_REASON, SessionRisk
from mmd.core.spec import SessionSpec
from mmd.jit.kernel import Rec, bind, new

# Members of an Enum are looked up through its metaclass (0.1 us each): the hot ones are bound here.
_NORMAL = RiskLevel.NORMAL
_CAUTIOUS = RiskLevel.CAUTIOUS
_REDUCE_ONLY = RiskLevel.REDUCE_ONLY
_CLOSED = frozenset({RiskLevel.CANCEL_ALL, RiskLevel.FLATTEN, RiskLevel.HALTED})
_FEED_LATENCY = RiskReason.FEED_LATENCY
_OK = RiskReason.OK
_NONE = QuoteReason.NONE
_KEPT_BLIND = frozenset({QuoteState.ACTIVE, QuoteState.PASSIVE, QuoteState.AGGRESSIVE})


class QuoteJudge:
    """The quote state of one instrument, and what it follows from.

    Attributes:
        state, reason: as last judged.
        level: the session's risk level then.
        hindrance: why nothing may be added to the position, the feed's latency included, or OK.
        changes: of state and reason.
        calm: CALM record: by what it is told that a look at everything would find nothing again.
    """

    def __init__(
        self,
        instrument: Instrument,
        spec: SessionSpec,
        session: SessionRisk,
        view: MarketView,
        orders: WorkingOrders,
        ledger: Ledger,
    ) -> None:
        self.state = QuoteState.WITHDRAWN
        self.reason = QuoteReason.WARM_UP
        self.level = _NORMAL
        self.hindrance = _OK
        self._session = session
        self._levels = session.levels
        self._view = view
        self._unknown = memoryview(orders.working["unknown_count"])
        self._ledger = ledger
        self._conditions = Conditions(
            operator_on=spec.quoting.enabled,
            trading=instrument.status is TradingStatus.TRADING,
            book_age_ns_max=spec.risk.stale_book_ns,
        )
        self._sigma = memoryview(view.vol["sigma"])
        self.changes = QuoteChanges()
        self._limit_lots = 1
        self.calm: Rec = new(CALM)
        self.calm["inventory_ratio_max"] = self._conditions.inventory_ratio_max
        self.calm["book_age_ns_max"] = self._conditions.book_age_ns_max
        self.calm["sigma_wide"], self.calm["mid_low"] = math.inf, 1
        self._is_calm = memoryview(self.calm["is_calm"])
        seen = self.calm, view.record, orders.working, view.vol
        self._stays_calm = partial(bind(stays_calm, *seen, 0, 0, 0, 0, 0), *seen)

    def set_trading(self, *, is_trading: bool) -> None:
        """The venue changed whether there is trading."""
        self._conditions.trading = is_trading
        self._is_calm[0] = 0

    def set_warm(self, *, is_warm: bool) -> None:
        """Whether price and holdings are known."""
        self._conditions.warm = is_warm
        self._is_calm[0] = 0

    def set_book_age(self, age_ns_max: int) -> None:
        """At what age the book is stale."""
        self._conditions.book_age_ns_max = age_ns_max
        self.calm["book_age_ns_max"] = age_ns_max
        self._is_calm[0] = 0

    def set_limits(self, position_lots_max: int, sigma_max: float) -> None:
        """What the scale of now allows to hold, and up to which volatility (ticks per sqrt(s)) is quoted."""
        self._limit_lots = max(position_lots_max, 1)
        self._conditions.sigma_max = sigma_max
        self.calm["limit_lots"], self.calm["sigma_max"] = position_lots_max, sigma_max
        self._is_calm[0] = 0

    def set_market_limits(self, *, spread_ticks_min: float, sigma_wide: float) -> None:
        """Below which spread of the market there are no quotes, above which volatility wider ones; 0 is off."""
        self._conditions.spread_ticks_min = spread_ticks_min
        self._conditions.sigma_wide = sigma_wide if sigma_wide > 0.0 else math.inf
        self.calm["spread_ticks_min"] = spread_ticks_min
        self.calm["sigma_wide"] = self._conditions.sigma_wide
        self._is_calm[0] = 0

    def set_favourable(self, *, is_favourable: bool) -> None:
        """Whether quotes may be tighter."""
        if is_favourable is not self._conditions.favourable:
            self._conditions.favourable = is_favourable
            self._is_calm[0] = 0

    @property
    def inventory_ratio(self) -> float:
        """Inventory over its limit, positive when long."""
        return self._ledger.quoted_lots / self._limit_lots

    def judge(self, now_ns: int, *, is_private_up: bool) -> None:
        """Find state and reason for now."""
        session = self._session
        if not is_private_up or not self._stays_calm(
            now_ns,
            self._levels.level,
            session.hindrance,
            session.lag_ns_max,
            self._ledger.quoted_lots,
        ):
            self._look_at_all(now_ns, is_private_up)

    def keeps_blind(self) -> bool:
        """Whether orders might stay if only private events were coming, as at the last judgement."""
        conditions = self._conditions
        conditions.private_up = conditions.orders_known = True
        state, _ = quote_state(conditions)
        conditions.private_up = False
        return state in _KEPT_BLIND

    def _look_at_all(self, now_ns: int, is_private_up: bool) -> None:  # noqa: FBT001 - internal
        view, c, level = self._view, self._conditions, self._levels.level
        if level is not self.level:
            self.level = level
            c.risk_may_quote = level not in _CLOSED
            c.risk_reduce_only = level is _REDUCE_ONLY
            c.risk_cautious = level is _CAUTIOUS
        c.feed_up = view.is_up
        c.private_up = is_private_up
        c.orders_known = self._unknown[0] == 0
        c.book_synced = view.is_synced
        c.book_crossed = view.is_crossed
        c.book_age_ns = now_ns - view.changed_ns
        c.sigma = self._sigma[0]
        c.spread_ticks = view.ask_ticks - view.bid_ticks
        c.inventory_ratio = self.inventory_ratio
        hindrance, lag_ns = self._session.hindrance, view.lag_ns
        if lag_ns is not None and hindrance is _OK and lag_ns > self._session.lag_ns_max:
            hindrance = _FEED_LATENCY
        if hindrance is not self.hindrance:
            self.hindrance = hindrance
            c.hindrance = QUOTE_REASON[hindrance]
        before, reason = self.state, self.reason
        self.state, self.reason = quote_state(c)
        if self.state is not before or self.reason is not reason:
            self.changes.note(QuoteChange(now_ns, before, self.state, self.reason))
        self._is_calm[0] = self.reason is _NONE
