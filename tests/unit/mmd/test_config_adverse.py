"""Settings of adverse selection and the engine's form of them."""

import pytest
from pydantic import ValidationError

from mmd.config_adverse import WINDOW_MAX, AdverseSection
from mmd.core.flow.pooled_z import POOL_MAX


def test_the_engine_gets_what_was_set():
    """Judged by z-scores and answered unless told otherwise."""
    spec = AdverseSection().spec()
    assert spec is not None
    assert (spec.mode, spec.responds, spec.tests_min, spec.confidence_max) == ("z", True, 2, 0.7)
    assert (spec.immediate_bps, spec.delayed_bps, spec.delayed_fills_min) == (2.0, 5.0, 10)
    assert (spec.imbalance_max, spec.size_ratio_max, spec.fills_per_minute_max) == (0.7, 0.8, 5)
    assert (spec.size_multiplier_min, spec.spread_multiplier_max) == (0.7, 1.5)


def test_switched_off_there_is_none():
    """As in sessions that were recorded before there was any."""
    assert AdverseSection(enabled=False).spec() is None


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"delayed_fills_min": 31}, "must not exceed fills_pooled 30"),
        ({"fills_pooled": 65}, "64"),
        ({"mode": "both"}, "threshold"),
        ({"size_multiplier_min": 0.0}, "greater than 0"),
        ({"spread_multiplier_max": 0.9}, "greater than or equal to 1"),
    ],
)
def test_what_makes_no_sense_is_refused(fields, says):
    """With what was expected."""
    with pytest.raises(ValidationError, match=says):
        AdverseSection(**fields)


def test_the_longest_window_is_what_a_pool_holds() -> None:
    """Stated twice, because settings must not load the compiler."""
    assert WINDOW_MAX == POOL_MAX
