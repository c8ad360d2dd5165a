"""Prometheus families of learned models."""

from collections.abc import Iterator, Sequence

from mmd.ops.family import Family, counter, gauge
from mmd.ops.state import InstrumentState, PredictionState

_LABELS = ("venue", "instrument")


def prediction_metrics(instruments: Sequence[InstrumentState]) -> Iterator[Family]:
    """Families of learned models; nothing where nothing is predicted."""
    found = [((i.venue, i.symbol), i.prediction) for i in instruments if i.prediction is not None]
    yield from _gauges(found)
    yield from _counters(found)
    yield from _labelled(found)


_Found = list[tuple[tuple[str, str], PredictionState]]


def _gauges(found: _Found) -> Iterator[Family]:
    gauges = (
        ("mmd_model_age_seconds", "Time since the bar of the last prediction ended", "age_s"),
        ("mmd_model_forecast_ticks", "Expected change of the mid", "forecast_ticks"),
        ("mmd_model_volatility_ticks", "Expected volatility of the mid", "volatility_ticks"),
        ("mmd_model_rise_ratio", "Probability of a rise of the mid", "probability"),
        ("mmd_model_half_spread_bps", "Learned half spread", "half_spread_bps"),
        ("mmd_model_forecast_told_ticks", "Forecast as quotes are told it", "forecast_told_ticks"),
        ("mmd_model_half_spread_told_bps", "The same of the half spread", "half_spread_told_bps"),
    )
    for name, text, field in gauges:
        family = gauge(name, text, labels=_LABELS)
        for at, state in found:
            value = getattr(state, field)
            if value is not None:
                family.add_metric(at, value)
        yield family


def _counters(found: _Found) -> Iterator[Family]:
    counters = (
        ("mmd_model_swaps", "Models that took their place", "swaps"),
        ("mmd_model_errors", "Models that were refused", "refusals"),
        ("mmd_model_rung_changes", "Changes of what is left of the ensemble", "rung_changes"),
        ("mmd_model_forecasts_held", "Forecasts that the rate held back", "forecasts_held"),
        ("mmd_model_spreads_held", "Half spreads that the rate held back", "spreads_held"),
    )
    for name, text, field in counters:
        family = counter(name, text, labels=_LABELS)
        for at, state in found:
            family.add_metric(at, getattr(state, field))
        yield family


def _labelled(found: _Found) -> Iterator[Family]:
    rung = gauge("mmd_model_rung", "1 at what is left of the ensemble", labels=(*_LABELS, "rung"))
    status = gauge(
        "mmd_model_status", "1 at the status of a part", labels=(*_LABELS, "part", "status")
    )
    action = gauge(
        "mmd_model_policy_action", "1 at the policy's choice", labels=(*_LABELS, "action")
    )
    scored = (*_LABELS, "role", "bars_ahead")
    r2 = gauge("mmd_model_explained_ratio", "Live R2 against no change", labels=scored)
    hits = gauge("mmd_model_hit_ratio", "Moves whose sign was forecast", labels=scored)
    named = gauge("mmd_model_info", "1; who predicts", labels=(*_LABELS, "role", "kind", "model"))
    for at, state in found:
        for kind, model in state.champions.items():
            named.add_metric((*at, "champion", kind, model), 1)
        if state.challenger != "":
            named.add_metric((*at, "challenger", "price_lstm", state.challenger), 1)
        rung.add_metric((*at, state.rung), 1)
        status.add_metric((*at, "price", state.price_status), 1)
        status.add_metric((*at, "spread", state.spread_status), 1)
        for score in state.scores:
            labels = (*at, score.role, str(score.bars_ahead))
            if score.r2 is not None:
                r2.add_metric(labels, score.r2)
            if score.hit_ratio is not None:
                hits.add_metric(labels, score.hit_ratio)
        if state.policy_action != "":
            action.add_metric((*at, state.policy_action), 1)
    yield from (rung, status, action, r2, hits, named)
