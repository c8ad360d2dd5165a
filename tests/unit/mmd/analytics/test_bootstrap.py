"""The stationary bootstrap and the intervals made with it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.analytics.bootstrap import (
    ROWS_MAX,
    ratio_interval,
    stationary_indices,
    statistic_interval,
)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.integers(1, 60), st.floats(1.0, 20.0), st.integers(0, 1000))
def test_indices_are_of_the_series(n: int, block_mean: float, seed: int) -> None:
    """In range, whatever the block length."""
    drawn = stationary_indices(n, block_mean, 20, rng(seed))
    assert drawn.shape == (20, n)
    assert ((drawn >= 0) & (drawn < n)).all()


def test_blocks_have_the_mean_length() -> None:
    """A neighbour is followed, round the end too, with probability 1 - 1/mean."""
    drawn = stationary_indices(500, 10.0, 400, rng())
    follows = (drawn[:, 1:] - drawn[:, :-1]) % 500 == 1
    assert follows.mean() == pytest.approx(0.9 + 0.1 / 500, abs=0.005)
    counts = np.bincount(drawn.ravel(), minlength=500)
    assert counts.min() > 250  # stationary: no observation is favoured, the ends included


def test_ratio_by_hand() -> None:
    """Sum over sum; too few for an interval, or nothing at all."""
    found = ratio_interval(np.array([1.0, 2.0]), np.array([2.0, 4.0]), rng())
    assert (found.estimate, found.low, found.high, found.count) == (0.5, None, None, 2)
    assert ratio_interval(np.zeros(0), np.zeros(0), rng()).estimate is None
    assert ratio_interval(np.ones(3), np.zeros(3), rng()).estimate is None


def test_a_constant_ratio_has_no_width() -> None:
    """Also where runs of neighbours are added up first."""
    for n in (20, 3 * ROWS_MAX + 1):
        weights = rng().random(n) + 0.5
        found = ratio_interval(3.0 * weights, weights, rng())
        assert found.estimate == pytest.approx(3.0)
        assert found.low == pytest.approx(3.0)
        assert found.high == pytest.approx(3.0)
        assert found.count == n


def test_coverage_of_independent_draws() -> None:
    """Near 95 %; somewhat below, as bootstraps of a hundred observations are."""
    hits = 0
    for seed in range(120):
        x = rng(seed).normal(1.0, 2.0, 100)
        found = ratio_interval(x, np.ones(100), rng(seed + 1000))
        hits += found.low <= 1.0 <= found.high
    assert 102 <= hits <= 119


def test_dependence_widens_the_interval() -> None:
    """Of an autoregression with 0.7 by more than half over what shuffled values give."""
    noise = rng().normal(size=1000)
    x = np.zeros(1000)
    for i in range(1, 1000):
        x[i] = 0.7 * x[i - 1] + noise[i]
    found = ratio_interval(x, np.ones(1000), rng())
    shuffled = ratio_interval(rng(5).permutation(x), np.ones(1000), rng())
    assert found.high - found.low > 1.5 * (shuffled.high - shuffled.low)


def test_statistic_is_reproducible_and_skips_what_is_undefined() -> None:
    """Equal seeds give equal intervals; a NaN estimate is None."""
    x = rng().normal(size=200)
    first = statistic_interval(x, lambda b: b.mean(1), rng(9))
    assert first == statistic_interval(x, lambda b: b.mean(1), rng(9))
    assert first.low < first.estimate < first.high
    nothing = statistic_interval(x, lambda b: np.full(len(b), np.nan), rng())
    assert (nothing.estimate, nothing.low, nothing.count) == (None, None, 200)
    assert statistic_interval(x[:1], lambda b: b.mean(1), rng()).estimate is None
