"""Value at risk by hand, expected shortfall against distributions whose tail is known."""

import math

import numpy as np
import pytest

from mmd.core.inventory.tail_risk import (
    NORMAL_SHORTFALL_95,
    TailRisk,
    position_at_risk_limit,
    value_at_risk,
)
from mmd.core.units import NANOS_PER_SECOND

BAR_NS = NANOS_PER_SECOND


def fed(returns, **settings):
    """A tail risk that has seen a price make these log returns, one a bar."""
    tail = TailRisk(bar_ns=BAR_NS, **settings)
    price = 100.0
    tail.on_mid(price, 0)
    for i, r in enumerate(returns):
        price *= math.exp(r)
        assert tail.on_mid(price, (i + 1) * BAR_NS)
    return tail


def test_var_by_hand():
    """2 % a day on 3 units at 50: 1.645 * 3 * 50 * 0.02, of either sign."""
    sigma_price = 50 * 0.02 / math.sqrt(86_400)
    assert value_at_risk(3.0, sigma_price) == pytest.approx(4.935)
    assert value_at_risk(-3.0, sigma_price) == pytest.approx(4.935)


def test_the_limit_is_the_position_with_that_var():
    """And nothing limits where nothing moves."""
    held = position_at_risk_limit(100.0, 0.01)
    assert value_at_risk(held, 0.01) == pytest.approx(100.0)
    assert position_at_risk_limit(100.0, 0.0) == math.inf


def test_before_there_are_samples_the_tail_is_normal():
    """phi(1.645) / 0.05."""
    density = math.exp(-0.5 * 1.645**2) / math.sqrt(2 * math.pi)
    assert pytest.approx(density / 0.05, abs=1e-3) == NORMAL_SHORTFALL_95
    tail = fed([0.001, -0.001] * 30)
    assert tail.samples == 40
    assert tail.shortfall(1.0, 1.0) == pytest.approx(NORMAL_SHORTFALL_95 * math.sqrt(86_400))


def test_normal_returns_give_the_normal_shortfall():
    """Within sampling error, on both sides; filtering by an estimated volatility makes it a little fatter."""
    rng = np.random.default_rng(5)
    tail = fed(rng.normal(0.0, 1e-3, 2_500), half_life_bars=100.0)
    assert tail.samples == 2_048
    for multiple in tail.multiples:
        assert multiple == pytest.approx(NORMAL_SHORTFALL_95, rel=0.08)


def test_what_hurts_a_long_position_is_the_lower_tail():
    """Rare crashes make the shortfall of a long position larger than that of a short one."""
    rng = np.random.default_rng(6)
    returns = np.where(rng.random(2_000) < 0.04, -8e-3, 0.0) + rng.normal(0.0, 1e-3, 2_000)
    tail = fed(returns, half_life_bars=200.0)
    assert tail.shortfall(1.0, 1.0) > 1.8 * tail.shortfall(-1.0, 1.0)
    assert tail.shortfall(0.0, 1.0) == 0.0


def test_volatility_is_filtered_out():
    """A storm ten times as wild as the calm before leaves the tail's shape about as it was."""
    rng = np.random.default_rng(7)
    calm, storm = rng.normal(0.0, 1e-4, 1_000), rng.normal(0.0, 1e-3, 1_000)
    tail = fed(np.concatenate([calm, storm]), half_life_bars=20.0)
    assert tail.multiples[1] == pytest.approx(NORMAL_SHORTFALL_95, rel=0.35)


def test_bars_are_closed_by_time_and_a_long_silence_starts_again():
    """Between two ends of bars nothing happens; a return over several bars counts as one of them."""
    tail = TailRisk(bar_ns=BAR_NS)
    assert not tail.on_mid(100.0, 0)
    assert not tail.on_mid(101.0, BAR_NS - 1)
    assert tail.on_mid(101.0, 4 * BAR_NS)
    assert not tail.on_mid(50.0, 100 * BAR_NS)
    assert tail.on_mid(50.0, 101 * BAR_NS)
