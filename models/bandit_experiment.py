"""What bandits lose on a problem whose answer is known: arms with Gaussian values, whose best one changes now and then."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from mmd.core.learned.bandit_rules import (
    DiscountedLinUcb,
    DiscountedThompson,
    DiscountedUcb,
    Exp3S,
    Rule,
    SlidingWindowUcb,
    ucb1,
)
from mmd.core.learned.bandits import NEUTRAL, Arm, Bandit
from mmd.jit.kernel import F8

ARMS: Final = 5
DELAY: Final = 3
"""Decisions until a reward is known."""
_GAP: Final = 1.0
"""Between the best arm and the others, in standard deviations of a reward."""


class Problem(NamedTuple):
    """Rewards of every arm at every decision, and their means; shape (decisions, ARMS)."""

    means: F8
    rewards: F8


def problem(decisions: int, switches: int, seed: int) -> Problem:
    """The best arm changes `switches` times, at even distances; with 0 it never does."""
    rng = np.random.default_rng(seed)
    best = (rng.integers(0, ARMS) + np.cumsum(rng.integers(1, ARMS, switches + 1))) % ARMS
    stretch = np.arange(decisions) * (switches + 1) // decisions
    means = _GAP * (np.arange(ARMS) == best[stretch][:, None])
    return Problem(means, means + rng.normal(size=means.shape))


RULES: Final[dict[str, Callable[[], Rule]]] = {
    "UCB1": lambda: ucb1(ARMS, 1.0),
    "discounted UCB": lambda: DiscountedUcb(ARMS, 1.0),
    "sliding-window UCB": lambda: SlidingWindowUcb(ARMS, 1.0),
    "discounted Thompson": lambda: DiscountedThompson(ARMS, 1.0),
    "discounted LinUCB": lambda: DiscountedLinUcb(ARMS, 1.0, inputs=1),
    "EXP3.S": lambda: Exp3S(ARMS, 1.0),
}
"""Every rule as it is used, by name; the context is a constant here."""


def regret(rule: Rule, of: Problem, seed: int) -> F8:
    """What a rule has lost against knowing the best arm, after each decision; shape (decisions,)."""
    arms = (NEUTRAL, *(Arm(1.0 + 0.1 * i, 0.0) for i in range(1, ARMS)))
    bandit = Bandit(arms, rule, hold_ns=1, seed=seed)
    context, n = np.ones(1), len(of.means)
    taken = np.zeros(n, np.int64)
    for t in range(n):
        taken[t] = bandit.choose(context, t, t).arm
        if t >= DELAY:
            told = t - DELAY
            bandit.reward(told, float(of.rewards[told, taken[told]]))
    lost = of.means.max(axis=1) - of.means[np.arange(n), taken]
    total: F8 = np.cumsum(lost)
    return total


def mean_regret(decisions: int, switches: int, seeds: int) -> dict[str, F8]:
    """Regret of every rule after each decision, the mean over some problems; rules meet the same ones."""
    problems = [problem(decisions, switches, seed) for seed in range(seeds)]
    return {
        name: np.mean([regret(make(), p, seed) for seed, p in enumerate(problems)], axis=0)
        for name, make in RULES.items()
    }
