"""Targets look ahead by whole bars and never across a hole."""

import numpy as np
import pytest

from models.labels import future_changes, future_volatility, spans

MID = np.array([10.0, 11.0, 13.0, 12.0, 50.0, 51.0, 49.0])
BARS = np.array([1, 2, 3, 4, 1, 2, 3])


def test_spans_end_where_the_clock_restarts() -> None:
    """Numbers that do not go on begin a new stretch."""
    assert spans(BARS) == [slice(0, 4), slice(4, 7)]
    assert spans(np.array([5, 6, 7])) == [slice(0, 3)]


def test_changes() -> None:
    """By hand, for one and two bars ahead."""
    changes = future_changes(MID, BARS, (1, 2))
    nan = np.nan
    assert changes[:, 0] == pytest.approx([1, 2, -1, nan, 1, -2, nan], nan_ok=True)
    assert changes[:, 1] == pytest.approx([3, 1, nan, nan, -1, nan, nan], nan_ok=True)


def test_volatility() -> None:
    """Root of the sum of squared changes within the horizon, by hand."""
    volatility = future_volatility(MID, BARS, (2,))[:, 0]
    expected = [np.sqrt(5), np.sqrt(5), np.nan, np.nan, np.sqrt(5), np.nan, np.nan]
    assert volatility == pytest.approx(expected, nan_ok=True)


def test_a_horizon_longer_than_the_data_is_unknown() -> None:
    """All NaN."""
    assert np.isnan(future_changes(MID, BARS, (9,))).all()
