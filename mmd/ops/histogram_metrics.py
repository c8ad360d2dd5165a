"""Histograms of the State as Prometheus histograms."""

from collections.abc import Iterable

from mmd.ops.family import Family
from mmd.ops.histogram_state import EDGES_S, HistogramState

_EDGES = (*(f"{edge:g}" for edge in EDGES_S), "+Inf")


def histogram_family(
    name: str,
    text: str,
    labels: tuple[str, ...],
    rows: Iterable[tuple[tuple[str, ...], HistogramState]],
) -> Family:
    """One family in seconds; rows that hold no histogram are left out."""
    family = Family("histogram", name, text, labels)
    for values, state in rows:
        if state.cumulative:
            family.add_histogram(values, _EDGES, state.cumulative, state.total_s)
    return family
