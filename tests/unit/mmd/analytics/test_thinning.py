"""Fewer points, the same outline."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mmd.analytics.thinning import thinned


@given(st.integers(1, 3000), st.integers(10, 200), st.integers(0, 99))
def test_ends_and_extremes_stay(n: int, points_max: int, seed: int) -> None:
    """At most so many, ascending, with the first, the last, the least and the largest."""
    values = np.random.default_rng(seed).normal(size=n)
    kept = thinned(values, points_max)
    assert len(kept) <= max(points_max, 2)
    assert (np.diff(kept) > 0).all()
    assert {0, n - 1, int(values.argmin()), int(values.argmax())} <= set(kept.tolist())


def test_gaps_do_not_win() -> None:
    """NaN is kept where a bucket holds nothing else, so that a gap stays a gap."""
    values = np.full(1000, np.nan)
    values[:500] = np.arange(500)
    values[7] = np.nan
    kept = thinned(values, 20)
    assert np.isfinite(values[kept][:6]).all()
    assert np.isnan(values[kept][-5:]).all()
