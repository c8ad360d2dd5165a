"""Log-linear latency histograms: constant memory, about 3 % resolution, cheap enough for every order."""

from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from itertools import accumulate

_SUB_BITS = 5
_SUB = 1 << _SUB_BITS
_BUCKETS = (64 - _SUB_BITS) * _SUB


class Histogram:
    """Counts of durations in nanoseconds; buckets are powers of two split 32 ways."""

    __slots__ = ("_counts", "count", "max_ns", "total_ns")

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self.count = 0
        self.total_ns = 0
        self.max_ns = 0

    def record(self, duration_ns: int) -> None:
        """Count one duration; below zero (a clock stepped) counts as zero."""
        value = max(duration_ns, 0)
        shift = max(value.bit_length() - _SUB_BITS - 1, 0)
        self._counts[(shift << _SUB_BITS) + (value >> shift)] += 1
        self.count += 1
        self.total_ns += value
        self.max_ns = max(self.max_ns, value)

    def quantile_ns(self, q: float) -> float:
        """Upper edge of the bucket that holds the q-quantile; 0.0 before any record."""
        return self.picture((q,), ())[0][0]

    def picture(
        self, quantiles: Sequence[float], edges_ns: tuple[int, ...]
    ) -> tuple[list[float], list[int]]:
        """`quantile_ns` of each quantile, and how many records are at most each edge (to bucket resolution)."""
        seen = list(accumulate(self._counts, initial=0))
        found = [self._quantile_ns(seen, q) for q in quantiles]
        return found, [seen[n] for n in _buckets_below(edges_ns)]

    def _quantile_ns(self, seen: list[int], q: float) -> float:
        if self.count == 0:
            return 0.0
        first = max(bisect_left(seen, max(q * self.count, 1.0)) - 1, 0)
        return float(min(_upper_edge_ns(first), self.max_ns))


@cache
def _buckets_below(edges_ns: tuple[int, ...]) -> tuple[int, ...]:
    """By edge, how many buckets lie wholly at or below it."""
    uppers = [_upper_edge_ns(index) for index in range(_BUCKETS)]
    return tuple(sum(upper <= edge for upper in uppers) for edge in edges_ns)


def _upper_edge_ns(index: int) -> int:
    """Largest duration that falls into a bucket."""
    if index < 2 * _SUB:
        return index
    shift = (index >> _SUB_BITS) - 1
    return ((index - (shift << _SUB_BITS) + 1) << shift) - 1
