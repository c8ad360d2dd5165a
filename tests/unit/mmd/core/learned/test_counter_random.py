"""Counter-based numbers: uniform, normal, independent across seeds and streams, and addressed by number alone."""

import numpy as np

from mmd.core.learned.counter_random import normal, stream_key, uniform


def test_uniform_numbers_fill_the_interval_evenly() -> None:
    """By decile, without correlation between neighbours, streams or seeds."""
    n = 20_000
    rows = [
        [uniform(stream_key(seed, stream), k) for k in range(n)]
        for seed, stream in ((1, 0), (1, 1), (2, 0))
    ]
    for row in rows:
        x = np.array(row)
        assert x.min() > 0.0
        assert x.max() < 1.0
        counts = np.histogram(x, 10, (0.0, 1.0))[0]
        assert ((counts - n / 10) ** 2 / (n / 10)).sum() < 27.9  # chi squared, 9 degrees, p = 0.001
        assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 0.03
    assert np.abs(np.corrcoef(rows) - np.eye(3)).max() < 0.03


def test_normal_numbers_have_their_moments() -> None:
    """Mean 0, variance 1, kurtosis 3."""
    key = stream_key(5, 2)
    x = np.array([normal(key, k) for k in range(20_000)])
    assert abs(x.mean()) < 0.03
    assert abs(x.var() - 1.0) < 0.05
    assert abs((x**4).mean() - 3.0) < 0.25


def test_high_numbers_do_not_repeat_low_ones() -> None:
    """Beyond 2^32 the stream goes on."""
    key = stream_key(1, 1)
    assert {uniform(key, k) for k in range(50)}.isdisjoint(
        uniform(key, 2**32 + k) for k in range(50)
    )
