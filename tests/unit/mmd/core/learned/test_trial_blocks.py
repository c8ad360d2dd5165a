"""Blocks are drawn by counter, in pairs of neighbours, with the probability that is stated."""

from collections import Counter

import pytest

from mmd.core.learned.trial_blocks import TrialBlocks
from mmd.core.learned.trial_spec import TrialArm, TrialSpec

CHAMPION, CANARY, HOLDOUT = TrialArm


def drawn(holdout: float, *, has_canary: bool, seed: int = 1, blocks: int = 20_000):
    """That many blocks."""
    of = TrialBlocks(TrialSpec(holdout_ratio=holdout), seed=seed, stream=0)
    return [of.draw(n, has_canary=has_canary) for n in range(blocks)]


@pytest.mark.parametrize("has_canary", [False, True])
def test_shares_are_the_propensities(has_canary):
    """Each arm has as many blocks as its propensity says, within four deviations."""
    draws = drawn(0.05, has_canary=has_canary)
    counts = Counter(d.arm for d in draws)
    propensity = {d.arm: d.propensity for d in draws}
    assert sum(propensity.values()) == pytest.approx(1.0)
    assert set(counts) == ({CHAMPION, CANARY, HOLDOUT} if has_canary else {CHAMPION, HOLDOUT})
    for arm, count in counts.items():
        p = propensity[arm]
        assert abs(count - p * len(draws)) < 4 * (2 * p * (1 - p) * len(draws)) ** 0.5


def test_a_pair_is_two_neighbours_of_one_kind_one_of_them_the_champions():
    """In either order, each about as often."""
    draws, first = drawn(0.2, has_canary=True), Counter()
    for even, odd in zip(draws[::2], draws[1::2], strict=True):
        assert even.rival is odd.rival is not CHAMPION
        assert {even.arm, odd.arm} == {CHAMPION, even.rival}
        first[even.arm is CHAMPION] += 1
    assert abs(first[True] - first[False]) < 4 * len(draws) ** 0.5


def test_a_replay_draws_the_same_and_another_seed_does_not():
    """Nothing but seed, stream and number counts."""
    assert drawn(0.1, has_canary=True) == drawn(0.1, has_canary=True)
    assert drawn(0.1, has_canary=True) != drawn(0.1, has_canary=True, seed=2)


def test_without_rivals_every_block_is_the_champions():
    """For certain."""
    assert {(d.arm, d.propensity) for d in drawn(0.0, has_canary=False)} == {(CHAMPION, 1.0)}
