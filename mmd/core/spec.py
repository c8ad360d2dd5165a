"""What a session is made of: the whole input of an engine besides events.

The journal's first record is a SessionSpec, so that a recorded session can be rebuilt and replayed
without its configuration file.
"""

from decimal import Decimal

import msgspec

from mmd.core.blackouts import Blackout
from mmd.core.flow.adverse_spec import AdverseSpec
from mmd.core.instrument import Instrument
from mmd.core.inventory.settings import HedgeSpec, InventorySpec
from mmd.core.learned.models_spec import ModelsSpec
from mmd.core.quoting.construction import ConstructionSpec
from mmd.core.trading_day import DayState


class QuotingSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How to quote; user-facing meaning and defaults of each stand in mmd.config."""

    enabled: bool
    spread_model: str
    order_notional: Decimal
    """Quote currency in a level-0 order."""
    levels: int
    level_spacing_bps: float
    level_spread_growth: float
    level_size_decay: float
    level_skew_growth: float
    spread_bps_min: float
    spread_bps_max: float
    quote_inside_break_even: bool
    fixed_half_spread_bps: float
    inventory_sd_target: float
    """Stationary inventory sd in order sizes, from which gamma follows; 0 uses risk_aversion."""
    risk_aversion: float
    """gamma per (tick * order size), used where inventory_sd_target is 0."""
    inventory_units_max: int
    close_utc_s: int | None
    """Daily liquidation horizon in seconds after midnight UTC; None where there is none."""
    prior_sigma_bps: float
    prior_rate: float
    prior_decay_per_bps: float
    prior_fills: float
    flow_coefficient: float
    volatility_halflife_s: float
    volatility_bars_min: int
    volatility_bps_max: float
    size_skew: bool
    fixed_skew_half_spreads: float
    requote_tolerance_bps: float
    requote_interval_ns: int
    refresh_delay_ns: int
    request_timeout_ns: int
    smoothing_s: float = 0.0
    passive_spread_multiplier: float = 2.0
    passive_size_multiplier: float = 0.5
    aggressive_spread_multiplier: float = 0.5
    glft_form: str = "exact"
    ho_stoll_form: str = "linear"
    ho_stoll_processing_bps: float = 0.0
    dynamic_width: float = 1.0
    dynamic_life_s: float = 0.0
    dynamic_inventory_widening: float = 0.5
    dynamic_activity_exponent: float = 0.5
    fair_value: str = "weighted_mid"
    microprice_halflife_s: float = 14_400.0
    volatility_estimator: str = "ewma"
    lead: str = ""
    """<venue>:<symbol> that fair value follows; empty: none."""
    lead_stale_ns: int = 1_000_000_000
    lead_basis_halflife_s: float = 300.0
    lead_shift_bps_max: float = 10.0
    fee_from_fills: bool = False
    funding_drift: bool = False


class VenueBudgets(msgspec.Struct, frozen=True, kw_only=True):
    """What one venue lets us send in a time."""

    venue: str
    orders_per_10s: int
    orders_per_day: int
    messages_per_minute: int


class RiskSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What must not be exceeded; user-facing meaning and defaults of each stand in mmd.config.

    Position and order limits are in the quote currency of each instrument, exposure and losses in the reporting
    currency. Where a field has a default, it is what sessions recorded before there was the field did.
    """

    position_notional_max: Decimal
    order_notional_max: Decimal
    collar_bps: float
    open_orders_max: int
    orders_per_10s: int
    orders_per_day: int
    messages_per_minute: int
    stale_book_ns: int
    loss_max: Decimal
    drawdown_max: Decimal
    rejects_max: int
    rejects_window_ns: int
    reporting_currency: str = ""
    """Empty: the quote currency of the first instrument."""
    capital_base: Decimal = Decimal(0)
    exposure_gross_max: Decimal | None = None
    exposure_net_max: Decimal | None = None
    venue_gross_max: Decimal | None = None
    venue_net_max: Decimal | None = None
    asset_gross_max: Decimal | None = None
    asset_net_max: Decimal | None = None
    clock_offset_ns_max: int = 0
    """0 is off, as in the next two."""
    feed_latency_ns_max: int = 0
    order_to_trade_max: int = 0
    order_to_trade_grace: int = 0
    blackouts: tuple[Blackout, ...] = ()
    on_loss: str = "halt"
    day_starts_s: int = 0
    adverse_streak_max: int = 0
    adverse_horizon_ns: int = 1_000_000_000
    position_drift_max: Decimal = Decimal(10) ** 18
    caution_hold_ns: int = 0
    private_down_ns: int = 2**62
    flatten_slippage_bps: float = 50.0
    orders_reserve_ratio: float = 0.0
    backoff_ns_max: int = 0
    stale_book_pauses: float = 0.0
    stale_book_ns_max: int = 0
    budgets_by_venue: bool = False
    """Whether the budgets of orders and messages are each venue's; else all venues share them."""
    venue_budgets: tuple[VenueBudgets, ...] = ()
    """Of the venues whose budgets are others than the settings' own."""
    feed_messages_per_s_max: int = 0
    """0 is off."""


class ArbitrageSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for between venues; user-facing meaning and defaults of each stand in mmd.config_crossvenue.

    Money is in the reporting currency.
    """

    executes: bool
    profit_min: Decimal
    age_ns_max: int
    rate_age_ns_max: int
    latency_prior_ns: int
    slippage_share: float
    notional_max: Decimal
    retry_ns: int
    unwind_slippage_bps: float
    unwind_ns_max: int


class SessionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an engine is built from."""

    schema: int
    version: str
    session: int
    """31 bits that no other session of the account has; upper half of every client order id."""
    environment: str
    started_unix_ns: int
    started_monotonic_ns: int
    seed: int
    instruments: tuple[Instrument, ...]
    target_atoms: tuple[int | None, ...]
    """Per instrument, the base holdings that count as no inventory; None: whatever is found at the start."""
    quoting: QuotingSpec
    risk: RiskSpec
    adverse: AdverseSpec | None = None
    """None: fills are not judged for adverse selection."""
    day: DayState | None = None
    """What an earlier session of the same day left; None where there was none."""
    inventory: InventorySpec = InventorySpec()
    hedge: HedgeSpec = HedgeSpec()
    book_shows_own: bool = False
    """Whether the market data contain our own orders, which are then taken out before anything is made of it."""
    construction: ConstructionSpec = ConstructionSpec()
    arbitrage: ArbitrageSpec | None = None
    """None: nobody looks."""
    models: ModelsSpec = ModelsSpec()
    books_early_fills: bool = False
    """Whether fills that are told before the first reconciliation are booked, and carried inventory is valued at the first
    mid that is known; else such fills are a part of the holdings that are found then."""


SCHEMA = 1
