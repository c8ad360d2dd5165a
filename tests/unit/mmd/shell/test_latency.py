"""Latency histograms against exact quantiles."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mmd.shell.latency import Histogram


@given(
    st.lists(st.integers(0, 10**12), min_size=1, max_size=300), st.sampled_from([0.5, 0.9, 0.99])
)
def test_quantiles_are_within_the_bucket_resolution(values: list[int], q: float) -> None:
    """A quantile is at most one bucket (1/32) above the exact one and never below it."""
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    exact = float(np.quantile(values, q, method="inverted_cdf"))
    assert exact <= histogram.quantile_ns(q) <= exact * (1 + 1 / 32) + 1


@given(st.lists(st.integers(0, 10**10), max_size=100))
def test_cumulative_counts_never_exceed_the_exact_ones(values: list[int]) -> None:
    """Counts at edges grow, and reach all records at the largest."""
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    edges = (10**3, 10**5, 10**7, 10**11)
    _, counts = histogram.picture((), edges)
    assert counts == sorted(counts)
    assert counts[-1] == len(values)
    for edge, count in zip(edges, counts, strict=True):
        assert count <= sum(v <= edge for v in values)


def test_empty_histogram_has_zero_quantiles() -> None:
    """Nothing recorded is zero, not an error."""
    assert Histogram().quantile_ns(0.99) == 0.0
