"""Durations in bins of a twentieth of a decade."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.analytics.durations import EDGES_NS, Durations, of_array


def test_bins() -> None:
    """An edge belongs to the bin below it; too short and too long go to the ends."""
    counts = of_array(np.array([-5, 1_000, 1_001, 10**12])).counts
    assert counts[0] == 2
    assert counts[1] == 1
    assert counts[-1] == 1
    assert counts.sum() == 4


def test_nothing_has_no_quantile() -> None:
    """And what is past the last edge is infinite."""
    assert Durations().quantile_ns(0.5) is None
    assert of_array(np.array([10**12])).quantile_ns(0.5) == float("inf")


@given(
    st.lists(st.integers(1_000, int(EDGES_NS[-1])), min_size=1, max_size=200), st.floats(0.0, 1.0)
)
def test_a_quantile_is_within_a_bin(durations_ns: list[int], q: float) -> None:
    """At least the exact order statistic, and at most 12.3 % above it."""
    found = of_array(np.array(durations_ns)).quantile_ns(q)
    rank = max(int(np.ceil(q * len(durations_ns) - 1e-9)), 1)
    exact = sorted(durations_ns)[rank - 1]
    assert found is not None
    assert exact <= found <= exact * 1.123 + 2


def test_edges_ascend_from_a_microsecond() -> None:
    """Twenty to a decade, to 100 s."""
    assert EDGES_NS[0] == 1_000.0
    assert EDGES_NS[20] == 10_000.0
    assert EDGES_NS[-1] == pytest.approx(1e11)
    assert list(EDGES_NS) == sorted(set(EDGES_NS))
