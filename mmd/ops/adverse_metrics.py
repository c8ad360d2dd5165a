"""Prometheus families of adverse selection, filled from State at scrape time."""

from collections.abc import Callable, Iterator, Sequence

from mmd.ops.adverse_state import venue_toxicity
from mmd.ops.family import Family, counter, gauge
from mmd.ops.state import AdverseState, InstrumentState

_LABELS = ("venue", "instrument")
_GAUGES: tuple[tuple[str, str, Callable[[AdverseState], float | None]], ...] = (
    ("response_ratio", "How strongly quotes answer adverse fills, 0 to 1", lambda a: a.level),
    ("size_multiplier_ratio", "What sizes are multiplied with", lambda a: a.size_multiplier),
    ("spread_multiplier_ratio", "What spreads are multiplied with", lambda a: a.spread_multiplier),
    ("impact_bps", "Impact of a fill that quotes reckon with, bps", lambda a: a.impact_bps),
    (
        "measured_impact_bps",
        "Mean move of the mid against us within 30 s of a fill, bps",
        lambda a: a.measured_impact_bps,
    ),
    ("trade_imbalance_ratio", "Imbalance of five minutes of trades", lambda a: a.imbalance_5m),
    ("vpin_ratio", "One-sidedness of equal volumes; a diagnostic only", lambda a: a.vpin),
    (
        "kyle_lambda_bps",
        "Move of the mid with net trades of one order size in the same second, bps",
        lambda a: a.kyle_lambda_bps,
    ),
    (
        "permanent_impact_bps",
        "What is left of it a minute later, bps",
        lambda a: a.permanent_impact_bps,
    ),
)


def adverse_metrics(instruments: Sequence[InstrumentState]) -> Iterator[Family]:
    """All families; instruments whose fills are not judged are left out."""
    watched = [((i.venue, i.symbol), i.adverse) for i in instruments if i.adverse is not None]
    for name, text, value_of in _GAUGES:
        family = gauge(f"mmd_adverse_{name}", text, labels=_LABELS)
        for labels, adverse in watched:
            value = value_of(adverse)
            if value is not None:
                family.add_metric(labels, value)
        yield family
    yield from _verdicts(watched)
    yield from _toxicity(instruments)


def _verdicts(watched: list[tuple[tuple[str, str], AdverseState]]) -> Iterator[Family]:
    """Judgements by stage, tests that fired, and z-scores."""
    judged = counter(
        "mmd_adverse_judgements", "Fills judged, at each stage", labels=(*_LABELS, "judged_at")
    )
    adverse_judged = counter(
        "mmd_adverse_judgements_adverse", "Those that were adverse", labels=(*_LABELS, "judged_at")
    )
    fired = gauge(
        "mmd_adverse_test_fills",
        "Fills on which a test fires by its last verdict",
        labels=(*_LABELS, "test"),
    )
    score = gauge(
        "mmd_adverse_z_score",
        "Markouts of the last fills in standard deviations; negative is adverse",
        labels=(*_LABELS, "horizon"),
    )
    for labels, adverse in watched:
        for stage, count in adverse.judged.items():
            judged.add_metric((*labels, stage), count)
            adverse_judged.add_metric((*labels, stage), adverse.judged_adverse[stage])
        for test, count in adverse.fired.items():
            fired.add_metric((*labels, test), count)
        for horizon, z in adverse.z.items():
            if z is not None:
                score.add_metric((*labels, horizon), z)
    yield from (judged, adverse_judged, fired, score)


def _toxicity(instruments: Sequence[InstrumentState]) -> Iterator[Family]:
    """Shares of adverse fills by side and level, and by venue."""
    share = gauge(
        "mmd_adverse_toxicity_ratio",
        "Share of the recent fills of a side and level of the ladder that was adverse",
        labels=(*_LABELS, "side", "ladder_level"),
    )
    moved = gauge(
        "mmd_adverse_move_bps",
        "Mean move of the mid for us within 30 s of a fill less the usual, bps",
        labels=(*_LABELS, "side", "ladder_level"),
    )
    for i in instruments:
        for row in i.adverse.toxicity if i.adverse is not None else ():
            labels = (i.venue, i.symbol, row.side, str(row.level))
            share.add_metric(labels, row.ratio)
            moved.add_metric(labels, row.moved_bps)
    venues = gauge(
        "mmd_adverse_venue_toxicity_ratio",
        "Share of the recent fills at a venue that was adverse",
        labels=("venue",),
    )
    for venue, ratio in venue_toxicity(instruments).items():
        venues.add_metric((venue,), ratio)
    yield from (share, moved, venues)
