"""Decisions taken in one call are those that would have been taken step by step."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.decision import EXTRAORDINARY
from mmd.core.events import OperatorAction, OperatorCommand, PrivateDown, PrivateUp
from mmd.core.units import Side
from tests.engine_bench import EngineBench
from tests.session import quoting, session_spec

Step = Callable[[EngineBench], object]
SPEC = session_spec(quoting=quoting(requote_tolerance_bps=0, refresh_delay_ms=0))


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
}


def _bench(*, at_once: bool) -> EngineBench:
    bench = EngineBench(SPEC)
    if not at_once:
        bench.maker.ordinary._decide = None
    bench.bring_up()
    return bench


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=12))
def test_the_same_commands_and_the_same_state_either_way(names: list[str]) -> None:
    """Whatever happens in between: the same orders, verdicts and targets, to the bit."""
    ours, theirs = _bench(at_once=True), _bench(at_once=False)
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


@pytest.mark.parametrize(
    ("before", "is_ordinary"),
    [
        ("up", True),
        ("fill", True),
        ("far up", False),
        ("gap", False),
        ("long silence", False),
        ("private", False),
        ("halt", False),
        ("block", False),
    ],
)
def test_what_is_out_of_the_ordinary_is_taken_step_by_step(before: str, is_ordinary: bool) -> None:
    """A new price level, a book that is not to be trusted, a level of risk; not a move, and not a fill."""
    bench = _bench(at_once=True)
    bench.turn()
    bench.pass_time(20)
    STEPS[before](bench)
    assert (bench.maker.ordinary.plan(bench.now_ns) != EXTRAORDINARY) == is_ordinary


def test_trees_without_a_say_leave_the_learned_model_ordinary() -> None:
    """It is GLFT then; where they say something, each decision is taken step by step."""
    bench = EngineBench(session_spec(quoting=quoting(spread_model="learned")))
    plain = EngineBench(session_spec(quoting=quoting(spread_model="glft")))
    for each in (bench, plain):
        each.bring_up()
        each.turn()
        each.pass_time(20)
        STEPS["up"](each)
    assert bench.turn() == plain.turn()
    bench.pass_time(20)
    STEPS["up"](bench)
    assert bench.maker.ordinary.plan(bench.now_ns) != EXTRAORDINARY
    bench.maker.quoter.quote["learned_half"] = 30.0
    bench.pass_time(20)
    STEPS["down"](bench)
    assert bench.maker.ordinary.plan(bench.now_ns) == EXTRAORDINARY
