"""The picture of a running daemon that people and machines read: `/api/state`, `/metrics`, the summary."""

import msgspec

from mmd.guardian.keeper import GuardianView
from mmd.ops.crossvenue_state import CrossVenueState
from mmd.ops.histogram_state import HistogramState, LatencyState
from mmd.ops.inventory_state import HeldState, InventoryState
from mmd.ops.learning_state import LearningState
from mmd.ops.order_flow_state import OrderFlowState
from mmd.ops.process_use import ProcessState


class BookState(msgspec.Struct, frozen=True):
    """The exact book and how it has fared."""

    synced: bool
    update_id: int
    age_s: float
    age_s_max: float
    messages_per_s: float
    """Market data of the last second that was looked at; above risk.feed_messages_per_s_max it is a storm."""
    """From which age it is stale."""
    bids: list[tuple[str, str]]
    """(price, quantity) as exact decimals, best first, at most 20."""
    asks: list[tuple[str, str]]
    messages: int
    gaps: int
    resyncs: int
    crossed: int
    checks: int
    mismatches: int


class OrderState(msgspec.Struct, frozen=True):
    """One order that is or may be working."""

    client_order_id: str
    side: str
    price: str
    qty: str
    filled: str
    state: str
    level: int
    queue_ahead: float | None = None
    """What rests before it at its price, at most; known to the ops process only, while the level is shown."""


class FillState(msgspec.Struct, frozen=True):
    """One of our trades."""

    trade_id: int
    side: str
    price: str
    qty: str
    is_maker: bool
    fee: str
    fee_asset: str
    ts_event_ns: int


class SourcesState(msgspec.Struct, frozen=True):
    """PnL by source in quote currency; they add up to the total, fees taken away."""

    spread: float = 0.0
    drift: float = 0.0
    hedging: float = 0.0
    arbitrage: float = 0.0
    rebates: float = 0.0
    fees: float = 0.0
    funding: float = 0.0
    """What perpetuals paid to us for holding them."""


class QuoteChangeState(msgspec.Struct, frozen=True):
    """One change of a quote state or of its reason."""

    age_s: float
    before: str
    after: str
    reason: str


class ConstructionState(msgspec.Struct, frozen=True):
    """How the quote state came about, and what leans on the quotes besides the spread model."""

    state_changes: list[tuple[str, str, int]]
    """How many changes led to each state for each reason."""
    last_changes: list[QuoteChangeState]
    """Oldest first."""
    sigma_slow_bps: float | None
    age_skew_multiplier: float
    recent_markout_bps: float | None
    """Of the latest fills after a second, before fees; followed where aggressive quotes are allowed."""
    recent_fills: float
    favourable: bool
    own_levels: tuple[int, int]
    """Our orders that are taken out of the book's view, bids and asks."""
    resting: list[str]
    """Sides on which a level rests after a fill."""
    requotes_skipped: int
    """Decisions that left an order where it was because little was left of the order budget."""


class ToxicityState(msgspec.Struct, frozen=True):
    """Fills of one side and level of the ladder."""

    side: str
    level: int
    fills: int
    recent_fills: float
    """The same with older fills counting less."""
    ratio: float
    """Share of the recent ones that was adverse."""
    moved_bps: float
    """What the mid did within 30 s, less the usual; negative is against us. Shrunk to the mean of all levels."""


class AdverseState(msgspec.Struct, frozen=True):
    """Adverse selection: how fills were judged, and what quotes were told."""

    mode: str
    responds: bool
    level: float
    """How strongly quotes answer, 0 to 1."""
    size_multiplier: float
    spread_multiplier: float
    impact_bps: float
    """xi that quotes reckon with."""
    measured_impact_bps: float
    z: dict[str, float | None]
    """By horizon: the markouts of the last fills in standard deviations."""
    judged: dict[str, int]
    judged_adverse: dict[str, int]
    """By stage, ever."""
    fired: dict[str, int]
    """Fills by test that fires, and ..."""
    adverse_fills: int
    """... that are adverse, by the last verdict on each."""
    toxicity: list[ToxicityState]
    imbalance_5m: float
    vpin: float
    """A diagnostic; nothing follows from it."""
    kyle_lambda_bps: float | None
    """Move of the mid with net trades of one order size in the same second; None while too little was traded."""
    permanent_impact_bps: float | None
    """What a minute leaves of it."""
    temporary_impact_bps: float | None


class ModelState(msgspec.Struct, frozen=True):
    """What spread model and fair value go by, besides sigma, A and k."""

    spread_model: str
    break_even_bps: float
    """Half spread that just pays the maker fee."""
    risk_aversion: float
    """gamma per (tick * order size)."""
    adverse_cost_bps: float | None
    """Mean move against us after a fill, shrunk to its prior; None before there is a price."""
    adverse_fill_ratio: float
    """Share of recent fills with a negative markout."""
    activity_ratio: float
    """Recent volume over its slow average."""
    microprice_trust_ratio: float
    """How far the microprice goes by what it has learned, averaged over the states that were seen."""
    lead: str | None
    """What fair value follows."""
    lead_followed: bool | None
    lead_shift_bps: float | None
    """By how much that moves fair value."""


class ModelScoreState(msgspec.Struct, frozen=True):
    """A network's forecasts over one horizon against what the mid then did."""

    role: str
    model: str
    bars_ahead: int
    n: int
    r2: float | None
    """Of the forecasts against no change; below 0 is worse."""
    hit_ratio: float | None
    """Share of moves whose direction was forecast."""
    rmse_ticks: float | None


class PredictionState(msgspec.Struct, frozen=True):
    """One instrument's learned models."""

    rung: str
    """What is left of the ensemble: FULL, TREES, FORECAST, GLFT or PULLED."""
    price_status: str
    spread_status: str
    champions: dict[str, str]
    challenger: str
    bars: int
    """Since the sampling clock last started."""
    age_s: float | None
    """Of the last prediction, from the end of its bar; None before the first."""
    forecast_ticks: float | None
    """This, volatility and probability are None while price_status is not OK."""
    volatility_ticks: float | None
    probability: float | None
    half_spread_bps: float | None
    """None while spread_status is not OK; half_spread_told_bps while quotes are told none."""
    forecast_told_ticks: float
    """What quotes are told of the forecast: clipped, and no faster than it may move."""
    half_spread_told_bps: float | None
    forecasts_held: int
    """Times that the rate kept the forecast short of where it was to be."""
    spreads_held: int
    policy_action: str
    """What the Q-learning policy chose last; empty: there is none."""
    swaps: int
    refusals: int
    refusal: str
    rung_changes: int
    scores: list[ModelScoreState]


class InstrumentState(msgspec.Struct, frozen=True):
    """Everything about one instrument."""

    venue: str
    symbol: str
    quote_state: str
    reason: str
    mid: float | None
    fair: float | None
    half_spread_bps: float | None
    skew_bps: float | None
    sigma_bps: float | None
    rate: tuple[float, float]
    decay_per_bps: tuple[float, float]
    position: str
    inventory_ratio: float
    average_cost: float | None
    pnl_total: float
    pnl_realised: float
    pnl_unrealised: float
    fees: float
    edge: float
    identity_error: int
    sources: SourcesState
    position_drift_atoms: int
    orders_sent: int
    orders_acked: int
    orders_rejected: int
    orders_canceled: int
    orders_unknown: int
    fills: int
    fills_maker: int
    book: BookState
    orders: list[OrderState]
    last_fills: list[FillState]
    markout_bps: dict[str, float | None]
    feed_latency_s: float | None
    """Age of the last event when it came, by the venue's clock; None where the venue states no times."""
    uptime_ratio: float | None
    """Share of the time in which orders rested on both sides."""
    adverse_streak: int
    construction: ConstructionState
    model: ModelState
    held: HeldState
    prediction: PredictionState | None = None
    """None where nothing is predicted."""
    learning: LearningState | None = None
    """Likewise."""
    adverse: AdverseState | None = None
    """None where fills are not judged."""
    fills_while_down: int = 0
    """Of the fills, those that the venue told of at the start: made while no process of ours ran."""
    orders_owing_fills: int = 0
    """Orders that ended with more filled than trades were told; they count as exposure until those come."""
    order_flow: OrderFlowState | None = None
    funding_rate: float | None = None
    """Of a perpetual's notional, once an interval; positive: longs pay. None where there is none."""
    is_feed_up: bool = False
    is_private_up: bool = False
    """Whether order entry and account are connected."""
    base: str = ""
    quote: str = ""
    tick_size: str = "0"
    """In quote currency, as an exact decimal."""


class RiskState(msgspec.Struct, frozen=True):
    """Risk control of the session; money in the reporting currency."""

    reporting_currency: str
    level_rises: dict[str, int]
    """How often each reason raised the level."""
    headroom: dict[str, float]
    """By limit, the share that is free: 1 untouched, 0 used up, below 0 exceeded."""
    exposure_gross: float
    exposure_net: float
    """Longs less shorts, worst case of the larger side."""
    day_pnl: float | None
    day_drawdown: float | None
    day_return: float | None
    """Of the capital base; None where none is stated."""
    order_to_trade: float
    """Orders of the day for each of its fills."""
    clock_offset_s: float | None
    blackout: str | None
    """Reason of the one that holds, None outside."""


class State(msgspec.Struct, frozen=True):
    """The whole daemon at one moment."""

    version: str
    environment: str
    session: str
    uptime_s: float
    taken_unix_s: float
    """When this picture was taken, by the session's clock, which goes on evenly where the wall clock steps."""
    taken_monotonic_s: float
    """The same by the machine's monotonic clock, for its age: an old picture means that the engine is not well."""
    ready: bool
    risk_level: str
    risk_reason: str
    risk_refusals: dict[str, int]
    risk: RiskState
    inventory: InventoryState
    decisions: int
    journal_up: bool
    journal_records: int
    journal_bytes: int
    tick_to_order_us: LatencyState
    stages_us: dict[str, LatencyState]
    loop_lag_us: LatencyState
    instruments: list[InstrumentState]
    crossvenue: CrossVenueState | None = None
    """None where no two instruments share a base asset, or nobody looks."""
    risk_approvals: int = 0
    journal_unsynced_bytes: int = 0
    journal_sync: HistogramState = HistogramState()
    """How long bringing the journal to the disk takes."""
    settings_changes: int = 0
    """How often settings were changed while the session ran, and ..."""
    last_settings_change: dict[str, bool | int | float | str] = {}
    """... what the last change set."""
    process: ProcessState | None = None
    """None where nobody measures."""
    guardian: GuardianView | None = None
    """None where nobody is asked to take our orders back if we die."""
    unknown_events: dict[str, int] = {}
    """By venue, messages of kinds that its adapter does not know, all passed over."""
