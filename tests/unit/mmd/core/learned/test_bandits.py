"""Bandits hold an arm for its horizon, take rewards late and out of order, and repeat in a replay."""

import math

import numpy as np
import pytest

from mmd.core.learned.bandit_rules import DiscountedThompson, Exp3S, ucb1
from mmd.core.learned.bandits import NEUTRAL, PENDING_MAX, Arm, Bandit
from models.bandit_experiment import RULES

CONTEXT = np.ones(1)
ARMS = (NEUTRAL, Arm(0.5, 0.0), Arm(2.0, 0.0), Arm(1.0, 1.0), Arm(1.0, -1.0))


def bandit(rule, hold_ns: int = 1, seed: int = 1) -> Bandit:
    """One over five arms."""
    return Bandit(ARMS, rule, hold_ns=hold_ns, seed=seed)


def test_an_arm_is_held_for_its_horizon() -> None:
    """Until then the same choice comes back, with the key of the decision that made it."""
    one = bandit(Exp3S(5, 1.0), hold_ns=100)
    first = one.choose(CONTEXT, 7, 1_000)
    assert [one.choose(CONTEXT, 7 + k, 1_000 + k) for k in range(1, 100)] == [first] * 99
    second = one.choose(CONTEXT, 107, 1_100)
    assert (second.decision, second.chosen_ns) == (107, 1_100)


@pytest.mark.parametrize("name", RULES)
def test_probabilities_add_up_and_propensities_are_theirs(name: str) -> None:
    """For every rule, whatever it has learned so far."""
    rule = RULES[name]()
    one = bandit(rule)
    for t in range(60):
        wanted = rule.probabilities(CONTEXT)
        assert math.isclose(sum(wanted), 1.0)
        assert min(wanted) >= 0.0
        choice = one.choose(CONTEXT, t, t)
        assert choice.propensity == wanted[choice.arm] > 0.0
        one.reward(t, math.sin(t) + choice.arm)


@pytest.mark.parametrize("name", RULES)
def test_a_replay_makes_the_same_choices(name: str) -> None:
    """The same rewards in the same order, the same decisions: the same arms."""

    def arms() -> list[int]:
        one = bandit(RULES[name](), seed=9)
        taken = []
        for t in range(80):
            taken.append(one.choose(CONTEXT, 3 * t, t).arm)
            if t >= 4:
                one.reward(3 * (t - 4), float(taken[t - 4] == 2))
        return taken

    assert arms() == arms()


def test_rewards_may_come_in_any_order_once() -> None:
    """Unknown decisions, second rewards and what is not a number change nothing."""
    one = bandit(ucb1(5, 1.0))
    for t in range(5):
        one.choose(CONTEXT, t, t)
    assert not one.reward(99, 1.0)
    assert not one.reward(3, math.nan)
    assert [one.reward(t, 1.0) for t in (3, 0, 4, 1, 2)] == [True] * 5
    assert not one.reward(3, 1.0)


def test_choices_without_reward_are_given_up() -> None:
    """So that memory stays bounded."""
    one = bandit(Exp3S(5, 1.0))
    for t in range(PENDING_MAX + 10):
        one.choose(CONTEXT, t, t)
    assert one.given_up == 10
    assert not one.reward(9, 1.0)
    assert one.reward(10, 1.0)


def test_each_arm_is_tried_before_any_is_judged() -> None:
    """Even where no reward has come yet."""
    one = bandit(ucb1(5, 1.0))
    assert sorted(one.choose(CONTEXT, t, t).arm for t in range(5)) == [0, 1, 2, 3, 4]


def test_thompson_knows_how_likely_an_arm_is_the_best() -> None:
    """By quadrature as by drawing from its beliefs."""
    rule = DiscountedThompson(3, 1.0, discount=1.0)
    rng = np.random.default_rng(1)
    for arm, level, n in ((0, 0.0, 10), (1, 0.3, 5), (2, -0.2, 3)):
        for _ in range(n):
            rule.learn(arm, CONTEXT, 1.0, level)
    counts, sums = np.array([10, 5, 3]) + 1.0, np.array([0.0, 1.5, -0.6])
    draws = sums / counts + rng.normal(size=(200_000, 3)) / np.sqrt(counts)
    drawn = np.bincount(draws.argmax(axis=1), minlength=3) / 200_000
    assert np.allclose(rule.probabilities(CONTEXT), drawn, atol=0.005)


@pytest.mark.parametrize("wrong", [(0.1, 0.0), (5.0, 0.0), (1.0, 5.1), (1.0, math.nan)])
def test_arms_are_bounded(wrong: tuple[float, float]) -> None:
    """No bandit may ask for more."""
    with pytest.raises(ValueError, match="expected"):
        Arm(*wrong)
