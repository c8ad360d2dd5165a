"""Errors that change are noticed, errors that do not are not; what is said across a gap is never judged."""

import numpy as np
import pytest

from mmd.core.learned.drift_monitor import DriftMonitor
from mmd.core.learned.drift_response import DriftLevel
from mmd.core.learned.lstm import VOLATILITY_FLOOR
from mmd.core.learned.prediction import OK, WARMING_UP

HORIZON = 5
BAR_NS = 100_000_000


class Told:
    """A forecaster that says what it is told to."""

    status = OK
    change_scale = volatility_scale = 1.0
    outputs = (0.0, float(np.log(np.sqrt(HORIZON) + VOLATILITY_FLOOR)), 0.0)


def run(monitor: DriftMonitor, steps: np.ndarray, start: int = 0) -> int:
    """A mid that takes these steps a bar; returns at which bar the level rose first, or -1."""
    mid, forecaster, found = 1_000.0, Told(), -1
    for bar, step in enumerate(steps):
        mid += step
        if monitor.on_bar(mid, forecaster, (start + bar) * BAR_NS) and found < 0:
            found = bar
    return found


def test_nothing_is_said_where_nothing_changes():
    """Twenty thousand horizons of a random walk that was forecast rightly."""
    monitor = DriftMonitor(HORIZON)
    assert run(monitor, np.random.default_rng(1).normal(size=20_000 * HORIZON)) == -1
    assert monitor.judged == 20_000 - 1
    assert monitor.watch.level is DriftLevel.CALM


@pytest.mark.parametrize("drift", [0.5, -0.5])
def test_a_bias_is_noticed(drift):
    """A drift of half a deviation a bar, more than one a horizon, within a hundred horizons."""
    monitor, rng = DriftMonitor(HORIZON), np.random.default_rng(2)
    run(monitor, rng.normal(size=1_000 * HORIZON))
    found = run(monitor, drift + rng.normal(size=300 * HORIZON), start=5_000)
    assert 0 < found < 100 * HORIZON
    assert monitor.residuals.alarms + monitor.calibration.alarms > 0
    assert monitor.watch.level > DriftLevel.CALM


def test_a_gap_is_not_judged():
    """A jump while the feed was away is nobody's error."""
    monitor = DriftMonitor(HORIZON)
    run(monitor, np.zeros(HORIZON + 1))
    judged = monitor.judged
    monitor.restart()
    monitor.on_bar(5_000.0, Told(), 0)
    assert monitor.judged == judged


def test_what_was_not_said_is_not_judged():
    """While a network warms up, or says what is no number."""
    monitor, forecaster = DriftMonitor(HORIZON), Told()
    forecaster.status = WARMING_UP
    for bar in range(50):
        monitor.on_bar(1_000.0 + bar, forecaster, bar)
    forecaster.status, forecaster.outputs = OK, (float("nan"), 0.0, 0.0)
    for bar in range(50):
        monitor.on_bar(1_000.0 + bar, forecaster, bar)
    assert monitor.judged == 0
