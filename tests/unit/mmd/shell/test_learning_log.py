"""What learning did is told once, and each choice by lot is an event of the journal with its probability."""

import structlog

from mmd.core.events import ChoiceMade
from mmd.core.learned.bandit_spec import BanditSpec
from mmd.core.learned.bandits import NEUTRAL, Arm
from mmd.core.learned.demotion import DemotionReason
from mmd.core.learned.models_spec import ModelsSpec
from mmd.core.learned.trial_spec import TrialArm, TrialSpec
from mmd.core.learned.trial_test import BlockResult
from mmd.core.units import NANOS_PER_SECOND
from mmd.shell.learning_log import LearningLog
from tests.driver_bench import DriverBench
from tests.session import session_spec

S = NANOS_PER_SECOND


async def test_choices_are_journalled_and_changes_are_logged() -> None:
    """Bandit and trials; drift, demotion and verdict; nothing twice."""
    bandit = BanditSpec(rule="exp3s", arms=(NEUTRAL, Arm(2.0, 0.0)), hold_ns=S, horizon_ns=S)
    models = ModelsSpec(
        enabled=True, watches_drift=True, bandit=bandit, trials=TrialSpec(block_ns=2 * S)
    )
    bench = DriverBench(session_spec(models=models))
    bench.start()
    bench.driver.stop()
    bench.bring_up()
    bench.driver.decide()
    for _ in range(8):
        bench.pass_time(1_000)
        bench.diff({9_999: 5_000 + bench.update_id})
        bench.tick()
        bench.driver.decide()
    maker = bench.maker
    predictor, learning = maker.predictor, maker.learning
    assert predictor is not None
    assert predictor.drift is not None
    assert learning is not None
    assert learning.trials is not None
    predictor.drift.watch.alarm(bench.now_ns)
    predictor.demote(DemotionReason.MARKOUT, bench.now_ns)
    for _ in range(40):
        test = learning.trials.tests[TrialArm.HOLDOUT]
        test.add(BlockResult(1.0, 1, 1, 0), BlockResult(0.0, 1, 1, 0))
    log = LearningLog(maker)
    with structlog.testing.capture_logs() as lines:
        log.write(bench.driver, bench.clock)
        log.write(bench.driver, bench.clock)
    assert [x["event"] for x in lines] == ["model_drift", "model_demoted", "trial_verdict"]
    made = [e for e in bench.journal.records if isinstance(e, ChoiceMade)]
    assert [e.number for e in made if e.part == "bandit"] == list(
        range(1, learning.bandit.choices_total + 1)
    )
    assert len([e for e in made if e.part == "trial"]) == learning.trials.draws_total > 0
    assert all(0.0 < e.propensity <= 1.0 for e in made)
