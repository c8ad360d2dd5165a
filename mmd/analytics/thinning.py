"""Fewer points for a plot, without losing what stands out: the least and the largest of each bucket."""

from typing import Final

import numpy as np

from mmd.analytics.columns import Floats, Ints

POINTS_MAX: Final = 4000


def thinned(values: Floats, points_max: int = POINTS_MAX) -> Ints:
    """Indices, ascending, of at most points_max points that keep the ends and each bucket's extremes.

    NaN (nothing to draw) is kept only where a bucket holds nothing else.
    """
    n = len(values)
    if n <= points_max:
        return np.arange(n)
    buckets = (points_max - 2) // 2
    width = -(-n // buckets)
    filled = np.full(buckets * width, np.nan)
    filled[:n] = values
    grid = filled.reshape(buckets, width)
    low = np.where(np.isnan(grid), np.inf, grid).argmin(axis=1)
    high = np.where(np.isnan(grid), -np.inf, grid).argmax(axis=1)
    starts = width * np.arange(buckets)
    kept = np.unique(np.concatenate([[0, n - 1], starts + low, starts + high]))
    indices: Ints = kept[kept < n]
    return indices
