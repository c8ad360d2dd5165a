"""A histogram of durations in bounded memory: a twentieth of a decade a bin, from 1 us to 100 s."""

from bisect import bisect_left
from typing import Final

import numpy as np

from mmd.analytics.columns import Floats, Ints

_PER_DECADE: Final = 20
EDGES_NS: Final = tuple(
    float(round(10.0 ** (k / _PER_DECADE))) for k in range(3 * _PER_DECADE, 11 * _PER_DECADE + 1)
)
"""Upper edges of the bins; a last bin holds what is longer."""


class Durations:
    """Counts durations; quantiles are good to 12 %, the width of a bin."""

    def __init__(self) -> None:
        self._counts = [0] * (len(EDGES_NS) + 1)

    def record(self, duration_ns: int) -> None:
        """Count one; below zero counts as zero."""
        self._counts[bisect_left(EDGES_NS, duration_ns)] += 1

    @property
    def counts(self) -> Ints:
        """By bin: at most EDGES_NS[i], more than the edge before; the last is open."""
        return np.array(self._counts, np.int64)

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self._counts)

    def quantile_ns(self, q: float) -> float | None:
        """Upper edge of the bin that holds the q-quantile; None of nothing, infinite past the last edge."""
        seen: Floats = self.counts.cumsum().astype(float)
        if seen[-1] == 0.0:
            return None
        at = int(seen.searchsorted(max(q * seen[-1], 1.0)))
        return EDGES_NS[at] if at < len(EDGES_NS) else float("inf")


def of_array(durations_ns: Ints) -> Durations:
    """A histogram of what is there already."""
    durations = Durations()
    for duration_ns in durations_ns.tolist():
        durations.record(duration_ns)
    return durations
