"""Every Prometheus family of the daemon, declared in one place and filled from State at scrape time.

The hot path never calls the client library: it counts in plain integers, which the collector reads.
"""

from collections.abc import Callable, Iterator

import msgspec

from mmd.core.risk.levels import RiskLevel
from mmd.core.risk.reasons import LevelReason, RiskReason
from mmd.ops.adverse_metrics import adverse_metrics
from mmd.ops.construction_metrics import construction_metrics
from mmd.ops.crossvenue_metrics import crossvenue_metrics
from mmd.ops.family import Family, counter, gauge
from mmd.ops.guardian_metrics import guardian_families
from mmd.ops.inventory_metrics import inventory_metrics
from mmd.ops.learning_metrics import learning_metrics
from mmd.ops.market_metrics import market_metrics
from mmd.ops.order_metrics import order_metrics
from mmd.ops.prediction_metrics import prediction_metrics
from mmd.ops.process_metrics import process_metrics
from mmd.ops.state import InstrumentState, RiskState, State

_LABELS = ("venue", "instrument")
_INSTRUMENT_COUNTERS: tuple[tuple[str, str, Callable[[InstrumentState], float]], ...] = (
    ("mmd_feed_messages", "Market-data messages applied", lambda i: i.book.messages),
    ("mmd_feed_gaps", "Sequence gaps found in the feed", lambda i: i.book.gaps),
    ("mmd_feed_resyncs", "Books built again from a snapshot", lambda i: i.book.resyncs),
    ("mmd_book_crossed", "Updates that left the book crossed", lambda i: i.book.crossed),
    ("mmd_book_checks", "Comparisons of our top 20 with the venue's", lambda i: i.book.checks),
    ("mmd_book_mismatches", "Comparisons that differed", lambda i: i.book.mismatches),
    ("mmd_orders_sent", "Orders sent", lambda i: i.orders_sent),
    ("mmd_orders_acked", "Orders that the venue accepted", lambda i: i.orders_acked),
    ("mmd_orders_rejected", "Orders that the venue refused", lambda i: i.orders_rejected),
    (
        "mmd_orders_canceled",
        "Orders that ended unfilled or part filled",
        lambda i: i.orders_canceled,
    ),
    ("mmd_fills", "Our trades", lambda i: i.fills),
    ("mmd_fills_maker", "Our trades as maker", lambda i: i.fills_maker),
    (
        "mmd_fills_while_down",
        "Our trades from before the start, when no process of ours ran",
        lambda i: i.fills_while_down,
    ),
)
_INSTRUMENT_GAUGES: tuple[tuple[str, str, Callable[[InstrumentState], float | None]], ...] = (
    ("mmd_book_synced", "1 while the book is exact", lambda i: i.book.synced),
    ("mmd_book_age_seconds", "Time since the book last changed", lambda i: i.book.age_s),
    ("mmd_book_age_limit_seconds", "Age from which the book is stale", lambda i: i.book.age_s_max),
    (
        "mmd_feed_messages_per_second",
        "Market data a second, over the last second",
        lambda i: i.book.messages_per_s,
    ),
    ("mmd_mid_price", "Mid in quote currency", lambda i: i.mid),
    ("mmd_fair_price", "Fair value in quote currency", lambda i: i.fair),
    ("mmd_half_spread_bps", "Half spread of level 0 in basis points", lambda i: i.half_spread_bps),
    ("mmd_skew_bps", "Skew of level 0 in basis points", lambda i: i.skew_bps),
    ("mmd_sigma_bps", "Volatility in basis points per square-root second", lambda i: i.sigma_bps),
    ("mmd_position_base", "Inventory in base currency", lambda i: float(i.position)),
    ("mmd_inventory_ratio", "Inventory over its limit, -1 to 1", lambda i: i.inventory_ratio),
    ("mmd_pnl_quote", "Total PnL in quote currency", lambda i: i.pnl_total),
    ("mmd_pnl_realised_quote", "Realised PnL in quote currency", lambda i: i.pnl_realised),
    ("mmd_pnl_unrealised_quote", "Unrealised PnL in quote currency", lambda i: i.pnl_unrealised),
    ("mmd_fees_quote", "Fees paid in quote currency", lambda i: i.fees),
    (
        "mmd_funding_rate_ratio",
        "Funding of a perpetual by its notional once an interval; positive: longs pay",
        lambda i: i.funding_rate,
    ),
    ("mmd_edge_quote", "Sum of edges of our fills in quote currency", lambda i: i.edge),
    (
        "mmd_pnl_identity_error",
        "Difference of the two PnL accounts, integer units; never but 0",
        lambda i: i.identity_error,
    ),
    (
        "mmd_position_drift_atoms",
        "Our position less the venue's, atoms; never but 0",
        lambda i: i.position_drift_atoms,
    ),
    (
        "mmd_feed_latency_seconds",
        "Age of the last event when it came, by the venue's clock",
        lambda i: i.feed_latency_s,
    ),
    (
        "mmd_quoting_uptime_ratio",
        "Share of the time with orders on both sides",
        lambda i: i.uptime_ratio,
    ),
    (
        "mmd_adverse_streak",
        "Fills in a row with a negative markout",
        lambda i: i.adverse_streak,
    ),
    (
        "mmd_break_even_bps",
        "Half spread that just pays the maker fee",
        lambda i: i.model.break_even_bps,
    ),
    (
        "mmd_adverse_cost_bps",
        "Mean move against us after a fill, shrunk to its prior",
        lambda i: i.model.adverse_cost_bps,
    ),
    (
        "mmd_adverse_fill_ratio",
        "Share of recent fills with a negative markout",
        lambda i: i.model.adverse_fill_ratio,
    ),
    (
        "mmd_activity_ratio",
        "Recent volume over its slow average",
        lambda i: i.model.activity_ratio,
    ),
    (
        "mmd_microprice_trust_ratio",
        "How far the microprice goes by what it has learned",
        lambda i: i.model.microprice_trust_ratio,
    ),
    ("mmd_lead_followed", "1 while fair value follows a leader", lambda i: i.model.lead_followed),
    (
        "mmd_lead_shift_bps",
        "How far a leader moves fair value",
        lambda i: i.model.lead_shift_bps,
    ),
    ("mmd_orders_unknown", "Orders whose fate is being asked for", lambda i: i.orders_unknown),
    (
        "mmd_orders_owing_fills",
        "Orders that ended with more filled than trades were told",
        lambda i: i.orders_owing_fills,
    ),
    ("mmd_orders_working", "Orders that are or may be working", lambda i: len(i.orders)),
)


class StateCollector:
    """Turns one State into metric families; a collector as the client library's registry takes it."""

    def __init__(self, snapshot: Callable[[], State]) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Family]:
        """All families, from one consistent snapshot."""
        state = self._snapshot()
        named = [((i.venue, i.symbol), i) for i in state.instruments]
        yield from process_metrics(state)
        for name, text, value_of in _INSTRUMENT_COUNTERS:
            family = counter(name, text, labels=_LABELS)
            for labels, i in named:
                family.add_metric(labels, value_of(i))
            yield family
        for name, text, maybe_of in _INSTRUMENT_GAUGES:
            family = gauge(name, text, labels=_LABELS)
            for labels, i in named:
                value = maybe_of(i)
                if value is not None:
                    family.add_metric(labels, value)
            yield family
        yield from _labelled(state)
        yield from guardian_families(state.guardian)


def _labelled(state: State) -> Iterator[Family]:
    """Families with a label from a closed set."""
    unknown = counter(
        "mmd_venue_unknown_events",
        "Messages of kinds that the venue's adapter does not know",
        labels=("venue",),
    )
    for venue, count in state.unknown_events.items():
        unknown.add_metric((venue,), count)
    yield unknown
    level = gauge(
        "mmd_risk_level", "1 at the risk level that holds, 0 at the others", labels=("level",)
    )
    for each in RiskLevel:
        level.add_metric((each.name,), state.risk_level == each.name)
    yield level
    yield counter(
        "mmd_risk_approvals", "Commands that the risk gate let through", state.risk_approvals
    )
    refusals = counter("mmd_risk_refusals", "Commands refused by the risk gate", labels=("reason",))
    for reason in RiskReason:
        if reason is not RiskReason.OK:
            refusals.add_metric((reason.name,), state.risk_refusals.get(reason.name, 0))
    yield refusals
    yield from _risk(state.risk)
    quote = gauge(
        "mmd_quote_state", "1 at the quote state that holds", labels=(*_LABELS, "state", "reason")
    )
    markout = gauge(
        "mmd_markout_bps", "Mean markout of our fills by horizon", labels=(*_LABELS, "horizon")
    )
    for i in state.instruments:
        quote.add_metric((i.venue, i.symbol, i.quote_state, i.reason), 1)
        for horizon, bps in i.markout_bps.items():
            if bps is not None:
                markout.add_metric((i.venue, i.symbol, horizon), bps)
    yield quote
    yield markout
    yield from market_metrics(state.instruments)
    yield from order_metrics(state.instruments)
    yield from construction_metrics(state.instruments)
    yield from adverse_metrics(state.instruments)
    yield from prediction_metrics(state.instruments)
    yield from learning_metrics(state.instruments)
    yield from inventory_metrics(state.instruments, state.inventory)
    yield _sources(state)
    yield from crossvenue_metrics(state.crossvenue)


def _sources(state: State) -> Family:
    """PnL by source, of each instrument."""
    family = gauge(
        "mmd_pnl_source_quote",
        "PnL by source in quote currency; fees negative, so that the sources add up to the total",
        labels=(*_LABELS, "source"),
    )
    for i in state.instruments:
        for source, value in msgspec.structs.asdict(i.sources).items():
            family.add_metric((i.venue, i.symbol, source), -value if source == "fees" else value)
    return family


def _risk(risk: RiskState) -> Iterator[Family]:
    """Families of risk control: why the level rose, and how far off each limit is."""
    rises = counter("mmd_risk_level_rises", "Rises of the risk level", labels=("reason",))
    for reason in LevelReason:
        rises.add_metric((reason.name,), risk.level_rises.get(reason.name, 0))
    yield rises
    headroom = gauge(
        "mmd_risk_headroom_ratio",
        "Share of a limit that is free: 1 untouched, 0 used up",
        labels=("limit",),
    )
    for limit, ratio in risk.headroom.items():
        headroom.add_metric((limit,), ratio)
    yield headroom
    gauges: tuple[tuple[str, str, float | None], ...] = (
        ("mmd_exposure_gross", "Gross exposure, reporting currency", risk.exposure_gross),
        ("mmd_exposure_net", "Net exposure, reporting currency", risk.exposure_net),
        ("mmd_day_pnl", "PnL of the day, reporting currency", risk.day_pnl),
        ("mmd_day_drawdown", "Fall from the day's peak, reporting currency", risk.day_drawdown),
        ("mmd_day_return_ratio", "PnL of the day over the capital base", risk.day_return),
        ("mmd_order_to_trade_ratio", "Orders of the day per fill", risk.order_to_trade),
        ("mmd_clock_offset_seconds", "Venue clock less ours", risk.clock_offset_s),
        ("mmd_blackout_active", "1 in a scheduled blackout", risk.blackout is not None),
    )
    for name, text, value in gauges:
        if value is not None:
            yield gauge(name, text, value)
