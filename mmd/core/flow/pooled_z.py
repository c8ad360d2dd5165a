"""Whether our last fills moved against us by more than chance: one z-score for the last n fills of a horizon.

Each fill's move is counted in standard deviations of its own moment, x = AS_h / (sigma sqrt(h)), so that fills of
calm and of wild times weigh the same. Fills whose horizons overlap share news: the variance of their sum is
    V = sum over i, j of s_i s_j (1 - |t_i - t_j| / h)+
which is n for fills that are far apart and n squared for one sweep; V is the design's effective count.
What the mid does anyway is taken off: the mean of the same quantity at random times before each fill, on its side.
A window's own baseline is noisy, so it is shrunk towards that of all fills, and that towards nothing; the same draws
tell how far sigma, which is measured over one second, is from what holds over h.

Source: James and Stein (1961) for the shrinkage; V is the variance of overlapping increments of Brownian motion.
"""

import math
from typing import Final

from mmd.core.flow.mid_history import mid_at, oldest_ns
from mmd.jit.kernel import Rec, leaf

POOL_MAX: Final = 64
POOLS: Final = 2
DRAWS: Final = 4
"""Random times for each fill."""
SPAN_NS: Final = 600_000_000_000
"""How long before a fill they may be, beyond the horizon itself: volatility must be the fill's own."""
PRIOR_WINDOWS: Final = 20.0
"""The baseline of all fills, and its variance of 1, weigh as much as so many independent random times."""
_KEEP: Final = 0.999
_SCALE_MIN: Final = 0.25
_MASK: Final = 0x7FFFFFFF

FIELDS: Final = (
    ("seed", "i8"),
    ("fills_pooled", "i8"),
    ("pool_ns", "i8", (POOLS,)),  # horizons
    ("pool_n", "i8", (POOLS,)),  # fills ever pooled
    ("pool_ts_ns", "i8", (POOLS, POOL_MAX)),
    ("pool_sign", "i8", (POOLS, POOL_MAX)),
    ("pool_x", "f8", (POOLS, POOL_MAX)),  # AS in standard deviations
    ("pool_drawn", "f8", (POOLS, POOL_MAX)),  # mean of the same at random times
    ("drawn_weight", "f8", (POOLS,)),  # independent random times behind the next two
    ("drawn_sum", "f8", (POOLS,)),
    ("drawn_square", "f8", (POOLS,)),
    ("pool_z", "f8", (POOLS,)),
)
"""Of a record that these leaves work on; see `layout`."""


@leaf
def uniform(seed: int, counter: int) -> float:
    """A number in [0, 1) that belongs to (seed, counter); 31-bit integer mixing, the same in every mode."""
    x = (seed * 0x2545F491 + counter * 0x9E3779B1) & _MASK
    x ^= x >> 15
    x = (x * 0x2C1B3C6D) & _MASK
    x ^= x >> 12
    x = (x * 0x297A2D39) & _MASK
    x ^= x >> 15
    return x / (_MASK + 1)


@leaf
def draw(a: Rec, h: Rec, k: int, fill: int, ts_ns: int, deviation: float) -> tuple[float, float]:
    """Mean and mean square of the mid's moves over a horizon from random times that ended before a fill.

    In units of deviation (half ticks); the mean square is -1 where there is no history.
    """
    wait_ns = a.pool_ns[k]
    last_ns = ts_ns - wait_ns
    if h.head == 0 or oldest_ns(h) > last_ns:
        return 0.0, -1.0
    span_ns = min(last_ns - oldest_ns(h), SPAN_NS)
    total = square = 0.0
    for j in range(DRAWS):
        chance = uniform(a.seed, (fill * POOLS + k) * DRAWS + j)
        at_ns = last_ns - int(chance * span_ns)
        move = (mid_at(h, at_ns + wait_ns) - mid_at(h, at_ns)) / deviation
        total += move
        square += move * move
    return total / DRAWS, square / DRAWS


@leaf
def _learn_baseline(a: Rec, k: int, ts_ns: int, drawn: float, square: float) -> None:
    """Add one fill's draws to those of all; fills in quick succession see one past and count as one."""
    weight = 1.0
    if a.pool_n[k] > 0:
        before_ns = a.pool_ts_ns[k, (a.pool_n[k] - 1) % POOL_MAX]
        weight = min((ts_ns - before_ns) / a.pool_ns[k], 1.0)
    keep = 1.0 - (1.0 - _KEEP) * weight
    a.drawn_weight[k] = keep * a.drawn_weight[k] + weight
    a.drawn_sum[k] = keep * a.drawn_sum[k] + weight * drawn
    a.drawn_square[k] = keep * a.drawn_square[k] + weight * square


@leaf
def baseline_scale(a: Rec, k: int) -> float:
    """Standard deviation of moves at random times over what sigma says: 1 for a random walk."""
    square = (PRIOR_WINDOWS + a.drawn_square[k]) / (PRIOR_WINDOWS + a.drawn_weight[k])
    return math.sqrt(max(square, _SCALE_MIN * _SCALE_MIN))


@leaf
def _variance(a: Rec, k: int, n: int) -> float:
    """V of the last n fills; at least 1, because a sum cannot be known better than one fill's move."""
    total = float(n)
    for i in range(n):
        p = (a.pool_n[k] - 1 - i) % POOL_MAX
        for j in range(i):
            r = (a.pool_n[k] - 1 - j) % POOL_MAX
            apart = abs(a.pool_ts_ns[k, p] - a.pool_ts_ns[k, r]) / a.pool_ns[k]
            if apart < 1.0:
                total += 2.0 * a.pool_sign[k, p] * a.pool_sign[k, r] * (1.0 - apart)
    return max(total, 1.0)


@leaf
def baseline(a: Rec, k: int) -> float:
    """Mean move at random times before all fills, shrunk towards nothing; in standard deviations."""
    return float(a.drawn_sum[k] / (a.drawn_weight[k] + PRIOR_WINDOWS))


@leaf
def _score(a: Rec, k: int) -> float:
    """The z-score of the last fills: below 0 is adverse."""
    n = min(a.pool_n[k], a.fills_pooled)
    total = drawn = 0.0
    for i in range(n):
        p = (a.pool_n[k] - 1 - i) % POOL_MAX
        total += a.pool_x[k, p]
        drawn += a.pool_drawn[k, p]
    newest = (a.pool_n[k] - 1) % POOL_MAX
    first = (a.pool_n[k] - n) % POOL_MAX
    spread_ns = a.pool_ts_ns[k, newest] - a.pool_ts_ns[k, first] + SPAN_NS
    windows = min(1.0 + spread_ns / a.pool_ns[k], float(n * DRAWS))
    trust = windows / (windows + PRIOR_WINDOWS)
    usual = trust * drawn / n + (1.0 - trust) * baseline(a, k)
    variance = _variance(a, k, n) / (n * n) + trust * trust / windows
    return float((total / n - usual) / (math.sqrt(variance) * baseline_scale(a, k)))


@leaf
def pool(
    a: Rec, h: Rec, k: int, fill: int, ts_ns: int, sign: int, x: float, deviation: float
) -> None:
    """Take in the fill-th fill once its horizon has passed: x is its AS in units of deviation (half ticks)."""
    moved, square = draw(a, h, k, fill, ts_ns, deviation)
    drawn = sign * moved
    if square >= 0.0:
        _learn_baseline(a, k, ts_ns, drawn, square)
    else:
        drawn = baseline(a, k)
    i = a.pool_n[k] % POOL_MAX
    a.pool_ts_ns[k, i] = ts_ns
    a.pool_sign[k, i] = sign
    a.pool_x[k, i] = x
    a.pool_drawn[k, i] = drawn
    a.pool_n[k] += 1
    a.pool_z[k] = _score(a, k)
