"""Intervals of averages over dependent observations, by the stationary bootstrap.

Source: Politis & Romano (1994), The Stationary Bootstrap, JASA 89: blocks of geometric length, wrapped around.
"""

from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np

from mmd.analytics.columns import Floats, Ints

DRAWS: Final = 1000
ROWS_MAX: Final = 2048
CONFIDENCE: Final = 0.95
_ROWS_MIN: Final = 8


class Interval(msgspec.Struct, frozen=True):
    """An estimate with its 95 % interval; None where there is too little to say.

    Attributes:
        count: observations behind the estimate.
    """

    estimate: float | None
    low: float | None
    high: float | None
    count: int


def stationary_indices(n: int, block_mean: float, draws: int, rng: np.random.Generator) -> Ints:
    """Resampled indices, shape (draws, n): each follows its left neighbour, or begins a block anywhere.

    Args:
        n: observations.
        block_mean: mean length of a block, at least 1.
        draws: resamples.
        rng: seeded by the caller.
    """
    begins = rng.random((draws, n)) < 1.0 / block_mean
    begins[:, 0] = True
    starts = rng.integers(0, n, (draws, n))
    at = np.arange(n)
    began_at = np.maximum.accumulate(np.where(begins, at, 0), axis=1)
    indices: Ints = (np.take_along_axis(starts, began_at, 1) + at - began_at) % n
    return indices


def ratio_interval(numerator: Floats, denominator: Floats, rng: np.random.Generator) -> Interval:
    """Sum of one series over the sum of another, e.g. a weighted mean, with its percentile interval.

    Series longer than ROWS_MAX are first added up in runs of neighbours, which keeps what depends on what.
    Blocks are cbrt(n) long in the mean.
    """
    n = len(numerator)
    if n == 0 or denominator.sum() == 0.0:
        return Interval(None, None, None, n)
    estimate = float(numerator.sum() / denominator.sum())
    if n < _ROWS_MIN:
        return Interval(estimate, None, None, n)
    runs = np.linspace(0, n, min(n, ROWS_MAX) + 1).astype(np.int64)[:-1]
    above, below = np.add.reduceat(numerator, runs), np.add.reduceat(denominator, runs)
    drawn = _draw(len(runs), rng, lambda at: above[at].sum(axis=1) / below[at].sum(axis=1))
    return Interval(estimate, *_tails(drawn), n)


def statistic_interval(
    series: Floats, statistic: Callable[[Floats], Floats], rng: np.random.Generator
) -> Interval:
    """Any statistic of one series with its percentile interval; it maps (draws, n) to (draws,).

    Of more than ROWS_MAX observations the whole is drawn as well, in fewer resamples.
    """
    n = len(series)
    if n < 2:
        return Interval(None, None, None, n)
    estimate = float(statistic(series[None, :])[0])
    if n < _ROWS_MIN or not np.isfinite(estimate):
        return Interval(estimate if np.isfinite(estimate) else None, None, None, n)
    return Interval(estimate, *_tails(_draw(n, rng, lambda at: statistic(series[at]))), n)


def _draw(n: int, rng: np.random.Generator, statistic: Callable[[Ints], Floats]) -> Floats:
    """The statistic of each resample, in chunks that keep memory near 64 MiB."""
    draws = DRAWS if n <= ROWS_MAX else DRAWS // 4
    chunk = max(1_000_000 // n, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [
            statistic(stationary_indices(n, n ** (1 / 3), min(chunk, draws - done), rng))
            for done in range(0, draws, chunk)
        ]
    drawn: Floats = np.concatenate(parts)
    return drawn[np.isfinite(drawn)]


def _tails(drawn: Floats) -> tuple[float | None, float | None]:
    """Bounds of the middle CONFIDENCE of the resampled statistics."""
    if len(drawn) == 0:
        return None, None
    tail = (1.0 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1.0 - tail])
    return float(low), float(high)
