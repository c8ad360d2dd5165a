"""Sharpe, Sortino and drawdown against numbers worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.analytics.performance import max_drawdown, pnl_bars, sharpe, sortino, underwater
from tests.unit.mmd.analytics.tracks import S

SERIES = st.lists(st.floats(-100.0, 100.0), min_size=3, max_size=40)


def rng() -> np.random.Generator:
    return np.random.default_rng(6)


def test_bars_take_the_last_value_known() -> None:
    """Whole bars from the first sample on; the rest of a bar at the end is left out."""
    ts_ns = np.array([5, 50, 64, 66, 184, 190]) * S
    equity = np.array([1.0, 2.0, 4.0, 7.0, 11.0, 16.0])
    assert pnl_bars(ts_ns, equity).tolist() == [3.0, 3.0, 4.0]
    assert pnl_bars(ts_ns, equity, 90).tolist() == [6.0, 4.0]
    assert pnl_bars(ts_ns[:0], equity[:0]).tolist() == []


def test_sharpe_by_hand() -> None:
    """Mean 2, sample deviation 1, 525,600 minutes a year; Lo's standard error."""
    ratio = sharpe(np.array([1.0, 2.0, 3.0]), rng())
    factor = 525_600**0.5
    assert ratio.annual_factor == pytest.approx(factor)
    assert ratio.annualised.estimate == pytest.approx(2.0 * factor)
    assert ratio.standard_error == pytest.approx(factor * ((1 + 0.5 * 4.0) / 3) ** 0.5)
    assert ratio.annualised.count == 3


def test_longer_bars_have_a_smaller_factor() -> None:
    """sqrt(105,120) for five minutes."""
    assert sharpe(np.array([1.0, 2.0]), rng(), 300).annual_factor == pytest.approx(105_120**0.5)


def test_sortino_by_hand() -> None:
    """Mean 1, downside sqrt(4/4); none where nothing was lost."""
    ratio = sortino(np.array([3.0, -2.0, 1.0, 2.0]), rng())
    assert ratio.annualised.estimate == pytest.approx(525_600**0.5)
    assert sortino(np.array([1.0, 2.0]), rng()).annualised.estimate is None


def test_no_risk_no_ratio() -> None:
    """Equal bars, or fewer than two."""
    assert sharpe(np.ones(20), rng()).annualised.estimate is None
    assert sharpe(np.ones(1), rng()).standard_error is None


@given(SERIES, st.floats(0.01, 1000.0))
def test_ratios_do_not_depend_on_scale(bars: list[float], scale: float) -> None:
    """So PnL gives the same as returns on any fixed capital."""
    x = np.round(np.array(bars), 3)
    for ratio in (sharpe, sortino):
        found, scaled = ratio(x, rng()).annualised, ratio(x * scale, rng()).annualised
        if found.estimate is None or np.ptp(x) < 1e-3:
            continue
        assert scaled.estimate == pytest.approx(found.estimate, rel=1e-6, abs=1e-6)


def test_the_interval_holds_the_truth() -> None:
    """Of independent bars with a true ratio of 0.1 a bar; its width is what Lo's error says."""
    ratio = sharpe(np.random.default_rng(3).normal(0.1, 1.0, 2000), rng())
    assert ratio.annualised.low < 0.1 * 525_600**0.5 < ratio.annualised.high
    width = ratio.annualised.high - ratio.annualised.low
    assert width == pytest.approx(2 * 1.96 * ratio.standard_error, rel=0.2)


def test_drawdown_by_hand() -> None:
    """From 5 down to 1; when it began and when it was deepest."""
    equity = np.array([0.0, 5.0, 3.0, 4.0, 1.0, 6.0, 4.0])
    found = max_drawdown(np.arange(7) * S, equity)
    assert (found.amount, found.peak_ns, found.trough_ns) == (4.0, 1 * S, 4 * S)
    assert underwater(equity).tolist() == [0.0, 0.0, -2.0, -1.0, -4.0, 0.0, -2.0]
    assert max_drawdown(np.zeros(0), np.zeros(0)) is None


@given(SERIES)
def test_drawdown_is_the_worst_pair(steps: list[float]) -> None:
    """The largest fall from any sample to a later one, or nothing."""
    equity = np.array(steps)
    worst = max(
        [0.0, *(equity[i] - equity[j] for i in range(len(steps)) for j in range(i, len(steps)))]
    )
    assert max_drawdown(np.arange(len(steps)), equity).amount == pytest.approx(worst)
