"""One compiled episode of the inventory policy: quote, be filled, be marked, learn by double Q-learning.

Time is semi-Markov: a decision lasts until the next fill or the end of the bar, and the future is discounted by
what really passed. The market is the same seen from either side, so states are folded: with a short position
everything is looked at in a mirror, and each step teaches both. What is learned from marks to the latent price: a
fill on news costs its news at once, where the mid would tell it to whoever quotes seconds later; the rest of the
price's moves is noise, 0 in the mean, and charged as risk. The PnL that is reported is that of the mid.

Source: van Hasselt, "Double Q-learning" (2010); Bradtke & Duff (1994) for semi-Markov time.
"""

import math
from typing import Any, Final

from mmd.core.learned.counter_random import stream_key, uniform
from mmd.core.learned.q_policy import (
    ACTIONS,
    NO_QUOTES,
    NORMAL,
    SKEW_FACTORS,
    SPREAD_FACTORS,
    state_index,
)
from mmd.core.quoting import glft
from mmd.core.quoting.record import ASK, BID
from mmd.jit.kernel import Rec, kernel, layout, leaf
from models.q_market import LIMIT_UNITS, begin, close_bar

LEARN, GREEDY, ALWAYS_NORMAL = 0, 1, 2
"""What a policy does: explores and learns; takes the actions of its table; takes NORMAL."""
_FILLS, _CHOICES = 101, 102
_PER_BAR: Final = 64
"""Decisions in a bar at most; then it runs to its end."""
_ROOT_MINUTE: Final = math.sqrt(60.0)

LEARNER = layout(
    ("mode", "i8"),
    ("bars", "i8"),  # of an episode
    ("alpha", "f8"),  # learning rate of a first visit
    ("alpha_visits", "f8"),  # after so many it is half of that
    ("epsilon", "f8"),  # share of decisions that explore
    ("discount_rate", "f8"),  # rho, 1 / second
    ("phi", "f8"),  # price of inventory, 1 / (tick * unit)
    ("maker_fee", "f8"),  # ticks
    ("taker_fee", "f8"),  # ticks, when the session's inventory is closed at its end
    ("centre", "f8"),  # reward of a second that is taken as usual and not counted in values
    ("reward", "f8"),  # of the episode: PnL less the price of inventory, ticks times units
    ("pnl", "f8"),
    ("fills", "i8"),
    ("decisions", "i8"),
    ("inventory_squared", "f8"),  # mean over time
    ("taken", "i8", (ACTIONS,)),
    ("distance", "f8", (2,)),  # of our quotes from the mid, ticks
    ("intensity", "f8", (2,)),  # of fills, 1 / second
)


@leaf
def _best(values: Any, state: int) -> int:
    """The best action; NORMAL where others are only as good."""
    best = NORMAL
    for action in range(ACTIONS):
        if values[state, action] > values[state, best]:
            best = action
    return best


@leaf
def _best_of_both(first: Any, second: Any, state: int) -> int:
    """The best action by the sum of both tables."""
    best = NORMAL
    for action in range(ACTIONS):
        value = first[state, action] + second[state, action]
        if value > first[state, best] + second[state, best]:
            best = action
    return best


@leaf
def _quote(s: Rec, m: Rec, q: Rec, inventory: int, action: int) -> None:
    """Write distance and intensity of both sides, as the ladder places them: whole ticks, post-only."""
    fair = m.mid + m.fair_per_imbalance * m.imbalance
    centre = fair + q.skew * SKEW_FACTORS[action]
    bid = math.floor(centre - max(q.offset[BID] * SPREAD_FACTORS[action], 0.5))
    ask = math.ceil(centre + max(q.offset[ASK] * SPREAD_FACTORS[action], 0.5))
    bid = min(bid, math.ceil(m.mid + 0.5 * m.spread) - 1.0)
    ask = max(ask, math.floor(m.mid - 0.5 * m.spread) + 1.0)
    s.distance[BID], s.distance[ASK] = m.mid - bid, ask - m.mid
    for side in range(2):
        rate = m.rate * math.exp(-m.decay * s.distance[side])
        held = inventory if side == BID else -inventory
        s.intensity[side] = 0.0 if action == NO_QUOTES or held >= LIMIT_UNITS else rate
    s.decisions += 1
    s.taken[action] += 1


@leaf
def _fill(s: Rec, side: int) -> float:
    """Note a fill; returns what it earned against the mid, less the fee."""
    earned: float = s.distance[side] - s.maker_fee
    s.fills += 1
    s.pnl += earned
    return earned


@leaf
def _learn(  # noqa: PLR0913, PLR0917 - a kernel
    s: Rec,
    first: Any,
    second: Any,
    visits: Any,
    squared: Any,
    state: int,
    action: int,
    reward: float,
    kept: float,
    following: int,
    u: float,
) -> None:
    """Move one of the tables, by chance, towards the reward and what the other says of the state that follows.

    With `following` below 0 nothing follows. Squared errors are averaged over the last hundred visits or so.
    """
    visits[state, action] += 1
    rate = s.alpha * s.alpha_visits / (s.alpha_visits + visits[state, action])
    if u < 0.5:
        future = 0.0 if following < 0 else second[following, _best(first, following)]
        error = reward + kept * future - first[state, action]
        first[state, action] += rate * error
    else:
        future = 0.0 if following < 0 else first[following, _best(second, following)]
        error = reward + kept * future - second[state, action]
        second[state, action] += rate * error
    squared[state, action] += max(0.01, 1.0 / visits[state, action]) * (
        error * error - squared[state, action]
    )


@leaf
def _state(p: Rec, m: Rec, inventory: int, time_left: float) -> int:
    """The state, seen from the long side."""
    sign = 1.0
    if inventory < 0 or (inventory == 0 and m.imbalance < 0.0):
        sign = -1.0
    change = sign * m.change / max(m.sigma_seen * math.sqrt(m.bar_s), 1e-12)
    volatility = 1e4 * m.sigma_seen * _ROOT_MINUTE / m.price
    ratio = abs(inventory) / LIMIT_UNITS
    return state_index(p, ratio, change, m.spread, volatility, time_left, sign * m.imbalance)


@leaf
def _choose(s: Rec, p: Rec, first: Any, second: Any, state: int, choices: int, number: int) -> int:
    """The action of a state: explored or the better one in LEARN, the policy's in GREEDY, else NORMAL."""
    if s.mode != LEARN:
        return int(p.action[state]) if s.mode == GREEDY else NORMAL
    if uniform(choices, 3 * number + 1) < s.epsilon:
        return int(uniform(choices, 3 * number + 2) * ACTIONS)
    return _best_of_both(first, second, state)


@leaf
def _begin_episode(s: Rec) -> None:
    s.reward = s.pnl = s.inventory_squared = 0.0
    s.fills = s.decisions = 0
    for action in range(ACTIONS):
        s.taken[action] = 0


@leaf
def _hold(s: Rec, m: Rec, inventory: int, passed: float) -> float:
    """The reward of holding an inventory for a time, less the mean that is taken out of all rewards."""
    risk = s.phi * m.sigma**2 * inventory**2 * passed
    s.inventory_squared += inventory**2 * passed
    s.reward -= risk
    return float(-risk - s.centre * passed)


@leaf
def _finish(s: Rec, m: Rec, inventory: int) -> float:
    """Close what is held at the end, and sum up; returns what closing cost."""
    cost: float = abs(inventory) * (0.5 * m.spread + s.taker_fee)
    s.pnl -= cost
    s.reward += s.pnl
    s.inventory_squared /= s.bars * m.bar_s
    return cost


@leaf
def _picked_off(s: Rec, m: Rec) -> tuple[int, float]:
    """What news takes from quotes that it has passed: the change of inventory, and what that earned."""
    if m.news > 0.0 and s.intensity[ASK] > 0.0 and s.distance[ASK] < m.news:
        return -1, _fill(s, ASK) - m.hidden - m.news
    if m.news < 0.0 and s.intensity[BID] > 0.0 and s.distance[BID] < -m.news:
        return 1, _fill(s, BID) + m.hidden + m.news
    return 0, 0.0


@kernel
def play(  # noqa: PLR0913, PLR0917 - a kernel: one loop over an episode
    learner: Rec,
    market: Rec,
    quote: Rec,
    table: Rec,
    policy: Rec,
    first: Any,
    second: Any,
    visits: Any,
    squared: Any,
    seed: int,
) -> None:
    """Play the episode of a seed from no inventory to none; the learner's record says how it went.

    quote has gamma set; market is of `models.q_market.new_market`, table of `glft.new_table`. first and second are
    values, shape (STATES, ACTIONS), f8, learned in mode LEARN, as visits (i4) and squared errors (f8) of the same
    shape are. policy's actions are taken in mode GREEDY, its edges always. seed is of the market and of fills.
    """
    s, m, q, p = learner[0], market[0], quote[0], policy[0]
    begin(m, seed)
    fills, choices = stream_key(seed, _FILLS), stream_key(seed, _CHOICES)
    inventory = 0
    before, taken, reward, passed = -1, NORMAL, 0.0, 0.0
    _begin_episode(s)
    for bar in range(s.bars):
        left = m.bar_s
        for turn in range(_PER_BAR):
            number = bar * _PER_BAR + turn
            state = _state(p, m, inventory, (s.bars - bar) * m.bar_s)
            if s.mode == LEARN and before >= 0:
                kept = math.exp(-s.discount_rate * passed)
                u = uniform(choices, 3 * number)
                _learn(s, first, second, visits, squared, before, taken, reward, kept, state, u)
            action = _choose(s, p, first, second, state, choices, number)
            q.inventory, q.sigma = inventory, m.sigma_seen
            q.rate[BID] = q.rate[ASK] = m.rate
            glft.offsets(quote, table)
            _quote(s, m, q, inventory, action)
            both = s.intensity[BID] + s.intensity[ASK]
            wait = -math.log(uniform(fills, 2 * number)) / both if both > 0.0 else math.inf
            is_over = wait >= left or turn == _PER_BAR - 1
            passed = left if is_over else wait
            reward = _hold(s, m, inventory, passed)
            before, taken = state, action
            if not is_over:
                is_bid = uniform(fills, 2 * number + 1) * both < s.intensity[BID]
                sign = 1 if is_bid else -1
                reward += _fill(s, BID if is_bid else ASK) + sign * m.hidden
                inventory += sign
                left -= wait
                continue
            lots, earned = _picked_off(s, m)
            inventory += lots
            reward += earned
            s.pnl += inventory * close_bar(m)
            break
    cost = _finish(s, m, inventory)
    if s.mode == LEARN and before >= 0:
        u = uniform(choices, 3 * s.bars * _PER_BAR)
        _learn(s, first, second, visits, squared, before, taken, reward - cost, 0.0, -1, u)
