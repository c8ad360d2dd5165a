"""Histograms as people and Prometheus read them: cumulative counts at one set of edges."""

from itertools import accumulate
from typing import Final

import msgspec

from mmd.core.durations import EDGES_NS, Durations
from mmd.core.units import NANOS_PER_SECOND
from mmd.shell.latency import Histogram

EDGES_S: Final = tuple(edge / NANOS_PER_SECOND for edge in EDGES_NS)
QUANTILES: Final = (0.5, 0.9, 0.99)


class HistogramState(msgspec.Struct, frozen=True):
    """Durations by size."""

    cumulative: list[int] = []
    """How many were at most each of EDGES_S, then all of them; empty: there is no such thing here."""
    total_s: float = 0.0

    def plus(self, other: "HistogramState") -> "HistogramState":
        """Both together."""
        pairs = zip(self.cumulative, other.cumulative, strict=True)
        return HistogramState([a + b for a, b in pairs], self.total_s + other.total_s)


class LatencyState(msgspec.Struct, frozen=True):
    """One histogram and its quantiles, microseconds."""

    count: int
    p50: float
    p90: float
    p99: float
    max: float
    histogram: HistogramState = HistogramState()


def latency_state(histogram: Histogram) -> LatencyState:
    """A histogram with its quantiles in microseconds."""
    quantiles_ns, cumulative = histogram.picture(QUANTILES, EDGES_NS)
    p50, p90, p99 = (ns / 1e3 for ns in quantiles_ns)
    counts = HistogramState([*cumulative, histogram.count], histogram.total_ns / NANOS_PER_SECOND)
    return LatencyState(histogram.count, p50, p90, p99, histogram.max_ns / 1e3, counts)


def durations_state(durations: Durations) -> HistogramState:
    """The same of simpler counts."""
    return HistogramState(list(accumulate(durations.counts)), durations.total_ns / NANOS_PER_SECOND)
