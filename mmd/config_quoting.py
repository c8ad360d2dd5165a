"""The settings of quoting: spread model, fair value, ladder, estimates and order economy."""

from decimal import Decimal
from typing import Final, Literal, NamedTuple

from pydantic import Field, model_validator

from mmd.config_section import NS_PER_MS, Section, seconds_of_day
from mmd.core.spec import QuotingSpec


class Ensemble(NamedTuple):
    """What a strategy is made of."""

    spread_model: str
    forecast: str
    policy: bool = False
    """Q-learning chooses among ways to quote."""
    bandit: bool = False
    """A bandit chooses risk aversion and offset."""


_STRATEGIES: Final = {
    "rule_based": Ensemble("dynamic", "none"),
    "glft": Ensemble("glft", "none"),
    "q_learning": Ensemble("glft", "none", policy=True),
    "lstm_q": Ensemble("glft", "lstm", policy=True),
    "full": Ensemble("learned", "lstm", policy=True, bandit=True),
}


class QuotingSection(Section):
    """How to quote. Prices in basis points of mid, sizes in quote currency, times in milliseconds."""

    enabled: bool = Field(True, description="false: keep books and features, send no orders")
    strategy: Literal["custom", "rule_based", "glft", "q_learning", "lstm_q", "full"] = Field(
        "custom",
        description="how much is learned, from nothing to all; any but custom goes before spread_model and forecast",
    )
    spread_model: Literal[
        "fixed", "avellaneda_stoikov", "glft", "ho_stoll", "dynamic", "learned"
    ] = Field("glft", description="how wide to quote, and how far to lean against inventory")
    order_notional: Decimal = Field(
        Decimal(100), gt=0, description="size of a level-0 order, quote currency"
    )
    levels: int = Field(3, ge=1, le=8, description="price levels a side")
    level_spacing_bps: float = Field(2.0, ge=0, description="distance between levels")
    level_spread_growth: float = Field(
        0.2, ge=0, description="half spread of level i grows by this times i"
    )
    level_size_decay: float = Field(0.7, gt=0, le=1, description="size of level i is decay**i")
    level_skew_growth: float = Field(0.1, ge=0, description="skew of level i grows by this times i")
    spread_bps_min: float = Field(0.0, ge=0, description="full spread is never below")
    spread_bps_max: float = Field(100.0, gt=0, description="full spread is never above")
    fee_from_fills: bool = Field(
        True,
        description="take the maker fee from what fills paid; false: only as the venue states it",
    )
    funding_drift: bool = Field(
        True,
        description="let a perpetual's funding rate lean the optimal quotes to the side that it pays",
    )
    quote_inside_break_even: bool = Field(
        False, description="allow half spreads below the maker fee"
    )
    fixed_half_spread_bps: float = Field(2.0, gt=0, description="half spread of the fixed model")
    fixed_skew_half_spreads: float = Field(
        1.0,
        ge=0,
        description="skew of fixed and dynamic at the position limit, in half spreads",
    )
    glft_form: Literal["exact", "closed"] = Field(
        "exact", description="closed: the asymptotic formula, poor at large inventories"
    )
    ho_stoll_form: Literal["linear", "components"] = Field(
        "linear",
        description="linear arrivals, or the costs of inventory, processing and adverse selection",
    )
    ho_stoll_processing_bps: float = Field(
        0.0, ge=0, description="cost of processing a fill besides its fee; component form"
    )
    dynamic_width: float = Field(
        1.0, gt=0, description="half spread in moves expected while a quote stands"
    )
    dynamic_life_s: float = Field(
        0.0, ge=0, description="how long a quote stands; 0: by the fill intensity"
    )
    dynamic_inventory_widening: float = Field(
        0.5, ge=0, le=5, description="how much wider at the position limit, as a share"
    )
    dynamic_activity_exponent: float = Field(
        0.5,
        ge=-2,
        le=2,
        description="power of recent over usual volume; above 0 widens in bursts, below 0 narrows",
    )
    inventory_sd_target: float = Field(
        3.0,
        ge=0,
        description="wanted inventory sd in order sizes; sets gamma; 0: use risk_aversion",
    )
    risk_aversion: float = Field(
        0.01, gt=0, description="gamma per tick and order size, where no sd target is set"
    )
    inventory_units_max: int = Field(
        30, ge=5, le=100, description="half width of the GLFT inventory grid, order sizes"
    )
    close_utc: str | None = Field(
        None,
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        description="daily close, UTC, e.g. 16:00; needed by avellaneda_stoikov",
    )
    prior_sigma_bps: float = Field(
        0.5, gt=0, description="volatility before data: bps per square-root second"
    )
    prior_rate: float = Field(
        0.5, gt=0, description="fill intensity A before data: fills per second at zero distance"
    )
    prior_decay_per_bps: float = Field(
        0.5, gt=0, description="fill intensity decay k before data, per bps"
    )
    prior_fills: float = Field(20.0, ge=0, description="weight of that prior, in fills")
    fair_value: Literal["microprice", "weighted_mid", "mid"] = Field(
        "microprice",
        description="what fair value starts from; the microprice is learned, from the weighted mid on",
    )
    microprice_halflife_s: float = Field(
        14_400.0, ge=60, description="time after which what it was learned from counts half"
    )
    lead: str = Field(
        "",
        pattern=r"^$|^[^:]+:[^:]+$",
        description="<venue>:<symbol> whose microprice fair value follows; empty: none",
    )
    lead_stale_ms: int = Field(
        1000, gt=0, description="a leader whose book has not changed for longer is not followed"
    )
    lead_basis_halflife_s: float = Field(
        300.0, ge=1, description="averaging of the usual difference between the two microprices"
    )
    lead_shift_bps_max: float = Field(
        10.0, gt=0, description="how far a leader may move fair value"
    )
    forecast: Literal["none", "flow", "online", "lstm"] = Field(
        "none",
        description="the one source of the mid's expected move, at most a quarter of the spread",
    )
    flow_coefficient: float = Field(
        0.0, description="forecast = flow: ticks per lot of 5 s order flow imbalance"
    )
    volatility_estimator: Literal["ewma", "tsrv"] = Field(
        "ewma",
        description="one-second bars, or two time scales, which sees through a flickering touch",
    )
    volatility_halflife_s: float = Field(
        60.0, gt=0, description="time after which a bar counts half in the volatility"
    )
    volatility_bars_min: int = Field(
        20, ge=2, description="one-second bars before the prior volatility is left"
    )
    volatility_bps_max: float = Field(
        20.0, gt=0, description="quotes are withdrawn above this, bps per square-root second"
    )
    size_skew: bool = Field(True, description="smaller orders on the side that adds inventory")
    requote_tolerance_bps: float = Field(
        0.5, ge=0, description="an order this near its target keeps its queue place"
    )
    requote_interval_ms: int = Field(
        0, ge=0, description="least age of an order before it is moved towards the touch; 0: none"
    )
    smoothing_s: float = Field(
        0.0, ge=0, description="time constant of the fair value's exponential smoothing; 0: none"
    )
    passive_spread_multiplier: float = Field(
        2.0, ge=1, le=10, description="how much wider quotes are while cautious"
    )
    passive_size_multiplier: float = Field(
        0.5, gt=0, le=1, description="how much smaller they are then"
    )
    aggressive_spread_multiplier: float = Field(
        0.7,
        gt=0,
        le=1,
        description="how much narrower quotes are where construction.aggressive allows it",
    )
    refresh_delay_ms: int = Field(
        100, ge=0, description="wait before a filled side is quoted again"
    )
    request_timeout_ms: int = Field(
        2000, gt=0, description="an unanswered order is queried after this"
    )

    @model_validator(mode="after")
    def _consistent(self) -> "QuotingSection":
        if self.spread_bps_min > self.spread_bps_max:
            raise ValueError(
                f"spread_bps_min {self.spread_bps_min} must not exceed spread_bps_max {self.spread_bps_max}"
            )
        self._check_strategy()
        if (self.forecast == "flow") != (self.flow_coefficient != 0.0):
            raise ValueError(
                f"forecast {self.forecast} with flow_coefficient {self.flow_coefficient}: expected forecast = flow "
                "and a fitted coefficient, or neither"
            )
        if self.spread_model == "avellaneda_stoikov" and self.close_utc is None:
            raise ValueError(
                "avellaneda_stoikov needs close_utc, a real liquidation horizon; use glft where there is none"
            )
        return self

    def _check_strategy(self) -> None:
        """A flow's forecast is fitted and wanted: a strategy with another, or none, does not pass over it in silence."""
        wanted = self.ensemble.forecast
        if self.forecast == "flow" and wanted != "flow":
            raise ValueError(
                f"forecast flow with strategy {self.strategy}, whose forecast is {wanted}: expected strategy = custom, "
                "or no forecast"
            )

    @property
    def ensemble(self) -> Ensemble:
        """What the strategy is made of."""
        if self.strategy == "custom":
            return Ensemble(self.spread_model, self.forecast)
        return _STRATEGIES[self.strategy]

    def spec(self) -> QuotingSpec:
        """The engine's form: nanoseconds for milliseconds, the rest as it stands."""
        fields = self.model_dump()
        for key in ("lead_stale", "requote_interval", "refresh_delay", "request_timeout"):
            fields[f"{key}_ns"] = fields.pop(f"{key}_ms") * NS_PER_MS
        fields.pop("forecast")  # a flow's coefficient says it all, and a network's is ModelsSpec's
        fields.pop("strategy")
        fields["spread_model"] = self.ensemble.spread_model
        close = fields.pop("close_utc")
        fields["close_utc_s"] = None if close is None else seconds_of_day(close)
        return QuotingSpec(**fields)
