"""Decisions taken in one call are those that would have been taken step by step."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.decision import EXTRAORDINARY
from mmd.core.events import OperatorAction, OperatorCommand, PrivateDown, PrivateUp
from mmd.core.quoting.multipliers import Cause
from mmd.core.units import Side
from tests.engine_bench import EngineBench
from tests.session import quoting, session_spec

Step = Callable[[EngineBench], object]
MODELS = ("glft", "learned")


def _trees(bench: EngineBench, half_ticks: float) -> None:
    """What the predictor would write, after the trees of a bar have spoken."""
    quote = bench.maker.quoter.quote
    quote["learned_half"], quote["learned_weight"] = half_ticks, 0.5


def _fill(bench: EngineBench) -> None:
    if bench.open:
        bench.fill(min(bench.open))


def _private(bench: EngineBench) -> None:
    """Order entry was lost and is back; whoever was asked says that the orders are still there."""
    bench.event(PrivateDown(bench.now_ns, "embedded", "test"))
    bench.event(PrivateUp(bench.now_ns, "embedded"))


def _operate(action: OperatorAction) -> Step:
    return lambda b: b.event(OperatorCommand(b.now_ns, action, "test"))


STEPS: dict[str, Step] = {
    "up": lambda b: b.shift(3),
    "down": lambda b: b.shift(-3),
    "far up": lambda b: b.shift(1_500),
    "thinner": lambda b: b.diff({b.maker.view.bid_ticks: 17}),
    "gap": lambda b: b.diff({}, {}, gap=2),
    "snapshot": lambda b: b.snapshot(),
    "fill": _fill,
    "second": lambda b: (b.pass_time(1_000), b.tick()),
    "long silence": lambda b: b.pass_time(60_000),
    "private": _private,
    "halt": _operate(OperatorAction.HALT),
    "resume": _operate(OperatorAction.RESUME),
    "block": lambda b: b.maker.quoter.block(Side.BUY),
    "free": lambda b: b.maker.quoter.block(None),
    "trees wide": lambda b: _trees(b, 90.0),
    "trees narrow": lambda b: _trees(b, 8.0),
    "no trees": lambda b: _trees(b, 0.0),
    "policy": lambda b: b.maker.quoter.multipliers.set(Cause.POLICY, spread=0.5, skew=3.0),
    "no quotes": lambda b: b.maker.quoter.multipliers.set(Cause.POLICY, size=0.0),
    "forecast": lambda b: b.maker.quoter.quote.__setitem__("forecast", 0.4),
}


def _bench(model: str, *, at_once: bool) -> EngineBench:
    changed = quoting(spread_model=model, requote_tolerance_bps=0, refresh_delay_ms=0)
    bench = EngineBench(session_spec(quoting=changed))
    if not at_once:
        bench.maker.ordinary._decide = None
    bench.bring_up()
    return bench


@pytest.mark.parametrize("model", MODELS)
@settings(deadline=None, max_examples=30)
@given(names=st.lists(st.sampled_from(sorted(STEPS)), max_size=12))
def test_the_same_commands_and_the_same_state_either_way(model: str, names: list[str]) -> None:
    """Whatever happens in between, and whatever models say: the same orders, verdicts and targets, to the bit."""
    ours, theirs = _bench(model, at_once=True), _bench(model, at_once=False)
    for name in ["up", *names, "down"]:
        for bench in (ours, theirs):
            bench.pass_time(20)
            STEPS[name](bench)
        assert ours.turn() == theirs.turn(), name
        assert ours.engine.gate.counts == theirs.engine.gate.counts
        assert (ours.maker.state, ours.maker.reason) == (theirs.maker.state, theirs.maker.reason)
        for record in ("quoter.quote", "working", "risk.record", "view.record"):
            mine, other = (_record(b, record) for b in (ours, theirs))
            assert mine.tobytes() == other.tobytes(), (name, record)


def _record(bench: EngineBench, path: str):
    found = bench.maker
    for name in path.split("."):
        found = getattr(found, name)
    return found


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("before", "is_ordinary"),
    [
        ("up", True),
        ("fill", True),
        ("trees wide", True),
        ("policy", True),
        ("forecast", True),
        ("far up", False),
        ("gap", False),
        ("long silence", False),
        ("private", False),
        ("halt", False),
        ("block", False),
    ],
)
def test_what_is_out_of_the_ordinary_is_taken_step_by_step(
    model: str, before: str, is_ordinary: bool
) -> None:
    """A new price level, a book that is not to be trusted, a level of risk; not a move, a fill, nor what models say."""
    bench = _bench(model, at_once=True)
    bench.turn()
    bench.pass_time(20)
    STEPS[before](bench)
    assert (bench.maker.ordinary.plan(bench.now_ns) != EXTRAORDINARY) == is_ordinary


def test_trees_lean_on_the_quotes_of_the_learned_model_alone() -> None:
    """In the one call as step by step; GLFT does not read them, and without them both are the same."""
    orders = {}
    for model in MODELS:
        bench = _bench(model, at_once=True)
        bench.turn()
        for step in ("up", "trees wide", "down"):
            bench.pass_time(20)
            STEPS[step](bench)
            orders[model, step] = [(o.side, o.price_ticks) for o in bench.turn()]
    assert orders["glft", "up"] == orders["learned", "up"] != []
    narrow, wide = orders["glft", "down"], orders["learned", "down"]
    assert {side for side, _ in narrow} == {side for side, _ in wide} == {Side.BUY, Side.SELL}
    for side in Side:
        best = [max(side.sign * px for s, px in o if s is side) for o in (narrow, wide)]
        assert best[0] > best[1], f"expected trees to widen the {side.name}"
