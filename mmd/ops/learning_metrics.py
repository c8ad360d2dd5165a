"""Prometheus families of learning and trials."""

from collections.abc import Iterator, Sequence

from mmd.ops.family import Family, counter, gauge
from mmd.ops.learning_state import LearningState
from mmd.ops.state import InstrumentState

_LABELS = ("venue", "instrument")
_Found = list[tuple[tuple[str, str], LearningState]]


def learning_metrics(instruments: Sequence[InstrumentState]) -> Iterator[Family]:
    """Families of learning and trials; nothing where nothing is predicted."""
    found = [((i.venue, i.symbol), i.learning) for i in instruments if i.learning is not None]
    yield from _counters(found)
    yield from _standing(found)
    yield from _bandit(found)
    yield from _trials(found)
    yield from _online(found)


def _counters(found: _Found) -> Iterator[Family]:
    faults = counter(
        "mmd_model_faults", "Predictions late, no number or out of range", labels=_LABELS
    )
    demotions = counter("mmd_model_demotions", "Champions that were taken out", labels=_LABELS)
    fallbacks = counter(
        "mmd_model_fallbacks", "Networks computed elsewhere that were taken back", labels=_LABELS
    )
    alarms = counter(
        "mmd_model_drift_alarms", "Alarms of drift detectors", labels=(*_LABELS, "series")
    )
    for at, state in found:
        faults.add_metric(at, state.faults)
        demotions.add_metric(at, state.demotions)
        fallbacks.add_metric(at, state.fallbacks)
        if state.drift is not None:
            alarms.add_metric((*at, "residual"), state.drift.alarms_residual)
            alarms.add_metric((*at, "calibration"), state.drift.alarms_calibration)
    yield from (faults, demotions, fallbacks, alarms)


def _standing(found: _Found) -> Iterator[Family]:
    demoted = gauge(
        "mmd_model_demoted", "1 while the champions are out", labels=(*_LABELS, "reason")
    )
    drift = gauge("mmd_model_drift_level", "1 at how much is doubted", labels=(*_LABELS, "level"))
    cusum = gauge(
        "mmd_model_markout_cusum", "Markouts below the hold-out's, sd summed up", labels=_LABELS
    )
    arm = gauge("mmd_model_trial_arm", "1 at who quotes this block", labels=(*_LABELS, "arm"))
    for at, state in found:
        arm.add_metric((*at, state.arm), 1)
        if state.demoted != "NONE":
            demoted.add_metric((*at, state.demoted), 1)
        if state.drift is not None:
            drift.add_metric((*at, state.drift.level), 1)
        if state.markout_cusum is not None:
            cusum.add_metric(at, state.markout_cusum)
    yield from (demoted, drift, cusum, arm)


def _bandit(found: _Found) -> Iterator[Family]:
    labels = (*_LABELS, "gamma_factor", "impact_bps")
    choices = counter("mmd_model_bandit_choices", "How often an arm was chosen", labels=labels)
    held = gauge("mmd_model_bandit_arm", "1 at the arm in force", labels=labels)
    earned = gauge(
        "mmd_model_bandit_reward_bps", "Mean reward of a hold, of an order", labels=labels
    )
    for at, state in found:
        if state.bandit is None:
            continue
        for number, arm in enumerate(state.bandit.arms):
            of = (*at, f"{arm.gamma_factor:g}", f"{arm.impact_bps:g}")
            choices.add_metric(of, arm.choices)
            if arm.earned_bps is not None:
                earned.add_metric(of, arm.earned_bps)
            held.add_metric(of, number == state.bandit.arm)
    yield from (choices, held, earned)


def _trials(found: _Found) -> Iterator[Family]:
    labels = (*_LABELS, "rival")
    pairs = counter("mmd_model_trial_pairs", "Pairs of blocks that were judged", labels=labels)
    difference = gauge(
        "mmd_model_trial_difference_bps",
        "Rival less champion, of an order and block",
        labels=labels,
    )
    low = gauge("mmd_model_trial_low_bps", "Lower bound of that", labels=labels)
    high = gauge("mmd_model_trial_high_bps", "Upper bound of that", labels=labels)
    verdict = gauge(
        "mmd_model_trial_verdict", "1 at what the pairs say", labels=(*labels, "verdict")
    )
    for at, state in found:
        for trial in state.trials:
            of = (*at, trial.rival)
            pairs.add_metric(of, trial.pairs)
            difference.add_metric(of, trial.difference_bps)
            verdict.add_metric((*of, trial.verdict), 1)
            if trial.low_bps is not None and trial.high_bps is not None:
                low.add_metric(of, trial.low_bps)
                high.add_metric(of, trial.high_bps)
    yield from (pairs, difference, low, high, verdict)


def _online(found: _Found) -> Iterator[Family]:
    flow = gauge(
        "mmd_model_online_flow_ticks",
        "Expected change by a lot of five-second order flow",
        labels=_LABELS,
    )
    drift = gauge(
        "mmd_model_online_drift_ticks", "Expected change without any flow", labels=_LABELS
    )
    for at, state in found:
        if state.online is not None:
            flow.add_metric(at, state.online.flow_coefficient)
            drift.add_metric(at, state.online.drift_ticks)
    yield from (flow, drift)
