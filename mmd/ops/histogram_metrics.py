"""Histograms of the State as Prometheus histograms."""

from collections.abc import Iterable

from prometheus_client.core import HistogramMetricFamily, Metric

from mmd.ops.histogram_state import EDGES_S, HistogramState

_EDGES = (*(f"{edge:g}" for edge in EDGES_S), "+Inf")


def histogram_family(
    name: str,
    text: str,
    labels: tuple[str, ...],
    rows: Iterable[tuple[tuple[str, ...], HistogramState]],
) -> Metric:
    """One family in seconds; rows that hold no histogram are left out."""
    family = HistogramMetricFamily(name, text, labels=labels)
    for values, state in rows:
        if state.cumulative:
            buckets = list(zip(_EDGES, state.cumulative, strict=True))
            family.add_metric(values, buckets=buckets, sum_value=state.total_s)
    return family
