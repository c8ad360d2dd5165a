"""The rolling percentile against sorting, and how it forgets."""

import numpy as np

from mmd.core.flow import rolling_percentile
from mmd.core.flow.rolling_percentile import BINS, FIELDS, WEIGHT_MIN
from mmd.jit.kernel import kernel, layout, new

RECORD = layout(*FIELDS)


@kernel
def add(record, row, value):
    rolling_percentile.add(record[0], row, value)


@kernel
def percentile(record, row, share):
    return rolling_percentile.percentile(record[0], row, share)


def test_it_is_what_sorting_says():
    """Of three hundred Poisson counts; the other histogram stays empty."""
    record, values = new(RECORD), np.random.default_rng(1).poisson(5, 300)
    for value in values.tolist():
        add(record, 0, value)
    assert abs(percentile(record, 0, 0.99) - np.quantile(values, 0.99)) <= 1
    assert percentile(record, 1, 0.99) == -1


def test_too_few_values_have_no_percentile():
    """A 99th percentile of a hundred is the first that is not their largest."""
    record = new(RECORD)
    for _ in range(int(WEIGHT_MIN)):
        assert percentile(record, 0, 0.99) == -1
        add(record, 0, 3)
    for _ in range(10):
        add(record, 0, 3)
    assert percentile(record, 0, 0.99) == 3


def test_it_follows_a_change_of_habit():
    """After three memories of larger values the old ones do not count."""
    record = new(RECORD)
    for _ in range(1_000):
        add(record, 0, 2)
    for _ in range(5_000):
        add(record, 0, 40)
    assert percentile(record, 0, 0.05) == 40
    add(record, 0, 10**6)
    assert record["counts"][0, 0, BINS - 1] == 1.0
