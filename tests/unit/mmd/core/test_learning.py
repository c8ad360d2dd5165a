"""In the engine: arms reach the quotes, hold-outs quote as the spread model does, canaries are small, faults take a model out."""

import msgspec
import pytest

from mmd.core.learned.bandit_spec import BanditSpec
from mmd.core.learned.bandits import NEUTRAL, Arm
from mmd.core.learned.demotion import DemotionReason, DemotionSpec
from mmd.core.learned.models_spec import ModelsSpec
from mmd.core.learned.prediction import PartStatus, Rung
from mmd.core.learned.served_model import PRICE, ModelRole
from mmd.core.learned.trial_spec import TrialArm, TrialSpec
from mmd.core.quoting.multipliers import Cause
from mmd.core.units import NANOS_PER_SECOND
from tests.learning_bench import BAR_NS, bench_of, later, network, seat

S = NANOS_PER_SECOND


def test_the_bandits_arm_reaches_gamma_and_impact() -> None:
    """Twice the risk aversion, and a basis point more of impact; both survive a new price level."""
    arms = (NEUTRAL, Arm(2.0, 1.0))
    bandit = BanditSpec(rule="discounted_ucb", arms=arms, hold_ns=5 * S, horizon_ns=S)
    bench = bench_of(ModelsSpec(enabled=True, bandit=bandit), inventory_sd_target=0)
    later(bench, 2.5)
    quote, learning = bench.maker.quoter.quote, bench.maker.learning
    assert learning is not None
    assert learning.bandit is not None
    assert (learning.bandit.arm, float(quote["impact"][0])) == (NEUTRAL, 0.0)
    gamma = float(quote["gamma"][0])
    later(bench, 5)
    assert learning.bandit.arm == arms[1]
    assert quote["gamma"][0] == pytest.approx(2.0 * gamma)
    assert quote["impact"][0] == pytest.approx(1.0, rel=0.01)
    bench.shift(2_000)
    bench.turn()
    assert quote["impact"][0] == pytest.approx(1.2, rel=0.01)


def test_a_hold_out_block_is_the_spread_models_alone() -> None:
    """No forecast in it, the usual size; the champion's forecast is back in the next block."""
    trials = TrialSpec(block_ns=10 * S, holdout_ratio=0.5)
    bench = bench_of(ModelsSpec(enabled=True, uses_forecast=True, trials=trials))
    seat(bench, network("a"))
    later(bench, 11)
    predictor, quote = bench.maker.predictor, bench.maker.quoter.quote
    assert predictor is not None
    seen = set()
    for _ in range(60):
        later(bench, 1)
        seen.add(predictor.arm)
        is_held_out = predictor.arm is TrialArm.HOLDOUT
        assert bool(quote["forecast"][0] == 0.0) is is_held_out
        assert predictor.rungs.rung is (Rung.GLFT if is_held_out else Rung.FULL)
    assert seen == {TrialArm.CHAMPION, TrialArm.HOLDOUT}


def test_a_canary_quotes_its_own_forecast_at_a_twentieth_of_the_size() -> None:
    """In its blocks; in the champion's it moves nothing."""
    trials = TrialSpec(block_ns=10 * S)
    bench = bench_of(ModelsSpec(enabled=True, uses_forecast=True, trials=trials))
    seat(bench, network("a", 0.5))
    seat(bench, network("b", -0.5), ModelRole.CANARY)
    later(bench, 31)
    maker, quote = bench.maker, bench.maker.quoter.quote
    predictor = maker.predictor
    assert predictor is not None
    assert predictor.seats.canaries == {PRICE: "price_lstm-b"}
    seen = set()
    for _ in range(40):
        later(bench, 1)
        is_canary = predictor.arm is TrialArm.CANARY
        seen.add(predictor.arm)
        assert bool(quote["forecast"][0] < 0.0) is is_canary
        assert maker.quoter.multipliers.of(Cause.CANARY)[1] == (0.05 if is_canary else 1.0)
    assert seen == {TrialArm.CHAMPION, TrialArm.CANARY}


def test_a_model_that_fails_too_often_is_demoted_until_another_comes() -> None:
    """Its part is out within a bar; after so many bars it may not come back, and quotes go on by the spread model."""
    spec = ModelsSpec(enabled=True, uses_forecast=True, demotion=DemotionSpec(faults_max=5))
    bench = bench_of(spec)
    seat(bench, network("a"))
    later(bench, 11)
    predictor = bench.maker.predictor
    assert predictor is not None
    assert predictor.rungs.rung is Rung.FULL
    seat(bench, network("b", 1e6))
    assert predictor.prediction["price_status"][0] == PartStatus.OUT_OF_RANGE
    assert bench.maker.quoter.quote["forecast"][0] == 0.0
    later(bench, 1)
    assert predictor.demoted is DemotionReason.FAULTS
    assert predictor.prediction["price_status"][0] == PartStatus.DEMOTED
    assert (predictor.demotions, predictor.rungs.rung) == (1, Rung.GLFT)
    assert len(bench.open) == 6
    seat(bench, network("a"))
    assert predictor.demoted is DemotionReason.NONE
    assert predictor.rungs.rung is Rung.FULL


def test_a_prediction_that_is_late_is_not_used() -> None:
    """No bar has been closed for longer than stated, as where a predictor hangs; it comes back with the next one."""
    bench = bench_of(ModelsSpec(enabled=True, uses_forecast=True, late_bars=3))
    seat(bench, network("a"))
    later(bench, 11)
    predictor = bench.maker.predictor
    assert predictor is not None
    predictor.on_time(bench.now_ns + 3 * BAR_NS + 1)
    assert predictor.prediction["price_status"][0] == PartStatus.LATE
    assert bench.maker.quoter.quote["forecast"][0] == 0.0
    assert predictor.faults == 1
    later(bench, 0.2)
    assert predictor.prediction["price_status"][0] == PartStatus.OK


def test_doubts_make_quotes_wider_and_smaller_and_then_take_the_forecast() -> None:
    """First the caution, at the second alarm no forecast, later by itself back again."""
    bench = bench_of(ModelsSpec(enabled=True, uses_forecast=True, watches_drift=True))
    seat(bench, network("a"))
    later(bench, 11)
    maker, predictor = bench.maker, bench.maker.predictor
    assert predictor is not None
    assert predictor.drift is not None
    for at_s, wanted in ((0, (1.2, 0.85)), (20, (1.5, 0.7))):
        predictor.drift.watch.alarm(bench.now_ns + at_s * S)
        predictor._answer_drift(bench.now_ns)
        assert maker.quoter.multipliers.of(Cause.DRIFT)[:2] == wanted
    assert predictor.prediction["price_status"][0] == PartStatus.DRIFTED
    assert maker.quoter.quote["forecast"][0] == 0.0
    predictor.on_time(bench.now_ns + 400 * S)
    predictor.on_time(bench.now_ns + 800 * S)
    assert maker.quoter.multipliers.of(Cause.DRIFT)[:2] == (1.0, 1.0)
    assert predictor.prediction["price_status"][0] == PartStatus.OK


def test_a_halt_freezes_what_learns() -> None:
    """The regression stands still while nothing is quoted."""
    bench = bench_of(ModelsSpec(enabled=True, uses_forecast=True, is_online=True))
    later(bench, 2)
    predictor = bench.maker.predictor
    assert predictor is not None
    assert predictor.online is not None
    assert predictor.online.rls["frozen"][0] == 0
    for _ in range(130):  # the book is stale: quotes are pulled
        bench.pass_time(100)
        bench.tick()
        bench.turn()
    assert bench.maker.state.name == "WITHDRAWN"
    assert predictor.online.rls["frozen"][0] == 1


def test_what_a_session_did_not_ask_for_is_not_there() -> None:
    """Sessions recorded before there was any of it replay as they were."""
    bench = bench_of(ModelsSpec(enabled=True, uses_forecast=True))
    assert bench.maker.learning is None
    assert msgspec.json.decode(b'{"enabled":true,"uses_bandit":true}', type=ModelsSpec) == (
        ModelsSpec(enabled=True)
    )
