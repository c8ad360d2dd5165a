"""Toxicity of a side and level: shares that forget, and verdicts that are taken back exactly."""

import pytest

from mmd.core.flow import toxicity
from mmd.core.flow.toxicity import FIELDS, KEEP, LEVELS
from mmd.core.quoting.record import LEVELS_MAX
from mmd.jit.kernel import kernel, layout, new

RECORD = layout(*FIELDS)


@kernel
def count_fill(record, side, level):
    return toxicity.count_fill(record[0], side, level)


@kernel
def correct(record, side, level, number, change):
    toxicity.correct(record[0], side, level, number, change)


def share(record, side, level):
    return record["cell_adverse"][0, side, level] / record["cell_weight"][0, side, level]


def test_every_level_that_can_be_quoted_is_told_apart():
    """The two counts stand in packages that must not know each other."""
    assert LEVELS == LEVELS_MAX


def test_the_share_is_of_the_recent_fills():
    """Two hundred good fills, then as many bad ones: the later half weighs more."""
    record = new(RECORD)
    for k in range(400):
        number = count_fill(record, 0, 1)
        if k >= 200:
            correct(record, 0, 1, number, 1)
    weights = [KEEP**age for age in range(400)]
    assert share(record, 0, 1) == pytest.approx(sum(weights[:200]) / sum(weights))
    assert record["cell_weight"][0, 1, 1] == record["cell_weight"][0, 0, 0] == 0.0


def test_a_verdict_is_taken_back_with_what_it_still_weighs():
    """However many fills came in between, nothing is left of it."""
    record = new(RECORD)
    number = count_fill(record, 1, 0)
    correct(record, 1, 0, number, 1)
    for _ in range(57):
        count_fill(record, 1, 0)
    assert share(record, 1, 0) > 0.0
    correct(record, 1, 0, number, -1)
    assert share(record, 1, 0) == pytest.approx(0.0, abs=1e-12)
