"""The closed sets of reasons."""

import pytest

from mmd.core.risk.reasons import LevelReason, RiskReason


@pytest.mark.parametrize("reasons", [RiskReason, LevelReason])
def test_numbers_are_indices_of_counters(reasons):
    """Counters are plain lists, so the numbers run from 0 without gaps."""
    assert [int(reason) for reason in reasons] == list(range(len(reasons)))


def test_ok_is_the_only_reason_that_is_none():
    """Code compares with OK; it has number 0."""
    assert RiskReason.OK == 0
