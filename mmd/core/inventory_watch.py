"""Watches what every instrument of a session holds: VaR and its cap, expected shortfall, age, use of the limit.

All of it is done once a second, on the timer at which the quoter makes its estimates, so that it falls on the same
events in a backtest that leaves out idle timers.
"""

from collections.abc import Sequence

from mmd.core.inventory.portfolio import Portfolio
from mmd.core.inventory.settings import InventorySpec
from mmd.core.inventory.tail_risk import TailRisk, position_at_risk_limit, value_at_risk
from mmd.core.maker import Maker
from mmd.core.notices import NoticeKind, Notices
from mmd.core.quoting.multipliers import Cause
from mmd.core.risk.session_risk import SessionRisk
from mmd.core.units import ATOMS_PER_UNIT, NANOS_PER_SECOND

_LOTS_UNLIMITED = 2**53
_CAP_CHANGE_MIN = 0.02
"""A cap that moved by less is left as it is: limits are compiled anew for each."""


class HeldRisk:
    """What one instrument's inventory risks; money in its quote currency.

    Attributes:
        value_at_risk, shortfall: one day, 95 %.
        lots_max: what the VaR limit allows to hold; None without one.
        age_ns: how long the inventory has been on its side.
        is_old: whether that is longer than the limit.
        is_warned: whether so much of the position limit is used that quotes are widened and skewed.
        tail: shape of the instrument's returns.
    """

    def __init__(self, maker: Maker, spec: InventorySpec, notices: Notices) -> None:
        self.value_at_risk = self.shortfall = 0.0
        self.lots_max: int | None = None
        self.age_ns = 0
        self.is_old = self.is_warned = False
        self.tail = TailRisk(spec.bar_ns, capacity=spec.tail_samples)
        self._maker = maker
        self._spec = spec
        self._notices = notices
        self._tick = float(maker.instrument.tick_size)
        self._lot = float(maker.instrument.lot_size)
        self._var_max = None if spec.var_max is None else float(spec.var_max)

    @property
    def position_base(self) -> float:
        """Inventory in base currency."""
        return self._maker.ledger.position_atoms / ATOMS_PER_UNIT

    @property
    def mid(self) -> float:
        """In quote currency; 0 before the first."""
        return self._maker.view.mid_half_ticks / 2 * self._tick

    @property
    def sigma_price(self) -> float:
        """Volatility as the instrument estimates it: quote currency per square root of a second."""
        return float(self._maker.view.vol["sigma"][0]) * self._tick

    def step(self, now_ns: int) -> None:
        """Measure anew."""
        held, sigma = self.position_base, self.sigma_price
        if self._maker.view.is_synced:
            self.tail.on_mid(self.mid, now_ns)
        self.value_at_risk = value_at_risk(held, sigma)
        self.shortfall = self.tail.shortfall(held, sigma)
        if self._var_max is not None:
            self._cap(int(min(position_at_risk_limit(self._var_max, sigma) / self._lot, 2.0**53)))
        self._warn(now_ns)
        self._judge_age(now_ns)

    def _cap(self, lots_max: int) -> None:
        before = _LOTS_UNLIMITED if self.lots_max is None else self.lots_max
        if abs(lots_max - before) >= _CAP_CHANGE_MIN * before:
            self.lots_max = lots_max
            self._maker.cap_position(lots_max)

    def _warn(self, now_ns: int) -> None:
        maker, spec = self._maker, self._spec
        limit_lots = 0 if maker.scale is None else maker.scale.position_lots_max
        is_warned = abs(maker.ledger.quoted_lots) > spec.warning_ratio * limit_lots
        if is_warned and not self.is_warned:
            text = f"{maker.ledger.quoted_lots} lots of {limit_lots}"
            self._notices.add(now_ns, NoticeKind.INVENTORY_WARNING, maker.instrument.id, text)
        self.is_warned = is_warned
        maker.quoter.multipliers.set(
            Cause.INVENTORY,
            spread=spec.warning_spread_multiplier if is_warned else 1.0,
            skew=spec.warning_skew_multiplier if is_warned else 1.0,
        )

    def _judge_age(self, now_ns: int) -> None:
        maker, age_ns_max = self._maker, self._spec.position_age_ns_max
        self.age_ns = maker.ledger.time_in_position_ns(now_ns)
        is_old = 0 < age_ns_max < self.age_ns
        if is_old and not self.is_old:
            text = f"held for {self.age_ns // NANOS_PER_SECOND} s"
            self._notices.add(now_ns, NoticeKind.POSITION_OLD, maker.instrument.id, text)
        self.is_old = is_old


class InventoryWatch:
    """The inventories of a session.

    Attributes:
        held: one per instrument, in the order of the makers.
        portfolio: their covariances.
        value_at_risk: of all positions together, in the reporting currency; None while something has no price.
    """

    def __init__(
        self,
        makers: Sequence[Maker],
        spec: InventorySpec,
        session: SessionRisk,
        notices: Notices,
    ) -> None:
        self.held = [HeldRisk(maker, spec, notices) for maker in makers]
        self.portfolio = Portfolio(len(makers), spec.bar_ns)
        self.value_at_risk: float | None = None
        self._makers = makers
        self._session = session

    def on_time(self, now_ns: int) -> None:
        """Measure the instruments whose quoter has just made its estimates of once a second."""
        is_new = False
        for maker, held in zip(self._makers, self.held, strict=True):
            if maker.quoter.stepped_ns == now_ns:
                held.step(now_ns)
                is_new = True
        if is_new:
            self.portfolio.on_mids([held.mid for held in self.held], now_ns)
            self.value_at_risk = self._together()

    @property
    def equity(self) -> float | None:
        """Capital base and PnL, or the worth of all holdings where none is stated; reporting currency."""
        session = self._session
        if session.capital_atoms > 0:
            pnl_atoms = session.equity_atoms
            return (
                None if pnl_atoms is None else (session.capital_atoms + pnl_atoms) / ATOMS_PER_UNIT
            )
        worth: dict[tuple[str, str], float] = {}
        for maker, held in zip(self._makers, self.held, strict=True):
            instrument, ledger, mid = maker.instrument, maker.ledger, held.mid
            rate = session.commitments.rate_of(instrument.id)
            if rate is None or mid == 0.0:
                return None
            worth[instrument.venue, instrument.base] = ledger.base_atoms * mid * rate
            worth[instrument.venue, instrument.quote] = ledger.quote_atoms * rate
        return sum(worth.values()) / ATOMS_PER_UNIT

    def var_ratio(self, at: int) -> float:
        """One instrument's VaR as a share of the equity; 0 where that is not known."""
        value_at_risk = self.held[at].value_at_risk
        if value_at_risk == 0.0:  # nothing is held: the equity does not matter
            return 0.0
        equity = self.equity
        rate = self._session.commitments.rate_of(self._makers[at].instrument.id)
        if equity is None or equity <= 0.0 or rate is None:
            return 0.0
        return value_at_risk * rate / equity

    def _together(self) -> float | None:
        exposures, sigmas = [], []
        for maker, held in zip(self._makers, self.held, strict=True):
            rate = self._session.commitments.rate_of(maker.instrument.id)
            if rate is None or held.mid == 0.0:
                return None
            exposures.append(held.position_base * held.mid * rate)
            sigmas.append(held.sigma_price / held.mid)
        return self.portfolio.value_at_risk(exposures, sigmas)
