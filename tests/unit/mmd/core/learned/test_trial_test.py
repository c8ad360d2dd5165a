"""A rival is better when its blocks earn more beyond chance and it neither loses more on the way nor is refused more."""

import numpy as np
import pytest

from mmd.core.learned.trial_spec import TrialSpec
from mmd.core.learned.trial_test import BlockResult, TrialTest, Verdict

SPEC = TrialSpec()


def after(
    difference: float, pairs: int = 200, rejected: int = 0, seed: int = 1, noise: float = 1.0
) -> TrialTest:
    """A test after that many pairs whose difference has this mean, in standard deviations of a block."""
    test, rng = TrialTest(SPEC), np.random.default_rng(seed)
    for _ in range(pairs):
        mine, theirs = rng.normal(size=2)
        test.add(
            BlockResult(difference + noise * mine, 1, 100, rejected), BlockResult(theirs, 1, 100, 0)
        )
    return test


@pytest.mark.parametrize(
    ("difference", "verdict"),
    [(1.0, Verdict.BETTER), (0.0, Verdict.UNDECIDED), (-1.0, Verdict.WORSE)],
)
def test_the_verdict_follows_the_difference(difference, verdict):
    """And it is not given before there are enough pairs."""
    assert after(difference).verdict is verdict
    assert after(difference, pairs=SPEC.pairs_min - 1).verdict is Verdict.UNDECIDED


def test_what_is_refused_more_often_is_not_better():
    """By more than the margin."""
    assert after(1.0, rejected=1).verdict is Verdict.BETTER
    assert after(1.0, rejected=2).verdict is Verdict.RISKY


def test_what_loses_more_on_the_way_is_not_better():
    """The same gain with blocks that scatter far more widely."""
    found = after(6.0, pairs=2_000, noise=40.0)
    assert found.difference.low > 0.0
    assert found.rival.drawdown_bps > SPEC.drawdown_ratio_max * found.champion.drawdown_bps
    assert found.verdict is Verdict.RISKY


def test_records_add_up():
    """Sums of the blocks, and the deepest fall below the highest point."""
    test = TrialTest(SPEC)
    for earned in (1.0, 2.0, -4.0, 1.0):
        test.add(BlockResult(earned, 2, 10, 1), BlockResult(0.0, 0, 0, 0))
    rival = test.rival
    assert (rival.earned_bps, rival.drawdown_bps, rival.fills) == (0.0, 4.0, 8)
    assert rival.reject_ratio == 0.1
    assert test.champion.reject_ratio == 0.0
