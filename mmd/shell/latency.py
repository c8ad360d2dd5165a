"""Log-linear latency histograms: constant memory, about 3 % resolution, cheap enough for every order."""

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
        rank = q * self.count
        seen = 0
        for index, n in enumerate(self._counts):
            seen += n
            if n > 0 and seen >= rank:
                return float(min(_upper_edge_ns(index), self.max_ns))
        return 0.0

    def cumulative(self, edges_ns: tuple[int, ...]) -> list[int]:
        """How many records are at most each edge, for a Prometheus histogram (to bucket resolution)."""
        out, at, seen = [], 0, 0
        for edge in edges_ns:
            while at < _BUCKETS and _upper_edge_ns(at) <= edge:
                seen += self._counts[at]
                at += 1
            out.append(seen)
        return out


def _upper_edge_ns(index: int) -> int:
    """Largest duration that falls into a bucket."""
    if index < 2 * _SUB:
        return index
    shift = (index >> _SUB_BITS) - 1
    return ((index - (shift << _SUB_BITS) + 1) << shift) - 1
