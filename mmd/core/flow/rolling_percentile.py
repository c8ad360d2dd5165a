"""A percentile of the last thousand or so whole numbers, in constant memory: a histogram that forgets."""

from typing import Final

from mmd.jit.kernel import Rec, leaf

BINS: Final = 128
HISTOGRAMS: Final = 2
KEEP: Final = 0.999
"""Share of the counts that outlives a value: the memory is 1 / (1 - KEEP) values."""
WEIGHT_MIN: Final = 100.0
"""A 99th percentile of fewer values is their largest."""

FIELDS: Final = (("counts", "f8", (HISTOGRAMS, BINS)),)
"""Of a record that these leaves work on; see `layout`."""


@leaf
def percentile(a: Rec, row: int, share: float) -> int:
    """The least value that at least this share of the values do not exceed; -1 while there are too few."""
    total = 0.0
    for i in range(BINS):
        total += a.counts[row, i]
    if total < WEIGHT_MIN:
        return -1
    below = 0.0
    for i in range(BINS):
        below += a.counts[row, i]
        if below >= share * total:
            return i
    return BINS - 1


@leaf
def add(a: Rec, row: int, value: int) -> None:
    """Count a value from 0 on; those beyond the last bin count there."""
    for i in range(BINS):
        a.counts[row, i] *= KEEP
    a.counts[row, min(value, BINS - 1)] += 1.0
