"""A champion whose fills turn against it is found out by the hold-out's; one that fails too often goes."""

import numpy as np
import pytest

from mmd.core.flow.markout import Markouts
from mmd.core.learned.demotion import DemotionSpec, FaultCount, MarkoutCusum
from mmd.core.learned.trial_spec import TrialArm
from mmd.core.units import NANOS_PER_SECOND, Side

SPEC = DemotionSpec()
SIGMA = 2.0


class Fills:
    """Fills ten seconds apart, by turns of champion and hold-out, and what the mid did after them."""

    def __init__(self) -> None:
        self.markouts = Markouts()
        self.cusum = MarkoutCusum(SPEC, self.markouts.record)
        self.rng = np.random.default_rng(5)
        self.now_ns = NANOS_PER_SECOND
        self.mid = 200_000

    def take(self, count: int, arm: TrialArm, worse_sd: float = 0.0) -> bool:
        """That many of an arm; their moves are worse by so many deviations; whether the alarm went."""
        self.cusum.on_arm(arm)
        alarm = False
        for _ in range(count):
            self.markouts.on_fill(Side.BUY, self.mid // 2, 10, self.mid, self.now_ns)
            moved = 2.0 * SIGMA * np.sqrt(5.0) * (self.rng.normal() - worse_sd - 0.3)
            self.mid = max(self.mid + int(moved), 1_000)
            self.markouts.on_mid(self.mid, self.now_ns + NANOS_PER_SECOND)
            self.now_ns += 10 * NANOS_PER_SECOND
            self.markouts.on_time(self.now_ns)
            alarm |= self.cusum.update(SIGMA)
        return alarm


def test_a_champion_like_the_hold_out_stays():
    """Fills go against both by the same; two thousand raise no alarm."""
    fills = Fills()
    for _ in range(20):
        assert not fills.take(100, TrialArm.CHAMPION)
        assert not fills.take(10, TrialArm.HOLDOUT)
    assert fills.cusum.holdout_fills == 200


def test_a_champion_that_is_run_over_is_found_out_soon():
    """One deviation worse: within a hundred fills; clear() begins anew."""
    fills = Fills()
    fills.take(200, TrialArm.HOLDOUT)
    assert not fills.take(50, TrialArm.CHAMPION)
    assert fills.take(100, TrialArm.CHAMPION, worse_sd=1.5)
    fills.cusum.clear()
    assert fills.cusum.total == 0.0
    assert fills.cusum.holdout_fills == 200


def test_without_a_hold_out_nothing_is_said():
    """A maker's fills always go against it somewhat: there has to be something to compare with."""
    fills = Fills()
    assert not fills.take(300, TrialArm.CHAMPION, worse_sd=3.0)
    assert fills.cusum.total == 0.0


def test_fills_of_the_same_second_count_once():
    """They share the mid's path."""
    fills = Fills()
    fills.cusum.on_arm(TrialArm.HOLDOUT)
    for _ in range(20):
        fills.markouts.on_fill(Side.SELL, fills.mid // 2, 1, fills.mid, fills.now_ns)
    fills.markouts.on_time(fills.now_ns + 10 * NANOS_PER_SECOND)
    fills.cusum.update(SIGMA)
    assert fills.cusum.holdout_fills == 1


@pytest.mark.parametrize(("apart_s", "wanted"), [(1, True), (120, False)])
def test_faults_count_within_their_window(apart_s, wanted):
    """Ten in ten minutes are too many, ten in twenty are not."""
    count = FaultCount(SPEC)
    found = [count.add(k * apart_s * NANOS_PER_SECOND) for k in range(SPEC.faults_max)]
    assert found == [False] * (SPEC.faults_max - 1) + [wanted]
    count.clear()
    assert not count.add(0)
