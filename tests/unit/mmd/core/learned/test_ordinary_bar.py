"""Bars that are concluded in one call are those that would have been taken step by step."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.events import ModelSwap
from mmd.core.learned import q_policy
from mmd.core.learned.demotion import DemotionReason, DemotionSpec
from mmd.core.learned.models_spec import ModelsSpec
from mmd.core.learned.prediction import Rung
from mmd.core.learned.predictor import Predictor
from mmd.core.learned.samples import WARM_BARS
from mmd.core.learned.served_model import (
    POLICY,
    PRICE,
    SPREAD,
    ModelRole,
    ModelShelf,
    ServedModel,
)
from mmd.core.learned.trial_spec import TrialArm
from tests.engine_bench import ZERO, EngineBench
from tests.session import quoting, session_spec
from tests.trained_models import forest_weights, network_weights

BAR_MS = 20
BAR_NS = BAR_MS * 1_000_000
SPEC = session_spec(
    quoting=quoting(spread_model="learned", requote_tolerance_bps=0, refresh_delay_ms=0),
    models=ModelsSpec(
        enabled=True,
        bar_ns=BAR_NS,
        uses_forecast=True,
        spread_weight=0.5,
        forecast_rate_bps=2.0,
        spread_rate_bps=1.0,
        uses_policy=True,
        watches_drift=True,
        late_bars=3,
        demotion=DemotionSpec(faults_max=3),
    ),
)


def _network(name: str, bias: float = 0.0) -> ServedModel:
    weights = network_weights(ord(name))
    weights["bo"] = weights["bo"] + np.float32(bias)
    return ServedModel(
        id=f"price-{name}", kind=PRICE, bar_ns=BAR_NS, horizons=(10,), weights=weights,
        change_scale=(0.3,), volatility_scale=(2.0,),
    )  # fmt: skip


def _table() -> ServedModel:
    """A policy whose action depends on the state."""
    rng = np.random.default_rng(5)
    shape = (q_policy.STATES, q_policy.ACTIONS)
    weights = {
        "q": rng.normal(size=shape),
        "q_error": np.full(shape, 1e-3),
        "visits": np.full(shape, 10_000, np.int32),
        "spread_edges": np.array(q_policy.SPREAD_EDGES_TICKS),
        "volatility_edges": np.array(q_policy.VOLATILITY_EDGES_BPS),
    }
    return ServedModel(id="table", kind=POLICY, bar_ns=2 * BAR_NS, weights=weights)


def _forest(value: float) -> ServedModel:
    weights = forest_weights(value)
    return ServedModel(id=f"trees-{value}", kind=SPREAD, bar_ns=BAR_NS, weights=weights)


MODELS = {
    m.id: m
    for m in (
        _network("a"), _network("b"), _network("c", 1e6), _network("d", float("nan")),
        _forest(2.5), _forest(9_000.0), _table(),
    )
}  # fmt: skip


def _predictor(bench: EngineBench) -> Predictor:
    found = bench.maker.predictor
    assert found is not None
    return found


def _seat(kind: str, name: str, role: ModelRole = ModelRole.CHAMPION) -> Callable[[Any], None]:
    return lambda b: b.event(ModelSwap(b.now_ns, ZERO, kind, role, name))


def _bars(bench: EngineBench, count: int) -> None:
    """So many bars, a move of the market and a decision in each."""
    for _ in range(count):
        bench.pass_time(BAR_MS)
        bench.shift((1, 2, -1, 4, -6)[bench.update_id % 5])
        bench.turn()


def _alarm(bench: EngineBench) -> None:
    """A detector has spoken, long after it spoke last."""
    bench.pass_time(11_000)
    bench.snapshot()
    predictor = _predictor(bench)
    assert predictor.drift is not None
    if predictor.drift.watch.alarm(bench.now_ns):
        predictor._answer_drift(bench.now_ns)


STEPS: dict[str, Callable[[EngineBench], object]] = {
    "bar": lambda b: _bars(b, 1),
    "five bars": lambda b: _bars(b, 5),
    "three at once": lambda b: b.pass_time(3 * BAR_MS),
    "many bars": lambda b: _bars(b, WARM_BARS),
    "fill": lambda b: b.open and b.fill(min(b.open)),
    "second": lambda b: (b.pass_time(1_000), b.tick()),
    "gap": lambda b: (b.diff({}, {}, gap=2), b.snapshot()),
    "long silence": lambda b: b.pass_time(60_000),
    "alarm": _alarm,
    "hold-out": lambda b: _predictor(b).follow_arm(TrialArm.HOLDOUT, b.now_ns),
    "champion's block": lambda b: _predictor(b).follow_arm(TrialArm.CHAMPION, b.now_ns),
    "demoted": lambda b: _predictor(b).demote(DemotionReason.MARKOUT, b.now_ns),
    "another network": _seat(PRICE, "price-b"),
    "the first network": _seat(PRICE, "price-a"),
    "out of range": _seat(PRICE, "price-c"),
    "no number": _seat(PRICE, "price-d"),
    "no network": _seat(PRICE, ""),
    "challenger": _seat(PRICE, "price-b", ModelRole.CHALLENGER),
    "no challenger": _seat(PRICE, "", ModelRole.CHALLENGER),
    "trees beyond reach": _seat(SPREAD, "trees-9000.0"),
    "trees": _seat(SPREAD, "trees-2.5"),
    "no trees": _seat(SPREAD, ""),
    "no policy": _seat(POLICY, ""),
    "policy": _seat(POLICY, "table"),
}


def _bench(*, at_once: bool, spec: object = SPEC) -> EngineBench:
    shelf = ModelShelf()
    for model in MODELS.values():
        shelf.put(model)
    bench = EngineBench(spec, shelf)
    if not at_once:
        bench.maker.ordinary._decide = None
        _predictor(bench)._arrange = lambda: None
        _predictor(bench)._bar.is_ordinary = False
    bench.bring_up()
    for kind, name in ((PRICE, "price-a"), (SPREAD, "trees-2.5"), (POLICY, "table")):
        _seat(kind, name)(bench)
    return bench


def _state(bench: EngineBench) -> list[object]:
    """All that the two ways write."""
    p, maker = _predictor(bench), bench.maker
    records = [p.prediction, p.samples, p.seats.memory.record, maker.quoter.quote, maker.working]
    runs = [*p.seats.price.values(), *p.seats.spread.values()]
    return [
        *(record.tobytes() for record in records),
        [(run.model.id, run.status) for run in runs],
        [(run.action, run.decisions) for run in p.seats.policy.values()],
        {role: live.scores for role, live in p.scores.items()},
        (list(p.rungs.changes), p.faults, p.demotions, p.demoted),
        [maker.quoter.multipliers.of(cause) for cause in range(7)],
    ]


@settings(deadline=None, max_examples=15)
@given(names=st.lists(st.sampled_from(sorted(STEPS)), max_size=10))
def test_the_same_predictions_and_commands_either_way(names: list[str]) -> None:
    """Whatever happens, whoever comes and goes and fails: predictions, scores, quotes and orders, to the bit."""
    ours, theirs = _bench(at_once=True), _bench(at_once=False)
    for bench in (ours, theirs):
        _bars(bench, WARM_BARS + 15)
    assert _state(ours) == _state(theirs)
    for name in [*names, "five bars"]:
        for bench in (ours, theirs):
            bench.pass_time(7)
            STEPS[name](bench)
        assert ours.turn() == theirs.turn(), name
        mine, other = _state(ours), _state(theirs)
        assert mine == other, (name, [at for at in range(len(mine)) if mine[at] != other[at]])


def test_the_policy_acts_and_models_speak_in_bars_that_are_ordinary() -> None:
    """What the comparison compares is not two ways of saying nothing."""
    bench = _bench(at_once=True)
    predictor, actions, forecasts = _predictor(bench), set(), set()
    for _ in range(2 * WARM_BARS):
        _bars(bench, 1)
        assert predictor._bar.is_ordinary
        actions.add(predictor.policy.action)
        forecasts.add(float(predictor.prediction["forecast_ticks"][0]))
    assert predictor.rungs.rung is Rung.FULL
    assert len(actions) >= 2
    assert len(forecasts) > WARM_BARS // 2
    assert predictor.prediction["forecasts_held"] > 0
    assert predictor.scores[ModelRole.CHAMPION].scores[0].n > WARM_BARS // 2
    assert predictor.drift.judged > 5


@pytest.mark.parametrize(
    ("before", "is_ordinary"),
    [
        ("another network", True),
        ("out of range", True),
        ("no network", True),
        ("no trees", True),
        ("challenger", False),
        ("hold-out", False),
        ("demoted", False),
    ],
)
def test_bars_with_anybody_else_are_taken_step_by_step(before: str, is_ordinary: bool) -> None:
    """A challenger, a block that is not the champion's, a champion that has to go; not another champion, or none."""
    bench = _bench(at_once=True)
    STEPS[before](bench)
    assert _predictor(bench)._bar.is_ordinary is is_ordinary


def test_a_forecast_that_learns_while_trading_is_taken_step_by_step() -> None:
    """It is no record that a kernel could step."""
    models = msgspec.structs.replace(SPEC.models, is_online=True)
    bench = _bench(at_once=True, spec=msgspec.structs.replace(SPEC, models=models))
    assert not _predictor(bench)._bar.is_ordinary
