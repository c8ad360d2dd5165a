"""Prometheus families of quote construction."""

from collections.abc import Iterator, Sequence

from mmd.core.units import Side
from mmd.ops.family import Family, counter, gauge
from mmd.ops.state import InstrumentState

_LABELS = ("venue", "instrument")


def construction_metrics(instruments: Sequence[InstrumentState]) -> Iterator[Family]:
    """Families of quote construction."""
    changes = counter(
        "mmd_quote_state_changes",
        "Changes of the quote state or its reason, by what they led to",
        labels=(*_LABELS, "state", "reason"),
    )
    own = gauge(
        "mmd_own_levels", "Our orders taken out of the book's view", labels=(*_LABELS, "side")
    )
    slow = gauge("mmd_sigma_slow_bps", "Slow average of mmd_sigma_bps", labels=_LABELS)
    age = gauge(
        "mmd_age_skew_ratio", "Factor on the skew from the age of the position", labels=_LABELS
    )
    recent = gauge(
        "mmd_recent_markout_bps", "Markout of the latest fills after one second", labels=_LABELS
    )
    skipped = counter(
        "mmd_requotes_skipped",
        "Requotes towards the touch left out to save the order budget",
        labels=_LABELS,
    )
    for i in instruments:
        at, construction = (i.venue, i.symbol), i.construction
        for state, reason, count in construction.state_changes:
            changes.add_metric((*at, state, reason), count)
        for side, levels in zip(Side, construction.own_levels, strict=True):
            own.add_metric((*at, side.name), levels)
        skipped.add_metric(at, construction.requotes_skipped)
        age.add_metric(at, construction.age_skew_multiplier)
        if construction.sigma_slow_bps is not None:
            slow.add_metric(at, construction.sigma_slow_bps)
        if construction.recent_markout_bps is not None:
            recent.add_metric(at, construction.recent_markout_bps)
    yield from (changes, own, slow, age, recent, skipped)
