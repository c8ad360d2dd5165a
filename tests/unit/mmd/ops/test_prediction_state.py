"""What people see of predictions: numbers where a part has a say, nothing where it has none."""

from mmd.core.learned.models_spec import ModelsSpec
from mmd.core.learned.trial_spec import TrialArm, TrialSpec
from mmd.core.units import NANOS_PER_SECOND
from mmd.ops.prediction_state import prediction_state
from mmd.ops.state import PredictionState
from tests.engine_bench import EngineBench
from tests.learning_bench import bench_of, later, network, seat


def _state(bench: EngineBench) -> PredictionState:
    found = prediction_state(bench.maker, bench.now_ns)
    assert found is not None
    return found


def _said(state: PredictionState) -> list[float | None]:
    return [state.forecast_ticks, state.volatility_ticks, state.probability]


def test_a_part_without_a_say_shows_no_number() -> None:
    """No model, and a block of time that is the spread model's: neither a move of 0 nor an even chance was forecast."""
    trials = TrialSpec(block_ns=10 * NANOS_PER_SECOND, holdout_ratio=0.5)
    bench = bench_of(ModelsSpec(enabled=True, uses_forecast=True, trials=trials))
    state = _state(bench)
    assert (state.price_status, state.spread_status) == ("NO_MODEL", "NO_MODEL")
    assert _said(state) == [None] * 3
    seat(bench, network("a"))
    later(bench, 11)
    predictor, seen = bench.maker.predictor, set()
    assert predictor is not None
    for _ in range(60):
        later(bench, 1)
        state, is_held_out = _state(bench), predictor.arm is TrialArm.HOLDOUT
        seen.add(state.price_status)
        assert [value is None for value in _said(state)] == [is_held_out] * 3
        assert (state.half_spread_bps, state.half_spread_told_bps) == (None, None)
    assert seen == {"OK", "HELD_OUT"}
