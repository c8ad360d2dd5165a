"""Prometheus families of inventory risk and hedging."""

from collections.abc import Callable, Iterator, Sequence

from mmd.core.notices import NoticeKind
from mmd.ops.family import Family, counter, gauge
from mmd.ops.inventory_state import HedgeState, HeldState, InventoryState
from mmd.ops.state import InstrumentState

_LABELS = ("venue", "instrument")
_GAUGES: tuple[tuple[str, str, Callable[[HeldState], float | None]], ...] = (
    (
        "mmd_var_quote",
        "One-day 95 % value at risk of the position, quote currency",
        lambda h: h.value_at_risk,
    ),
    (
        "mmd_expected_shortfall_quote",
        "One-day 95 % expected shortfall of the position, quote currency",
        lambda h: h.expected_shortfall,
    ),
    ("mmd_var_limit_lots", "Position that the VaR limit allows, lots", lambda h: h.var_lots_max),
    (
        "mmd_position_age_seconds",
        "Time for which the inventory has been on its side",
        lambda h: h.position_age_s,
    ),
    ("mmd_position_old", "1 while that is longer than the limit", lambda h: h.is_old),
    ("mmd_inventory_warning", "1 while quotes lean for the inventory", lambda h: h.is_warned),
    (
        "mmd_hedge_held_lots",
        "Part of the position that is a hedge of other instruments, lots",
        lambda h: h.hedge_lots,
    ),
)
_HEDGE_GAUGES: tuple[tuple[str, str, Callable[[HedgeState], float]], ...] = (
    ("mmd_hedge_active", "1 while a hedge is under way", lambda h: h.state != "IDLE"),
    ("mmd_hedge_overdue", "1 while a hedge is late", lambda h: h.state == "LATE"),
    (
        "mmd_hedge_exposure_lots",
        "Inventory with what is held against it elsewhere, lots",
        lambda h: h.exposure_lots,
    ),
    (
        "mmd_hedge_remaining_lots",
        "Still to be traded, lots of the route's instrument",
        lambda h: h.remaining_lots,
    ),
    ("mmd_hedge_duration_seconds", "How long the last hedge took", lambda h: h.last_took_s),
)
_HEDGE_COUNTERS: tuple[tuple[str, str, Callable[[HedgeState], float]], ...] = (
    ("mmd_hedges_started", "Hedges begun", lambda h: h.started),
    ("mmd_hedges_done", "Hedges done", lambda h: h.done),
    ("mmd_hedges_late", "Hedges that took longer than they should", lambda h: h.late),
)


def inventory_metrics(
    instruments: Sequence[InstrumentState], together: InventoryState
) -> Iterator[Family]:
    """Families of inventory risk, hedging and notices."""
    for name, text, maybe_of in _GAUGES:
        family = gauge(name, text, labels=_LABELS)
        for i in instruments:
            value = maybe_of(i.held)
            if value is not None:
                family.add_metric((i.venue, i.symbol), value)
        yield family
    hedged = [((i.venue, i.symbol), i.held.hedge) for i in instruments]
    for kind, rows in ((gauge, _HEDGE_GAUGES), (counter, _HEDGE_COUNTERS)):
        for name, text, value_of in rows:
            family = kind(name, text, labels=_LABELS)
            for labels, hedge in hedged:
                if hedge is not None:
                    family.add_metric(labels, value_of(hedge))
            yield family
    if together.value_at_risk is not None:
        yield gauge(
            "mmd_var_portfolio",
            "One-day 95 % value at risk of all positions together, reporting currency",
            together.value_at_risk,
        )
    if together.equity is not None:
        yield gauge("mmd_equity", "Equity, reporting currency", together.equity)
    correlation = gauge(
        "mmd_correlation_ratio",
        "Correlation of two instruments' returns",
        labels=("instrument", "other"),
    )
    for one, other, value in together.correlations:
        correlation.add_metric((one, other), value)
    yield correlation
    notices = counter("mmd_notices", "Notices to people", labels=("kind",))
    for kind_of in NoticeKind:
        notices.add_metric((kind_of.name,), together.notice_counts.get(kind_of.name, 0))
    yield notices
