"""Stages: what is known when, what replaces what, and the same by compiled and by plain code."""

import numpy as np
import pytest

from mmd.config_adverse import AdverseSection
from mmd.core.flow import adverse_kernels
from mmd.core.flow.adverse_kernels import ADVERSE, IS_ADVERSE, JUDGED_NS, NOT_QUOTED
from mmd.core.flow.adverse_selection import new_adverse
from mmd.core.flow.adverse_tests import NAMES
from mmd.core.flow.mid_history import HISTORY
from mmd.core.units import Side
from mmd.jit.kernel import interpreted, new
from tests.fill_world import SECOND, FillWorld

PLAIN = AdverseSection(mode="threshold", size_ratio_max=0.99, fills_per_minute_max=100, tests_min=1)
"""Only what the mid does after a fill can make it adverse."""


def still(settings: AdverseSection = PLAIN) -> FillWorld:
    """A world that moves only where told."""
    world = FillWorld(1, settings, volatility_a_year=0.0)
    world.settle()
    return world


def wait(world: FillWorld, seconds: int) -> None:
    for _ in range(seconds):
        world.now_ns += SECOND
        world.settle()


def verdicts(world: FillWorld) -> list[bool]:
    n = int(world.markouts.record["head"][0])
    return [bool(v & IS_ADVERSE) for v in world.watch.record["verdict"][0, :n].tolist()]


def test_a_fill_is_judged_again_when_a_horizon_has_passed():
    """The mid falls by 10 bps after a buy: adverse at 30 s; what it does later does not make that undone."""
    world = still(
        PLAIN.model_copy(update={"delayed_fills_min": 1, "tests_min": 2, "confidence_max": 0.9})
    )
    for _ in range(3):
        world.fill(Side.BUY, share=0.5)
    assert verdicts(world) == [False] * 3
    world.price -= 100.0
    wait(world, 31)
    record = world.watch.record[0]
    assert verdicts(world) == [True] * 3, "one test that is sure"
    assert record["fired"].tolist() == [3, 0, 0, 0, 0]
    assert world.watch.level > 0.5
    assert record["cell_adverse"][0, 0] > 2.9
    world.price += 100.0
    wait(world, 600)
    assert record["staged"].tolist() == [3, 3, 3]
    assert record["fired"].tolist() == [3, 0, 0, 0, 0], "what the mid did until 30 s stays known"


def test_a_later_stage_takes_back_what_an_earlier_one_found():
    """All of a taken order is suspicious at once, under a percentile of its own not any more."""
    world = still(
        AdverseSection(mode="threshold", tests_min=2, confidence_max=0.99, delayed_fills_min=1)
    )
    for _ in range(6):
        world.fill(Side.SELL)
    assert verdicts(world)[-1]
    assert world.watch.level > 0.0
    record = world.watch.record[0]
    # Were its strengths to turn out harmless, the next stage would say so.
    record["strength"][:, :6] = 0.0
    wait(world, 31)
    assert verdicts(world) == [False] * 6
    assert world.watch.level == pytest.approx(0.0, abs=1e-12)
    assert record["adverse"] == 0
    assert record["staged_adverse"].tolist()[:2] == [1, 0]


def test_nothing_that_comes_after_a_fill_is_known_at_the_fill():
    """Two worlds that part the moment after it judge it alike, and each later stage no sooner than its time."""
    worlds = [FillWorld(3, fills_per_s=0.2) for _ in range(2)]
    for world in worlds:
        world.run(900)
        world.fill(Side.BUY)
    first, second = (w.watch.record[0] for w in worlds)
    assert worlds[0].watch.record.tobytes() == worlds[1].watch.record.tobytes()
    i = int(worlds[0].markouts.record["head"][0]) - 1
    strengths = first["strength"][:, i].copy()
    worlds[1].price -= 500.0
    for world in worlds:
        wait(world, JUDGED_NS[0] // SECOND - 1)
    assert (second["strength"][:, i] == strengths).all(), "29 seconds later it is as it was"
    for world in worlds:
        wait(world, 1)
    assert second["strength"][0, i] > first["strength"][0, i]


def test_fills_that_nobody_quoted_are_not_judged():
    """A hedge or a flattening chose its own moment; a taker's fill is no maker's."""
    world = still()
    world.fill(Side.BUY, NOT_QUOTED)
    world.price -= 100.0
    wait(world, 700)
    record = world.watch.record[0]
    assert record["staged"].sum() == record["cell_fills"].sum() == 0
    assert record["pool_n"].sum() == 0


def test_a_fill_that_the_ring_lost_is_passed_over():
    """Its move is unknown, not zero."""
    world = still()
    world.fill(Side.BUY)
    world.markouts.record["judged"][0, :] = 1  # as on_fill leaves it when the ring is full
    wait(world, 2)
    assert world.watch.record["staged"][0].tolist() == [1, 0, 0]


@pytest.mark.parametrize("mode", ["z", "threshold"])
def test_compiled_and_plain_code_agree(mode):
    """Every field, over twenty minutes of fills."""
    world = FillWorld(11, AdverseSection(mode=mode), fills_per_s=0.1)
    plain, history = new_adverse(world.watch.spec, world.seed), new(HISTORY)
    on_fill, on_step = (
        interpreted(getattr(k, "py_func", k))
        for k in (adverse_kernels.on_fill, adverse_kernels.on_step)
    )
    told, step = world.watch.on_fill, world.watch.on_time

    def fill_both(level, quoted_lots):
        on_fill(plain, world.markouts.record, world.vol, world.flow, level, quoted_lots)
        told(level, quoted_lots)

    def step_both(mid, per_bps, now_ns):
        on_step(plain, world.markouts.record, history, world.flow, mid, now_ns)
        step(mid, per_bps, now_ns)

    world.watch.on_fill, world.watch.on_time = fill_both, step_both  # type: ignore[method-assign]
    world.run(1_300)
    assert plain["staged"][0].min() > 30
    for name in ADVERSE.names or ():
        np.testing.assert_allclose(
            plain[name], world.watch.record[name], rtol=1e-9, atol=1e-12, err_msg=name
        )
    assert history.tobytes() == world.watch.history.tobytes()


def test_a_word_for_each_test():
    """They label metrics."""
    assert len(set(NAMES)) == 5
