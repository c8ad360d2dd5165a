"""What people see of learning and trials: arms and what they earned, drift, canaries, who was demoted and why."""

from typing import TYPE_CHECKING

import msgspec

from mmd.core.learned.bandit_run import BanditRun
from mmd.core.learned.drift_monitor import DriftMonitor
from mmd.core.learned.online_forecast import OnlineForecast
from mmd.core.learned.predictor import Predictor
from mmd.core.learned.remote_run import RemoteRun
from mmd.core.learned.served_model import ModelRole
from mmd.core.learned.trial_test import TrialTest
from mmd.core.learned.trials import Trials

if TYPE_CHECKING:
    from mmd.core.maker import Maker


class ArmState(msgspec.Struct, frozen=True):
    """One arm of the bandit."""

    gamma_factor: float
    impact_bps: float
    choices: int
    rewards: int
    earned_bps: float | None
    """Mean reward of a hold, basis points of an order; None before the first."""


class BanditState(msgspec.Struct, frozen=True):
    """The bandit of one instrument."""

    arm: int
    """The one in force."""
    propensity: float
    """How likely its choice was."""
    arms: list[ArmState]
    abandoned: int
    """Choices that taught nothing."""


class TrialState(msgspec.Struct, frozen=True):
    """One rival against the champion."""

    rival: str
    """CANARY or HOLDOUT."""
    pairs: int
    difference_bps: float
    """Mean of rival less champion, of an order and block."""
    low_bps: float | None
    """Bounds that hold at all times; None before two pairs."""
    high_bps: float | None
    verdict: str
    rival_earned_bps: float
    champion_earned_bps: float
    rival_drawdown_bps: float
    champion_drawdown_bps: float
    rival_reject_ratio: float
    champion_reject_ratio: float


class DriftState(msgspec.Struct, frozen=True):
    """How much a forecaster is doubted."""

    level: str
    alarms_residual: int
    alarms_calibration: int
    forecasts_judged: int


class OnlineState(msgspec.Struct, frozen=True):
    """The regression that learns while trading."""

    updates: int
    flow_coefficient: float
    """Ticks a lot of five-second order flow."""
    drift_ticks: float
    """Over the horizon."""
    residual_sd: float
    """Of the last forecast that came true, standard deviations of the horizon."""
    is_frozen: bool


class LearningState(msgspec.Struct, frozen=True):
    """One instrument's."""

    arm: str
    """Who makes the quotes of this block: CHAMPION, CANARY or HOLDOUT."""
    propensity: float
    canaries: list[str]
    trials: list[TrialState]
    demoted: str
    """Why the champions are out: NONE, MARKOUT, CALIBRATION or FAULTS."""
    demotions: int
    backend: str
    """What computes the champion network: engine, remote, or none."""
    fallbacks: int
    """Networks that were computed elsewhere and had to be taken back."""
    faults: int
    """Predictions that were late, no number or out of range."""
    markout_cusum: float | None
    bandit: BanditState | None
    drift: DriftState | None
    online: OnlineState | None


def learning_state(maker: "Maker") -> LearningState | None:
    """As it stands; None where nothing is predicted."""
    predictor, learning = maker.predictor, maker.learning
    if predictor is None:
        return None
    trials = None if learning is None else learning.trials
    bandit = None if learning is None else learning.bandit
    cusum = None if learning is None else learning.cusum
    return LearningState(
        arm=predictor.arm.name,
        propensity=1.0 if trials is None else trials.propensity,
        canaries=sorted(predictor.seats.canaries.values()),
        trials=_trials(trials),
        demoted=predictor.demoted.name,
        demotions=predictor.demotions,
        backend=_backend(predictor),
        fallbacks=predictor.seats.fallbacks,
        faults=predictor.faults,
        markout_cusum=None if cusum is None else cusum.total,
        bandit=None if bandit is None else _bandit(bandit),
        drift=None if predictor.drift is None else _drift(predictor.drift),
        online=None if predictor.online is None else _online(predictor.online),
    )


def _backend(predictor: Predictor) -> str:
    run = predictor.seats.price.get(ModelRole.CHAMPION)
    if run is None:
        return "none"
    return "remote" if isinstance(run, RemoteRun) else "engine"


def _bandit(bandit: BanditRun) -> BanditState:
    arms = [
        ArmState(
            gamma_factor=arm.gamma_factor,
            impact_bps=arm.impact_bps,
            choices=tally.choices,
            rewards=tally.rewards,
            earned_bps=tally.earned / tally.rewards if tally.rewards > 0 else None,
        )
        for arm, tally in zip(bandit.arms, bandit.tallies, strict=True)
    ]
    propensity = bandit.choices[-1].propensity if bandit.choices else 1.0
    return BanditState(bandit.arms.index(bandit.arm), propensity, arms, bandit.abandoned)


def _trials(trials: Trials | None) -> list[TrialState]:
    if trials is None:
        return []
    return [_trial(rival.name, test) for rival, test in trials.tests.items()]


def _trial(rival: str, test: TrialTest) -> TrialState:
    found = test.difference
    has_bounds = found.n >= 2
    return TrialState(
        rival=rival,
        pairs=found.n,
        difference_bps=found.level,
        low_bps=found.low if has_bounds else None,
        high_bps=found.high if has_bounds else None,
        verdict=test.verdict.name,
        rival_earned_bps=test.rival.earned_bps,
        champion_earned_bps=test.champion.earned_bps,
        rival_drawdown_bps=test.rival.drawdown_bps,
        champion_drawdown_bps=test.champion.drawdown_bps,
        rival_reject_ratio=test.rival.reject_ratio,
        champion_reject_ratio=test.champion.reject_ratio,
    )


def _drift(drift: DriftMonitor) -> DriftState:
    return DriftState(
        drift.watch.level.name, drift.residuals.alarms, drift.calibration.alarms, drift.judged
    )


def _online(online: OnlineForecast) -> OnlineState:
    r = online.rls[0]
    return OnlineState(
        updates=int(r["updates"]),
        flow_coefficient=online.flow_coefficient,
        drift_ticks=online.drift_ticks,
        residual_sd=float(r["residual"]),
        is_frozen=bool(r["frozen"] != 0),
    )
