"""Volatility of the mid in ticks per square root of a second, from changes over bars of engine time."""

import math

import numpy as np

from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import F8, Rec, kernel, layout

GAP_BARS_MAX = 60
"""A silence of more bars than this says nothing about volatility: the bar clock starts again."""

VOLATILITY = layout(
    ("bar_ns", "i8"),
    ("keep", "f8"),  # weight that a squared change keeps from one bar to the next
    ("sigma_prior", "f8"),
    ("bars_min", "i8"),
    ("bar_end_ns", "i8"),  # 0 = the clock has not started
    ("mid_open", "f8"),
    ("mid_last", "f8"),
    ("weight", "f8"),
    ("squares", "f8"),  # weighted sum of squared bar changes
    ("bars", "i8"),  # closed so far
    ("sigma", "f8"),  # ticks / sqrt(second)
)


def configure(
    vol: Rec,
    *,
    sigma_prior: float,
    bar_ns: int = NANOS_PER_SECOND,
    half_life_s: float = 120.0,
    bars_min: int = 100,
) -> None:
    """Start afresh with a prior.

    Args:
        vol: a VOLATILITY record.
        sigma_prior: ticks / sqrt(second); its weight falls in a line to zero while bars_min bars come in.
        bar_ns: length of a bar.
        half_life_s: time after which a bar counts half.
        bars_min: bars after which the prior is forgotten.
    """
    assert bar_ns > 0, f"expected a positive bar, found {bar_ns} ns"
    assert half_life_s > 0, f"expected a positive half life, found {half_life_s} s"
    assert bars_min > 0, f"expected at least one bar to learn from, found {bars_min}"
    assert sigma_prior >= 0, f"expected a prior of at least zero, found {sigma_prior}"
    vol[:] = np.zeros((), vol.dtype)
    vol["bar_ns"], vol["bars_min"] = bar_ns, bars_min
    vol["keep"] = 0.5 ** (bar_ns / NANOS_PER_SECOND / half_life_s)
    vol["sigma_prior"] = vol["sigma"] = sigma_prior


@kernel
def on_time(vol: Rec, mid_ticks: float, now_ns: int) -> int:
    """Note the mid as it stands from now on, closing every bar that has ended.

    A bar's change runs between the mids that held at its ends; a bar without news counts as no change.

    Returns:
        How many bars were closed.
    """
    v = vol[0]
    if v.bar_end_ns == 0:
        v.bar_end_ns = now_ns + v.bar_ns
        v.mid_open = v.mid_last = mid_ticks
        return 0
    ended = 0 if now_ns < v.bar_end_ns else (now_ns - v.bar_end_ns) // v.bar_ns + 1
    if ended > GAP_BARS_MAX:
        v.bar_end_ns = now_ns + v.bar_ns
        v.mid_open = v.mid_last = mid_ticks
        return 0
    for _ in range(ended):
        change = v.mid_last - v.mid_open
        v.squares = v.keep * v.squares + change * change
        v.weight = v.keep * v.weight + 1.0
        v.mid_open = v.mid_last
    v.mid_last = mid_ticks
    if ended > 0:
        v.bar_end_ns += ended * v.bar_ns
        v.bars += ended
        learned = v.squares / v.weight * NANOS_PER_SECOND / v.bar_ns
        trust = min(1.0, v.bars / v.bars_min)
        v.sigma = math.sqrt(trust * learned + (1.0 - trust) * v.sigma_prior * v.sigma_prior)
    return ended


def two_scale_variance(prices: F8, stride: int) -> float:
    """Integrated variance of noisy prices: subsampled realised variance, corrected by the fastest scale.

    Args:
        prices: shape (n,), in time order; mids or microprices, never trade prices.
        stride: observations per slow-scale return; there are `stride` interleaved subsamples.

    Returns:
        Sum of squared efficient returns over the sample, in squared units of prices.

    Source: Zhang, Mykland, Ait-Sahalia 2005, "A Tale of Two Time Scales", eq. 64 (small-sample form).
    """
    n = prices.size - 1
    assert 1 < stride <= n, f"expected a stride between 2 and {n}, found {stride}"
    fast = float(np.square(np.diff(prices)).sum())
    slow = float(np.square(prices[stride:] - prices[:-stride]).sum()) / stride
    ratio = (n - stride + 1) / stride / n
    return (slow - ratio * fast) / (1.0 - ratio)
