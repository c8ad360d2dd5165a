"""Volatility of the mid in ticks per square root of a second, from changes over bars of engine time.

On one scale it is the weighted mean of squared bar changes. Where the touch flickers, that measures the flicker:
each change carries the noise of both its ends. On two scales the changes over `scale` bars, one beginning with
every bar, are taken as well. They carry the same noise over a longer time, so the difference has none:
    variance of a bar = (mean square over `scale` bars - mean square over one) / (scale - 1)

Source: Zhang, Mykland, Ait-Sahalia 2005, "A Tale of Two Time Scales", eq. 64 (small-sample form), with weights.
"""

import math

import numpy as np

from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import Rec, kernel, layout, leaf

GAP_BARS_MAX = 60
"""A silence of more bars (of the slow scale) than this says nothing about volatility: the bar clock starts again."""
SCALE_MAX = 64
FLOOR = 0.1
"""Two scales give at least this share of the slow one's variance: their difference may come out negative."""

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
    ("scale", "i8"),  # bars in a change of the slow scale; 1 = there is one scale
    ("slow_weight", "f8"),
    ("slow_squares", "f8"),  # weighted sum of squared changes over `scale` bars
    ("ends_n", "i8"),  # mids at bar ends seen since the clock started
    ("ends", "f8", (SCALE_MAX,)),  # the last `scale` of them
    ("sigma", "f8"),  # ticks / sqrt(second)
)


def configure(
    vol: Rec,
    *,
    sigma_prior: float,
    bar_ns: int = NANOS_PER_SECOND,
    half_life_s: float = 120.0,
    bars_min: int = 100,
    scale: int = 1,
) -> None:
    """Start afresh with a prior.

    Args:
        vol: a VOLATILITY record.
        sigma_prior: ticks / sqrt(second); its weight falls in a line to zero while bars_min bars come in.
        bar_ns: length of a bar.
        half_life_s: time after which a bar counts half.
        bars_min: bars after which the prior is forgotten.
        scale: bars in a change of the slow scale, at most SCALE_MAX; 1: no second scale.
    """
    assert bar_ns > 0, f"expected a positive bar, found {bar_ns} ns"
    assert half_life_s > 0, f"expected a positive half life, found {half_life_s} s"
    assert bars_min > 0, f"expected at least one bar to learn from, found {bars_min}"
    assert sigma_prior >= 0, f"expected a prior of at least zero, found {sigma_prior}"
    assert 1 <= scale <= SCALE_MAX, f"expected a scale of 1 to {SCALE_MAX} bars, found {scale}"
    vol[:] = np.zeros((), vol.dtype)
    vol["bar_ns"], vol["bars_min"], vol["scale"] = bar_ns, bars_min, scale
    vol["keep"] = 0.5 ** (bar_ns / NANOS_PER_SECOND / half_life_s)
    vol["sigma_prior"] = vol["sigma"] = sigma_prior


@leaf
def _start(v: Rec, mid_ticks: float, now_ns: int) -> None:
    """Begin a bar now; what was learned stays."""
    v.bar_end_ns = now_ns + v.bar_ns
    v.mid_open = mid_ticks
    v.mid_last = mid_ticks
    v.ends[0] = mid_ticks
    v.ends_n = 1


@leaf
def _close_bar(v: Rec) -> None:
    """Add the change of the bar that has ended, and that of the last `scale` bars."""
    change = v.mid_last - v.mid_open
    v.squares = v.keep * v.squares + change * change
    v.weight = v.keep * v.weight + 1.0
    v.mid_open = v.mid_last
    if v.scale > 1:
        at = v.ends_n % v.scale
        if v.ends_n >= v.scale:
            slow = v.mid_last - v.ends[at]
            v.slow_squares = v.keep * v.slow_squares + slow * slow
            v.slow_weight = v.keep * v.slow_weight + 1.0
        v.ends[at] = v.mid_last
        v.ends_n += 1


@leaf
def _bar_variance(v: Rec) -> float:
    """Variance of the efficient price over one bar."""
    fast = v.squares / v.weight
    if v.scale == 1 or not v.slow_weight > 0.0:
        return float(fast)
    slow = v.slow_squares / v.slow_weight
    return float(max((slow - fast) / (v.scale - 1), FLOOR * slow / v.scale))


@kernel
def on_time(vol: Rec, mid_ticks: float, now_ns: int) -> int:
    """Note the mid as it stands from now on, closing every bar that has ended.

    A bar's change runs between the mids that held at its ends; a bar without news counts as no change.

    Returns:
        How many bars were closed.
    """
    v = vol[0]
    if v.bar_end_ns == 0:
        _start(v, mid_ticks, now_ns)
        return 0
    ended = 0 if now_ns < v.bar_end_ns else (now_ns - v.bar_end_ns) // v.bar_ns + 1
    if ended > GAP_BARS_MAX * v.scale:
        _start(v, mid_ticks, now_ns)
        return 0
    for _ in range(ended):
        _close_bar(v)
    v.mid_last = mid_ticks
    if ended > 0:
        v.bar_end_ns += ended * v.bar_ns
        v.bars += ended
        learned = _bar_variance(v) * NANOS_PER_SECOND / v.bar_ns
        trust = min(1.0, v.bars / v.bars_min)
        v.sigma = math.sqrt(trust * learned + (1.0 - trust) * v.sigma_prior * v.sigma_prior)
    return ended
