"""Counts of durations by size: what a Prometheus histogram is made of, cheap enough for every answer of a venue."""

from bisect import bisect_left
from typing import Final

_US, _MS = 1_000, 1_000_000
EDGES_NS: Final = (
    *(us * _US for us in (5, 10, 15, 20, 30, 50, 100, 200, 500)),
    *(ms * _MS for ms in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)),
)
"""Upper edges of the buckets: close together where a decision's time is, wide where a venue's is."""


class Durations:
    """How many durations fell below each edge.

    Attributes:
        counts: by bucket, the last holds what is above every edge.
        total_ns: sum of all.
    """

    __slots__ = ("counts", "total_ns")

    def __init__(self) -> None:
        self.counts = [0] * (len(EDGES_NS) + 1)
        self.total_ns = 0

    def record(self, duration_ns: int) -> None:
        """Count one; below zero (a clock stepped) counts as zero."""
        value = max(duration_ns, 0)
        self.counts[bisect_left(EDGES_NS, value)] += 1
        self.total_ns += value
