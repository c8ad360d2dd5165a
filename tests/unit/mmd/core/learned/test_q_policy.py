"""The inventory policy: states cover their inputs, unsure states are NORMAL, a decision is a look-up."""

import math

import numpy as np
import pytest

from mmd.core.learned.q_policy import (
    ACTIONS,
    AGGRESSIVE,
    NO_QUOTES,
    NORMAL,
    PASSIVE,
    REDUCE,
    SPREAD_EDGES_TICKS,
    STATES,
    VISITS_MIN,
    VOLATILITY_EDGES_BPS,
    decide,
    greedy_actions,
    new_policy,
    state_index,
)
from mmd.jit.kernel import bind

MIDDLE = (0.0, 0.0, 1.0, 1.0, math.inf, 0.0)


def weights(**changes: np.ndarray) -> dict[str, np.ndarray]:
    """A table that knows nothing, with the default edges."""
    return {
        "q": np.zeros((STATES, ACTIONS)),
        "q_error": np.zeros((STATES, ACTIONS)),
        "visits": np.full((STATES, ACTIONS), VISITS_MIN, np.int32),
        "spread_edges": np.array(SPREAD_EDGES_TICKS),
        "volatility_edges": np.array(VOLATILITY_EDGES_BPS),
    } | changes


def index(policy: np.ndarray, *inputs: float) -> int:
    """State of these inputs."""
    return state_index(policy.view(np.recarray)[0], *inputs)


def test_every_state_has_inputs_of_its_own() -> None:
    """The levels of six inputs number the states from 0 to the last, each once, and numbers beyond are held."""
    policy = new_policy(weights())
    seen = [
        index(policy, i / 10, c, s, v, t, b)
        for i in range(-10, 11)
        for c in range(-5, 6)
        for s in (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
        for v in (1.0, 6.0, 11.0, 21.0, 31.0)
        for t in (1.0, 20.0, 50.0, 200.0, 999.0)
        for b in (-0.9, -0.4, 0.0, 0.4, 0.9)
    ]
    assert seen == list(range(STATES))
    assert index(policy, -7.0, -99.0, -1.0, 0.0, 0.0, -1.0) == 0
    assert index(policy, 7.0, 99.0, 1e9, 1e9, math.inf, 1.0) == STATES - 1


def test_the_best_action_is_taken_in_its_state_alone() -> None:
    """A decision reads the table at the state of its inputs; a neighbour keeps NORMAL."""
    q = np.zeros((STATES, ACTIONS))
    q[index(new_policy(weights()), *MIDDLE), REDUCE] = 1.0
    policy = new_policy(weights(q=q))
    run = bind(decide, policy, 0, *MIDDLE)
    assert run(policy, 0, *MIDDLE) == REDUCE
    assert run(policy, 0, 0.1, *MIDDLE[1:]) == NORMAL


@pytest.mark.parametrize("at", range(6))
def test_an_input_that_is_not_a_number_is_normal(at: int) -> None:
    """Whatever the table says."""
    q = np.zeros((STATES, ACTIONS))
    q[:, NO_QUOTES] = 1.0
    policy = new_policy(weights(q=q))
    inputs = list(MIDDLE)
    assert decide(policy, 0, *inputs) == NO_QUOTES
    inputs[at] = math.nan
    assert decide(policy, 0, *inputs) == NORMAL


def test_what_is_not_surely_known_is_normal() -> None:
    """Too few visits of the best action or of NORMAL, or a gain within four standard errors."""
    q = np.array([[1.0, 0.0, 0.0, 0.0, 0.0]] * 4)
    error = np.zeros((4, ACTIONS))
    visits = np.full((4, ACTIONS), 100, np.int32)
    visits[1, AGGRESSIVE] = 99
    visits[2, NORMAL] = 99
    error[3, AGGRESSIVE], error[3, NORMAL] = 0.2, 0.2
    assert greedy_actions(q, error, visits, 100).tolist() == [AGGRESSIVE, NORMAL, NORMAL, NORMAL]


def test_exploration_repeats_and_has_its_share() -> None:
    """By decision number: the same in a replay; none where epsilon is 0."""
    q = np.zeros((STATES, ACTIONS))
    q[:, PASSIVE] = 1.0
    policy = new_policy(weights(q=q), seed=3, epsilon=0.25)
    first = [decide(policy, n, *MIDDLE) for n in range(4_000)]
    assert first == [decide(policy, n, *MIDDLE) for n in range(4_000)]
    counts = np.bincount(first, minlength=ACTIONS)
    assert abs((4_000 - counts[PASSIVE]) / 4_000 - 0.25 * 4 / 5) < 0.03
    assert counts.min() > 120
    other = new_policy(weights(q=q), seed=4, epsilon=0.25)
    assert first != [decide(other, n, *MIDDLE) for n in range(4_000)]


def test_a_table_of_another_shape_is_refused() -> None:
    """The message names the array and what was expected."""
    with pytest.raises(ValueError, match="q has shape"):
        new_policy(weights(q=np.zeros((3, ACTIONS))))
    with pytest.raises(ValueError, match="q_error has shape"):
        new_policy(weights(q_error=np.full((STATES, ACTIONS), np.nan)))
