"""The regression finds what order flow does to the mid, and stands still where it should."""

import numpy as np
import pytest

from mmd.core.learned.online_forecast import INPUTS, UPDATES_MIN, OnlineForecast
from mmd.core.learned.prediction import OK, WARMING_UP
from mmd.core.learned.samples import WARM_BARS
from mmd.core.learned.schema import N
from mmd.core.market import features
from mmd.core.market.volatility import VOLATILITY
from mmd.jit.kernel import new

BAR_NS = 100_000_000
HORIZON = 10
LOTS = 400.0
OFI = features.index(INPUTS[0])


def made(sigma: float = 2.0) -> OnlineForecast:
    """One at a volatility."""
    vol = new(VOLATILITY)
    vol["sigma"] = sigma
    return OnlineForecast(HORIZON, BAR_NS, vol)


def play(forecast: OnlineForecast, bars: int, per_lot: float, start: int = 0) -> None:
    """Flow that moves the mid by per_lot ticks a lot over the next horizon, in noise as large again."""
    rng = np.random.default_rng(3)
    flow = LOTS * rng.normal(size=bars)
    steps = per_lot / HORIZON * np.convolve(flow, np.ones(HORIZON))[:bars] + rng.normal(
        0.0, 0.3, bars
    )
    mid = 10_000.0
    x = np.zeros(N, np.float32)
    for bar in range(bars):
        x[OFI] = flow[bar]
        forecast.step(x, mid, (start + bar) * BAR_NS)
        mid += steps[bar]


def test_the_flow_coefficient_is_found():
    """In ticks a lot, within a tenth; the drift is nothing."""
    forecast = made()
    play(forecast, 20_000, 0.003)
    assert forecast.status == OK
    assert forecast.flow_coefficient == pytest.approx(0.003, rel=0.1)
    assert abs(forecast.drift_ticks) < 0.1
    change, _, logit = forecast.outputs
    assert change * logit > 0.0


def test_nothing_is_said_before_enough_was_learned():
    """Nor for a hundred bars after a gap; coefficients outlive it."""
    forecast = made()
    play(forecast, UPDATES_MIN, 0.003)
    assert forecast.status == WARMING_UP
    play(forecast, 2_000, 0.003, start=UPDATES_MIN)
    assert forecast.status == OK
    coefficient = forecast.flow_coefficient
    forecast.restart()
    assert forecast.status == WARMING_UP
    play(forecast, WARM_BARS - 1, 0.003, start=100_000)
    assert forecast.status == WARMING_UP
    assert forecast.flow_coefficient == pytest.approx(coefficient, rel=0.5)


def test_a_halt_teaches_nothing():
    """Frozen, coefficients stay as they are."""
    forecast = made()
    play(forecast, 3_000, 0.003)
    theta = forecast.rls["theta"].copy()
    forecast.freeze(is_frozen=True)
    play(forecast, 1_000, -0.003, start=3_000)
    assert np.array_equal(forecast.rls["theta"], theta)
    forecast.freeze(is_frozen=False)
    play(forecast, 1_000, -0.003, start=4_000)
    assert not np.array_equal(forecast.rls["theta"], theta)


def test_no_volatility_is_no_reason_to_divide():
    """Nothing is learned or said before there is one."""
    forecast = made(0.0)
    play(forecast, 2_000, 0.003)
    assert forecast.status == WARMING_UP
    assert forecast.flow_coefficient == 0.0
