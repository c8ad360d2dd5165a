"""Counts of durations: each in the first bucket whose edge it does not exceed."""

from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st

from mmd.core.durations import EDGES_NS, Durations


@given(st.lists(st.integers(-10, 10**11), max_size=50))
def test_every_duration_is_in_one_bucket_and_in_the_total(values: list[int]) -> None:
    """Below zero counts as zero; above the last edge there is one more bucket."""
    durations = Durations()
    for value in values:
        durations.record(value)
    assert sum(durations.counts) == len(values)
    assert durations.total_ns == sum(max(v, 0) for v in values)
    for at, count in enumerate(durations.counts):
        assert count == sum(bisect_left(EDGES_NS, v) == at for v in values)


def test_edges_grow_and_an_edge_is_its_own_bucket() -> None:
    """As Prometheus has it: le means at most."""
    assert list(EDGES_NS) == sorted(set(EDGES_NS))
    durations = Durations()
    durations.record(EDGES_NS[3])
    assert durations.counts[3] == 1
