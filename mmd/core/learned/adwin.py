"""ADWIN: a window that grows while its mean stands still and drops its old part when it has moved, as a kernel.

The window is kept as an exponential histogram: at most six buckets of each power of two, so its memory grows with
the logarithm of its length. To be fed residuals and calibration errors, never PnL.

Source: Bifet & Gavalda, "Learning from time-changing data with adaptive windowing" (2007), ADWIN2, with the bound
by variance (equation 3.1).
"""

import math
from typing import Final

from mmd.jit.kernel import Rec, kernel, layout, leaf, new

STEADY, ROSE, FELL = 0, 1, 2
LEVELS: Final = 40
_ROW: Final = 6
_PERIOD: Final = 16
"""Values between two inspections of the window."""
_PART_MIN: Final = 16
"""Shorter parts are not compared."""

ADWIN = layout(
    ("delta", "f8"),  # chance of a false alarm at an inspection
    ("since", "i8"),  # values since the last inspection
    ("width", "i8"),
    ("total", "f8"),
    ("squares", "f8"),
    ("levels", "i8"),  # in use
    ("n", "i8", (LEVELS,)),  # buckets of each level; level k holds 2^k values a bucket
    ("sums", "f8", (LEVELS, _ROW)),  # oldest first
    ("sums_squared", "f8", (LEVELS, _ROW)),
)


def new_adwin(*, delta: float = 1e-4) -> Rec:
    """An empty window."""
    assert 0.0 < delta < 1.0, f"expected a delta between 0 and 1, found {delta}"
    window = new(ADWIN)
    window["delta"], window["levels"] = delta, 1
    return window


@leaf
def _drop_first(w: Rec, level: int, buckets: int) -> None:
    """Take the oldest buckets of a level out."""
    for i in range(w.n[level] - buckets):
        w.sums[level, i] = w.sums[level, i + buckets]
        w.sums_squared[level, i] = w.sums_squared[level, i + buckets]
    w.n[level] -= buckets


@leaf
def _insert(w: Rec, x: float) -> None:
    """Add a value, and merge two buckets of each level that has become full."""
    add, squared, level = x, x * x, 0
    w.width += 1
    w.total += add
    w.squares += squared
    while level < LEVELS:
        at = w.n[level]
        w.sums[level, at] = add
        w.sums_squared[level, at] = squared
        w.n[level] += 1
        w.levels = max(w.levels, level + 1)
        if w.n[level] < _ROW:
            return
        add = w.sums[level, 0] + w.sums[level, 1]
        squared = w.sums_squared[level, 0] + w.sums_squared[level, 1]
        _drop_first(w, level, 2)
        level += 1


@leaf
def _forget_oldest(w: Rec) -> None:
    """Take the oldest bucket out of the window."""
    level = w.levels - 1
    w.width -= 1 << level
    w.total -= w.sums[level, 0]
    w.squares -= w.sums_squared[level, 0]
    _drop_first(w, level, 1)
    while w.levels > 1 and w.n[w.levels - 1] == 0:
        w.levels -= 1


@leaf
def _cut(w: Rec) -> int:
    """Whether an old part of the window differs from the rest, and how: STEADY, ROSE or FELL."""
    spread = max(w.squares / w.width - (w.total / w.width) ** 2, 0.0)
    strict = math.log(2.0 * math.log(float(w.width)) / w.delta)
    old, old_sum = 0, 0.0
    for level in range(w.levels - 1, -1, -1):
        for i in range(w.n[level]):
            old += 1 << level
            old_sum += w.sums[level, i]
            fresh = w.width - old
            if old < _PART_MIN or fresh < _PART_MIN:
                continue
            harmonic = 1.0 / (1.0 / old + 1.0 / fresh)
            bound = math.sqrt(2.0 / harmonic * spread * strict)
            bound += 2.0 / 3.0 / harmonic * math.sqrt(spread) * strict
            moved = (w.total - old_sum) / fresh - old_sum / old
            if abs(moved) > bound:
                return ROSE if moved > 0.0 else FELL
    return STEADY


@kernel
def inspect(window: Rec, x: float) -> int:
    """Take a value in; every 16 values compare old and new, and drop what is old where they differ.

    The bound is scaled by the window's own deviation, where the paper's is for values within 0..1. Values that are
    not finite are passed over.

    Returns:
        STEADY, ROSE or FELL.
    """
    w = window[0]
    if not math.isfinite(x):
        return STEADY
    _insert(w, x)
    w.since += 1
    if w.since < _PERIOD:
        return STEADY
    w.since = 0
    found = STEADY
    while w.width > 2 * _PART_MIN:
        cut = _cut(w)
        if cut == STEADY:
            break
        found = cut
        _forget_oldest(w)
    return found
