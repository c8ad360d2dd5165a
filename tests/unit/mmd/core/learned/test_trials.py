"""Blocks are handed over by lot, answer for their own fills, and meet their neighbours in the test."""

import pytest

from mmd.core.flow.markout import Markouts
from mmd.core.learned.trial_spec import TrialArm, TrialSpec
from mmd.core.learned.trial_test import Verdict
from mmd.core.learned.trials import Trials
from mmd.core.orders.order_numbers import OrderCounts
from mmd.core.quoting.record import QUOTE
from mmd.core.units import NANOS_PER_SECOND, Side
from mmd.jit.kernel import new

S = NANOS_PER_SECOND
CHAMPION, CANARY, HOLDOUT = TrialArm
MID = 20_000


class World:
    """Trials whose fills a test makes: one tick a basis point, a hundred lots an order."""

    def __init__(self, holdout: float = 0.0, canary: str = "") -> None:
        self.markouts, self.quote, self.counts = Markouts(), new(QUOTE), OrderCounts()
        self.quote["unit_lots"], self.quote["lots_min"] = 100, 1
        self.told: list[TrialArm] = []
        spec = TrialSpec(block_ns=10 * S, horizon_ns=S, holdout_ratio=holdout, pairs_min=10)
        self.trials = Trials(
            spec, seed=3, stream=0, markout=self.markouts.record, quote=self.quote,
            counts=self.counts, use=self.told.append,
        )  # fmt: skip
        self.canary, self.now_s = canary, 1_000
        self.markouts.on_mid(MID, 1)

    def step(self, seconds: int = 1, *, is_quoting: bool = True, **ticks: int) -> None:
        """Seconds, in each of which the arm that quotes earns so many ticks with one order of its size."""
        for _ in range(seconds):
            now_ns = self.now_s * S
            self.markouts.on_time(now_ns)
            self.trials.on_step(now_ns, 1.0, is_quoting=is_quoting, canary=self.canary)
            edge = ticks.get(self.trials.arm.name.lower(), 0)
            lots = 5 if self.trials.arm is CANARY else 100
            if edge != 0:
                self.markouts.on_fill(Side.BUY, MID // 2 - edge, lots, MID, now_ns + 1)
            self.now_s += 1


def test_without_rivals_nobody_is_told_anything() -> None:
    """Every block is the champion's."""
    world = World()
    world.step(500, champion=1)
    assert world.told == []
    assert world.trials.tests[HOLDOUT].difference.n == 0


def test_a_canary_that_earns_more_is_found_better() -> None:
    """For an order of one size: what five lots earn counts as much as what a hundred do."""
    world = World(canary="b")
    world.step(1_200, champion=1, canary=2)
    test = world.trials.tests[CANARY]
    assert test.difference.n > 40
    assert test.difference.level == pytest.approx(10.0, abs=0.5)
    assert test.verdict is Verdict.BETTER
    assert set(world.told) == {CHAMPION, CANARY}


def test_the_hold_out_is_compared_too() -> None:
    """A champion that earns less than the spread model alone."""
    world = World(holdout=0.3)
    world.step(1_500, champion=1, holdout=2)
    test = world.trials.tests[HOLDOUT]
    assert test.difference.n > 20
    assert test.verdict is Verdict.BETTER


def test_a_pair_of_which_half_was_pulled_is_left_out() -> None:
    """Both halves; the block in which quoting begins again is the champion's and counts for nobody."""
    world = World(canary="b")
    for _ in range(40):
        world.step(9, champion=1, canary=2)
        world.step(1, is_quoting=False)
        assert world.trials.arm is CHAMPION
    assert world.trials.tests[CANARY].difference.n == 0


def test_another_canary_begins_with_nothing_said_of_it() -> None:
    """And blocks that were under way are nobody's."""
    world = World(canary="b")
    world.step(400, champion=1, canary=2)
    assert world.trials.tests[CANARY].difference.n > 5
    world.canary = "c"
    world.step(1)
    assert world.trials.arm is CHAMPION
    assert world.trials.tests[CANARY].difference.n == 0
    world.canary = ""
    world.step(200, champion=1)
    assert CANARY not in world.trials.tests


def test_every_draw_is_kept_with_its_propensity() -> None:
    """Of the blocks that were drawn; the one that began in the middle was not."""
    world = World(holdout=0.1, canary="b")
    world.step(205)
    assert world.trials.draws_total == 20
    assert all(d.propensity == pytest.approx({CHAMPION: 0.5, CANARY: 0.4, HOLDOUT: 0.1}[d.arm])
               for d in list(world.trials.draws)[2:])  # fmt: skip
