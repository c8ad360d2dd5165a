"""From an instrument's market and inventory to its targets: estimates, spread model, ladder."""

import struct
from functools import partial

from mmd.core.events import Fill
from mmd.core.flow.response import Response
from mmd.core.instrument import Instrument
from mmd.core.lead import Lead
from mmd.core.market import microprice, trade_flow, volatility
from mmd.core.market_view import MarketView
from mmd.core.orders.order import Order, OrderPurpose
from mmd.core.orders.order_state import OrderState
from mmd.core.orders.working_orders import WorkingOrders
from mmd.core.quoter_settings import multipliers_of, spread_settings
from mmd.core.quoting import intensity as intensities
from mmd.core.quoting.fill_costs import FillCosts
from mmd.core.quoting.inputs import prepare
from mmd.core.quoting.ladder import ladder
from mmd.core.quoting.maker_fee import MakerFee
from mmd.core.quoting.multipliers import Cause, Multipliers
from mmd.core.quoting.quote_state import QuoteState, sides_allowed
from mmd.core.quoting.record import OK, QUOTE, QuoteSettings, new_quote
from mmd.core.quoting.risk_aversion import set_gamma
from mmd.core.quoting.smoothing import Smoother
from mmd.core.quoting.spread_models import spread_model
from mmd.core.scaling import Scale
from mmd.core.spec import QuotingSpec
from mmd.core.units import NANOS_PER_SECOND, Side
from mmd.core.view_record import VIEW
from mmd.jit.kernel import Rec, bind, new
from mmd.jit.record_field import word_of

# Members of an Enum are looked up through its metaclass (0.1 us each): the hot ones are bound here.
_WITHDRAWN = QuoteState.WITHDRAWN
_INVENTORY_LIMIT = QuoteState.INVENTORY_LIMIT
_PASSIVE = QuoteState.PASSIVE
_QUOTE = OrderPurpose.QUOTE
STEP_NS = NANOS_PER_SECOND
"""How often (A, k), gamma and what fills cost are estimated anew."""
SOLVE_NS = 10 * NANOS_PER_SECOND
"""How often the microprice's table is made anew."""
_FAIR_VALUE = {
    "mid": microprice.MID,
    "weighted_mid": microprice.WEIGHTED_MID,
    "microprice": microprice.MICROPRICE,
}
_TOUCH = struct.Struct("=2q")
_TOUCH_AT = 8 * word_of(VIEW, "bid_ticks")
_TSRV_BARS_A_SECOND = 10
_TSRV_SCALE = 20
"""Two scales: a tenth of a second, and two seconds."""
_KEPT = ("gamma", "tau_s", "drift", "impact", "forecast", "learned_half", "learned_weight")
"""Inputs of a quote that hold at a new price level too."""


class Quoter:
    """One instrument's quoting model and its estimates.

    Attributes:
        quote: QUOTE record with the last inputs, offsets and targets.
        intensity: INTENSITY record, the online (A, k).
        model: the spread model.
        multipliers: what makes spread, size and skew larger or smaller than the model's.
        costs: what fills have cost lately.
        stepped_ns: when estimates were last made, 0 = never.
        solved_ns: when the microprice's table was.
        lead: what fair value follows, None where it goes by its own market.
        status: what the last quote ended with; anything but OK means no targets.
        allowed_in: the state that allow_bid, allow_ask and spread_multiplier of the quote were set for, None where
            they have to be set anew.
    """

    def __init__(
        self, instrument: Instrument, spec: QuotingSpec, view: MarketView, markout: Rec
    ) -> None:
        """`markout` is the record that the instrument's fills are judged in."""
        self.quote: Rec = new(QUOTE)
        self.intensity: Rec = new(intensities.INTENSITY)
        self.multipliers = Multipliers(self.quote)
        self.status = OK
        self._spec = spec
        self._flow_coefficient = spec.flow_coefficient
        self._view = view
        self._touch = partial(_TOUCH.unpack_from, memoryview(view.record), _TOUCH_AT)
        """Best bid and ask."""
        self.stepped_ns = 0
        self._scale: Scale | None = None
        self._ticks_per_bps = 0.0
        self._fee = MakerFee(instrument)
        self.lead: Lead | None = None
        self._lead_shift = memoryview(self.quote["lead_shift"])
        self.costs = FillCosts(markout)
        view.touch["source"] = _FAIR_VALUE[spec.fair_value]
        self._solve = partial(bind(microprice.solve, view.touch, 0.0, 1.0), view.touch)
        self.solved_ns = 0
        self._activity = partial(bind(trade_flow.activity, view.flow, 0), view.flow)
        model = self.model = spread_model(spec.spread_model, spread_settings(spec))
        inputs = (self.quote, view.features, view.vol, self.intensity)
        self._targets = model.bind_targets(*inputs)
        self._prepare = partial(bind(prepare, *inputs, 0, 0, 0.0), *inputs)
        self._offsets = partial(model.offsets, self.quote)
        self._ladder = partial(bind(ladder, self.quote, 0, 0), self.quote)
        self._expose = bind(intensities.expose, self.intensity, 0, 0.0, 0.0, 0.0)
        self._fill = bind(intensities.fill, self.intensity, 0, 0.0)
        self._step = bind(intensities.step, self.intensity)
        self._set_gamma = bind(set_gamma, self.quote, 0.0)
        self._fair = memoryview(self.quote["fair"])
        self._smoother = Smoother(spec.smoothing_s) if spec.smoothing_s > 0.0 else None
        self._n = memoryview(self.quote["n"][0])
        self._tau_s = memoryview(self.quote["tau_s"])
        self._closes = spec.close_utc_s is not None
        self.allowed_in: QuoteState | None = None
        self._instrument = instrument
        self._blocked: Side | None = None
        self._gamma_factor = 1.0
        self._impact_ticks = self._impact_bps = 0.0
        self._spread_multipliers = multipliers_of(spec)

    @property
    def fair_ticks(self) -> float:
        """Fair value of the last quote."""
        return self._fair[0]

    @property
    def break_even_bps(self) -> float:
        """Half spread that just pays the maker fee."""
        return self._fee.bps

    @property
    def may_quote_inside(self) -> bool:
        """Whether half spreads may be less than break-even."""
        return self._spec.quote_inside_break_even

    def start(self, scale: Scale) -> None:
        """Begin with the priors, which are given in basis points, at a price level."""
        spec, per_bps = self._spec, scale.ticks_per_bps
        is_two_scale = spec.volatility_estimator == "tsrv"
        a_second = _TSRV_BARS_A_SECOND if is_two_scale else 1
        volatility.configure(
            self._view.vol,
            sigma_prior=spec.prior_sigma_bps * per_bps,
            bar_ns=NANOS_PER_SECOND // a_second,
            half_life_s=spec.volatility_halflife_s,
            bars_min=spec.volatility_bars_min * a_second,
            scale=_TSRV_SCALE if is_two_scale else 1,
        )
        settings = intensities.IntensitySettings(
            prior_rate=spec.prior_rate,
            prior_decay=spec.prior_decay_per_bps / per_bps,
            prior_fills=spec.prior_fills,
            bin_ticks=max(0.25 * per_bps, 0.5),
        )
        self.intensity[:] = intensities.new_intensity(settings)
        self.quote["gamma"] = spec.risk_aversion

    def change(self, spec: QuotingSpec) -> None:
        """Go by the changeable settings of another spec; a rescale is to follow."""
        self._spec = spec
        self._spread_multipliers = multipliers_of(spec)
        if spec.inventory_sd_target == 0.0:
            self.quote["gamma"] = spec.risk_aversion

    def rescale(self, scale: Scale) -> None:
        """Take over the sizes and distances of a new price level; estimates stay."""
        spec, per_bps = self._spec, scale.ticks_per_bps
        kept = {name: float(self.quote[name][0]) for name in _KEPT}
        self._scale, self._ticks_per_bps = scale, per_bps
        half_min_bps = 0.5 * spec.spread_bps_min
        if not self.may_quote_inside:
            half_min_bps = max(half_min_bps, self.break_even_bps)
        self.quote[:] = new_quote(
            QuoteSettings(
                unit_lots=scale.unit_lots,
                lots_min=scale.lots_min,
                levels=spec.levels,
                level_spacing_ticks=spec.level_spacing_bps * per_bps,
                spread_growth=spec.level_spread_growth,
                size_decay=spec.level_size_decay,
                skew_growth=spec.level_skew_growth,
                half_spread_ticks_min=half_min_bps * per_bps,
                half_spread_ticks_max=max(0.5 * spec.spread_bps_max, half_min_bps) * per_bps,
                size_skew=spec.size_skew,
            )
        )
        for name, value in kept.items():
            self.quote[name] = value
        self._write_impact()
        self.quote["fee"] = self._fee.bps * per_bps
        self.allowed_in = None
        self.multipliers.write()
        self._estimate_gamma()
        self._estimate_costs(self.stepped_ns)

    def target(
        self,
        state: QuoteState,
        position_lots: int,
        limit_lots: int,
        tau_s: float,
        now_ns: int = 0,
    ) -> None:
        """Write quote.n, px and sz for the present market; n is zero where nothing may be quoted.

        Only smoothing reads the time.
        """
        status = OK
        if state is not _WITHDRAWN:
            if state is not self.allowed_in or state is _INVENTORY_LIMIT:
                self._allow(state, position_lots / max(limit_lots, 1))
            if self._closes:
                self._tau_s[0] = tau_s  # type: ignore[call-overload]  # typeshed knows integers only
            if self.lead is not None:
                self._lead_shift[0] = self.lead.shift(now_ns)  # type: ignore[call-overload]
            touch, flow, smoother = self._touch(), self._flow_coefficient, self._smoother
            if smoother is None:
                status = self._targets(position_lots, limit_lots, flow, *touch)
            else:
                status = (
                    self._prepare(position_lots, limit_lots, flow)
                    or self._smooth(smoother, now_ns)
                    or self._offsets()
                    or self._ladder(*touch)
                )
        self.status = status
        if status != OK or state is _WITHDRAWN:
            self._n[0] = self._n[1] = 0
            self.allowed_in = None

    def _allow(self, state: QuoteState, inventory_ratio: float) -> None:
        """Tell the ladder which sides to quote and how widely."""
        self.allowed_in = state
        self.quote["allow_bid"], self.quote["allow_ask"] = sides_allowed(state, inventory_ratio)
        self.quote["reduces_only"] = state is _INVENTORY_LIMIT
        is_passive = state is _PASSIVE
        self.multipliers.set(
            Cause.STATE,
            spread=self._spread_multipliers.get(state, 1.0),
            size=self._spec.passive_size_multiplier if is_passive else 1.0,
        )
        if self._blocked is not None:
            self.quote["allow_bid" if self._blocked is Side.BUY else "allow_ask"] = 0

    def respond(self, response: Response) -> None:
        """Answer adverse fills from the next quote on: on top of what the quote state asks for."""
        self.multipliers.set(
            Cause.ADVERSE_SELECTION,
            spread=response.spread_multiplier,
            size=response.size_multiplier,
        )
        self._impact_ticks = response.impact_ticks
        self._write_impact()

    def lean_by(self, gamma_factor: float, impact_bps: float) -> None:
        """Multiply the risk aversion, and add to the measured impact, from the next quote on; (1, 0) is neither."""
        self._gamma_factor, self._impact_bps = gamma_factor, impact_bps
        self._estimate_gamma()
        self._write_impact()

    def _write_impact(self) -> None:
        self.quote["impact"] = self._impact_ticks + self._impact_bps * self._ticks_per_bps

    def block(self, side: Side | None) -> None:
        """Leave a side unquoted until told otherwise, so that a hedge does not meet it; None frees both."""
        if side is not self._blocked:
            self._blocked = side
            self.allowed_in = None

    def _smooth(self, smoother: Smoother, now_ns: int) -> int:
        """Put the smoothed fair value in the raw one's place; returns OK."""
        self._fair[0] = smoother.update(self._fair[0], now_ns)  # type: ignore[call-overload]
        return OK

    def on_fill(self, fill: Fill, order: Order | None) -> None:
        """One of our trades: what it paid is the fee from now on; a quote filled to the end is evidence."""
        is_quote = order is not None and order.purpose is OrderPurpose.QUOTE
        if order is not None and is_quote and order.state is OrderState.FILLED:
            self.on_order_filled(order.side, order.price_ticks)
        if self._spec.fee_from_fills and self._fee.on_fill(fill) and self._scale is not None:
            self.rescale(self._scale)

    def on_order_filled(self, side: Side, price_ticks: int) -> None:
        """One order was filled to the end: evidence for (A, k)."""
        self._fill(self.intensity, int(side), self._distance(side, price_ticks))

    def on_time(self, orders: WorkingOrders, now_ns: int) -> bool:
        """Once a second: count how long orders rested, estimate (A, k), gamma and costs; returns whether it did."""
        if now_ns - self.stepped_ns < STEP_NS:
            return False
        elapsed_s = (now_ns - self.stepped_ns) / NANOS_PER_SECOND if self.stepped_ns else 0.0
        self.stepped_ns = now_ns
        for order in orders:
            if order.purpose is not _QUOTE:
                continue
            distance = self._distance(order.side, order.price_ticks)
            self._expose(self.intensity, int(order.side), distance, min(elapsed_s, 2.0), 1.0)
        self._step(self.intensity)
        self._estimate_gamma()
        self.costs.update()
        self._estimate_costs(now_ns)
        if self.lead is not None:
            self.lead.on_time(now_ns)
        if now_ns - self.solved_ns >= SOLVE_NS:
            self._solve_microprice(now_ns)
        return True

    def _estimate_gamma(self) -> None:
        """The risk aversion at which inventory has the wanted spread, at the estimates of now."""
        if self._spec.inventory_sd_target > 0.0:
            self.quote["sigma"] = self._view.vol["sigma"]
            self.quote["rate"], self.quote["decay"] = (
                self.intensity["rate"],
                self.intensity["decay"],
            )
            if self._set_gamma(self.quote, self._spec.inventory_sd_target) == OK:
                self.quote["gamma"] *= self._gamma_factor
        else:
            self.quote["gamma"] = self._spec.risk_aversion * self._gamma_factor

    def _solve_microprice(self, now_ns: int) -> None:
        """Make its table of what was counted so far; nothing was where fair value starts from another price."""
        elapsed_s = (now_ns - self.solved_ns) / NANOS_PER_SECOND if self.solved_ns else 0.0
        self.solved_ns = now_ns
        if self._spec.fair_value == "microprice":
            self._solve(elapsed_s, self._spec.microprice_halflife_s)

    def _estimate_costs(self, now_ns: int) -> None:
        """What fills cost and how busy the market is, for the models that ask."""
        quote = self.quote
        quote["adverse_cost"] = self.costs.adverse_ticks(self._ticks_per_bps)
        quote["adverse_ratio"] = self.costs.adverse_ratio
        quote["activity"] = self._activity(now_ns)

    def _distance(self, side: Side, price_ticks: int) -> float:
        """How far inside fair value an order rests."""
        return side.sign * (self.fair_ticks - price_ticks)
