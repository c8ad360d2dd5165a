"""The Q-learning inventory policy as it is served: six inputs make a state, the state names one of five actions.

The table of values is turned into one action for each state when it is loaded, so that a decision is a look-up.
Where nothing is surely better,
a state was visited too rarely in training, or where an input is not finite the action is NORMAL: the
spread model's own quotes.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mmd.core.learned.counter_random import stream_key, uniform
from mmd.jit.kernel import Rec, kernel, layout, leaf, new

AGGRESSIVE, NORMAL, PASSIVE, REDUCE, NO_QUOTES = 0, 1, 2, 3, 4
ACTIONS: Final = 5
ACTION_NAMES: Final = ("aggressive", "normal", "passive", "reduce", "no_quotes")
SPREAD_FACTORS: Final = (0.5, 1.0, 2.0, 1.0, 1.0)
SKEW_FACTORS: Final = (1.0, 1.0, 1.0, 3.0, 1.0)
INVENTORY, CHANGE, SPREAD, VOLATILITY, TIME_LEFT, IMBALANCE = 21, 11, 6, 5, 5, 5
SHAPE: Final = (INVENTORY, CHANGE, SPREAD, VOLATILITY, TIME_LEFT, IMBALANCE)
"""Levels of each input; the last varies fastest in a state's index."""
STATES: Final = INVENTORY * CHANGE * SPREAD * VOLATILITY * TIME_LEFT * IMBALANCE
VISITS_MIN: Final = 100
VOLATILITY_EDGES_BPS: Final = (5.0, 10.0, 20.0, 30.0)
SPREAD_EDGES_TICKS: Final = (1.5, 2.5, 3.5, 4.5, 5.5)
TIME_LEFT_EDGES_S: Final = (10.0, 30.0, 100.0, 300.0)
"""Where the end of a session, or a funding, is far away it does not matter how far."""
CERTAINTY: Final = 4.0
"""Standard errors by which an action must be better than NORMAL."""
_IMBALANCE_EDGES: Final = (-0.6, -0.2, 0.2, 0.6)
_EXPLORATION: Final = 0x51
I4 = npt.NDArray[np.int32]

POLICY = layout(
    ("key", "i8"),  # of the stream of exploration
    ("epsilon", "f8"),  # share of decisions that explore; 0 when serving
    ("spread_edges", "f8", (SPREAD - 1,)),  # ticks
    ("volatility_edges", "f8", (VOLATILITY - 1,)),  # bps per square root of a minute
    ("action", "i1", (STATES,)),
)


@leaf
def _level(x: float, edges: Any) -> int:
    """How many of the edges x is above."""
    level = 0
    for i in range(len(edges)):
        if x > edges[i]:
            level += 1
    return level


@leaf
def _centred(x: float, reach: int) -> int:
    """X rounded and held within -reach..reach, counted from 0."""
    return math.floor(min(max(x, -float(reach)), float(reach)) + 0.5) + reach


@leaf
def state_index(
    p: Rec,
    inventory_ratio: float,
    change_sigmas: float,
    spread_ticks: float,
    volatility_bps: float,
    time_left_s: float,
    imbalance: float,
) -> int:
    """Index of the state that these inputs are in, 0..STATES-1; all but the time left must be finite.

    Args:
        p: POLICY[0], for its edges.
        inventory_ratio: of the position limit, -1..1.
        change_sigmas: of the mid over the last bar, in standard deviations of a bar's change.
        spread_ticks: best ask less best bid, without our orders.
        volatility_bps: per square root of a minute.
        time_left_s: to the session's end or the next funding; infinite where there is neither.
        imbalance: of the touch, -1..1.
    """
    at = _centred(10.0 * inventory_ratio, 10)
    at = at * CHANGE + _centred(change_sigmas, 5)
    at = at * SPREAD + _level(spread_ticks, p.spread_edges)
    at = at * VOLATILITY + _level(volatility_bps, p.volatility_edges)
    at = at * TIME_LEFT + _level(time_left_s, TIME_LEFT_EDGES_S)
    return at * IMBALANCE + _level(imbalance, _IMBALANCE_EDGES)


@kernel
def decide(
    policy: Rec,
    decision: int,
    inventory_ratio: float,
    change_sigmas: float,
    spread_ticks: float,
    volatility_bps: float,
    time_left_s: float,
    imbalance: float,
) -> int:
    """The action to take, AGGRESSIVE to NO_QUOTES, by the record of `new_policy` and the inputs of `state_index`.

    `decision` is the number of the decision; an exploring policy draws by it.
    """
    p = policy[0]
    known = inventory_ratio + change_sigmas + spread_ticks
    if not math.isfinite(known + volatility_bps + imbalance) or math.isnan(time_left_s):
        return NORMAL
    if p.epsilon > 0.0 and uniform(p.key, 2 * decision) < p.epsilon:
        return int(uniform(p.key, 2 * decision + 1) * ACTIONS)
    at = state_index(
        p,
        inventory_ratio,
        change_sigmas,
        spread_ticks,
        volatility_bps,
        time_left_s,
        imbalance,
    )
    return int(p.action[at])


def greedy_actions(
    q: npt.NDArray[np.floating[Any]],
    q_error: npt.NDArray[np.floating[Any]],
    visits: I4,
    visits_min: int = VISITS_MIN,
) -> npt.NDArray[np.int8]:
    """The action of each state, shape (STATES,): the best by q, NORMAL where not surely known.

    Args:
        q: values, shape (STATES, ACTIONS).
        q_error: their standard errors, same shape.
        visits: how often each was updated, same shape.
        visits_min: fewer than this of the best action, or of NORMAL to compare it with, are too few.
    """
    best = q.argmax(axis=1)
    rows = np.arange(len(q))
    is_known = np.minimum(visits[rows, best], visits[:, NORMAL]) >= visits_min
    error = np.hypot(q_error[rows, best], q_error[:, NORMAL])
    is_known &= q[rows, best] - q[:, NORMAL] > CERTAINTY * error
    actions: npt.NDArray[np.int8] = np.where(is_known, best, NORMAL).astype(np.int8)
    return actions


def new_policy(
    weights: Mapping[str, npt.NDArray[Any]],
    *,
    visits_min: int = VISITS_MIN,
    seed: int = 0,
    epsilon: float = 0.0,
) -> Rec:
    """The record of a trained table.

    Args:
        weights: of the artefact: q, q_error, visits, spread_edges, volatility_edges.
        visits_min: see `greedy_actions`.
        seed: of exploration.
        epsilon: share of decisions that explore, 0..1.

    Raises:
        KeyError: An array is missing.
        ValueError: An array has another shape, or a value is not finite.
    """
    expected = {
        "q": (STATES, ACTIONS),
        "q_error": (STATES, ACTIONS),
        "visits": (STATES, ACTIONS),
        "spread_edges": (SPREAD - 1,),
        "volatility_edges": (VOLATILITY - 1,),
    }
    for name, shape in expected.items():
        found = weights[name]
        if found.shape != shape or not np.isfinite(found).all():
            raise ValueError(
                f"{name} has shape {found.shape}, expected finite numbers of shape {shape}: train it again"
            )
    assert 0.0 <= epsilon <= 1.0, f"expected an epsilon of 0 to 1, found {epsilon}"
    policy = new(POLICY)
    policy["key"], policy["epsilon"] = stream_key(seed, _EXPLORATION), epsilon
    policy["spread_edges"][0] = weights["spread_edges"]
    policy["volatility_edges"][0] = weights["volatility_edges"]
    policy["action"][0] = greedy_actions(
        weights["q"], weights["q_error"], weights["visits"], visits_min
    )
    return policy
