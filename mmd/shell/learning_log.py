"""What learning did, told a moment after it: log lines, and every choice by lot as an event of the journal.

The core neither logs nor journals by itself. A choice's event changes nothing; who judges a policy off line needs the
probability with which each of its choices was made.
"""

import structlog

from mmd.core.events import ChoiceMade
from mmd.core.learned.demotion import DemotionReason
from mmd.core.learned.drift_response import DriftLevel
from mmd.core.learned.predictor import Predictor
from mmd.core.learned.trial_spec import TrialArm
from mmd.core.learned.trial_test import Verdict
from mmd.core.learning import Learning
from mmd.core.maker import Maker
from mmd.core.ports import Clock
from mmd.shell.driver import Driver

_log = structlog.get_logger()


class LearningLog:
    """Knows what has been told of one instrument."""

    def __init__(self, maker: Maker) -> None:
        self._maker = maker
        self._symbol = maker.instrument.symbol
        self._chosen = self._drawn = 0
        self._level = DriftLevel.CALM
        self._demoted = DemotionReason.NONE
        self._verdicts: dict[TrialArm, Verdict] = {}

    def write(self, driver: Driver, clock: Clock) -> None:
        """Tell what is new."""
        predictor, learning = self._maker.predictor, self._maker.learning
        if predictor is None:
            return
        self._log_standing(predictor)
        if learning is not None:
            self._journal_choices(learning, driver, clock)
            self._log_verdicts(learning)

    def _log_standing(self, predictor: Predictor) -> None:
        drift = predictor.drift
        if drift is not None and drift.watch.level is not self._level:
            is_worse = drift.watch.level > self._level
            (_log.warning if is_worse else _log.info)(
                "model_drift",
                instrument=self._symbol,
                before=self._level.name.lower(),
                after=drift.watch.level.name.lower(),
                residual_alarms=drift.residuals.alarms,
                calibration_alarms=drift.calibration.alarms,
            )
            self._level = drift.watch.level
        if predictor.demoted is not self._demoted:
            self._demoted = predictor.demoted
            if self._demoted is not DemotionReason.NONE:
                _log.error(
                    "model_demoted",
                    instrument=self._symbol,
                    reason=self._demoted.name.lower(),
                    models=sorted(predictor.champions.values()),
                    rung=predictor.rungs.rung.name.lower(),
                )

    def _journal_choices(self, learning: Learning, driver: Driver, clock: Clock) -> None:
        at = self._maker.instrument.id
        bandit, trials = learning.bandit, learning.trials
        if bandit is not None and bandit.choices_total > self._chosen:
            new = min(bandit.choices_total - self._chosen, len(bandit.choices))
            self._chosen = bandit.choices_total
            for c in list(bandit.choices)[-new:]:
                now_ns = clock.monotonic_ns()
                driver.on_event(ChoiceMade(now_ns, at, "bandit", c.decision, c.arm, c.propensity))
        if trials is not None and trials.draws_total > self._drawn:
            new = min(trials.draws_total - self._drawn, len(trials.draws))
            self._drawn = trials.draws_total
            for d in list(trials.draws)[-new:]:
                now_ns = clock.monotonic_ns()
                driver.on_event(ChoiceMade(now_ns, at, "trial", d.number, d.arm, d.propensity))

    def _log_verdicts(self, learning: Learning) -> None:
        if learning.trials is None:
            return
        for rival, test in learning.trials.tests.items():
            verdict = test.verdict
            if verdict is self._verdicts.get(rival, Verdict.UNDECIDED):
                continue
            self._verdicts[rival] = verdict
            _log.warning(
                "trial_verdict",
                instrument=self._symbol,
                rival=rival.name.lower(),
                verdict=verdict.name.lower(),
                pairs=test.difference.n,
                difference_bps=round(test.difference.level, 4),
                low_bps=round(test.difference.low, 4),
                high_bps=round(test.difference.high, 4),
            )
