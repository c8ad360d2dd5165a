"""Where the best arm changes, rules that forget lose less than UCB1; where it does not, UCB1 stops losing."""

import numpy as np

from mmd.core.learned.bandit_rules import DiscountedThompson
from models.bandit_experiment import ARMS, RULES, problem, regret

DECISIONS = 3_000
SEEDS = 2


def mean(make, switches: int) -> np.ndarray:
    """Regret over some problems."""
    runs = [regret(make(), problem(DECISIONS, switches, s), s) for s in range(SEEDS)]
    return np.mean(runs, axis=0)


def test_rules_that_forget_beat_ucb1_where_the_best_arm_changes() -> None:
    """In what they lose from the first of four switches to the end: each of the five."""
    runs = {name: mean(make, 4) for name, make in RULES.items()}
    lost = {name: run[-1] - run[DECISIONS // 5 - 1] for name, run in runs.items()}
    yardstick = lost.pop("UCB1")
    assert len(lost) == 5
    assert all(found < yardstick for found in lost.values()), (yardstick, lost)


def test_regret_grows_ever_slower_where_nothing_changes() -> None:
    """Of UCB1 and of Thompson sampling that does not forget: logarithmic, by theory; random choice would be a line."""
    for make in (RULES["UCB1"], lambda: DiscountedThompson(ARMS, 1.0, discount=1.0)):
        lost = mean(make, 0)
        half = DECISIONS // 2
        assert lost[-1] - lost[half] < 0.4 * lost[half]
        assert lost[-1] < 0.1 * DECISIONS * (1 - 1 / ARMS)


def test_a_problem_switches_as_often_as_asked() -> None:
    """And its rewards are those means with noise."""
    p = problem(1_000, 3, 5)
    best = p.means.argmax(axis=1)
    assert (np.diff(best) != 0).sum() == 3
    assert abs((p.rewards - p.means).std() - 1.0) < 0.05
