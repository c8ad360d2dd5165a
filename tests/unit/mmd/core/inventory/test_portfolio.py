"""Several instruments together: correlations found, VaR between fully hedged and fully added up."""

import math

import numpy as np
import pytest

from mmd.core.inventory.portfolio import Portfolio
from mmd.core.inventory.tail_risk import value_at_risk
from mmd.core.units import NANOS_PER_SECOND

BAR_NS = NANOS_PER_SECOND


def fed(returns):
    """A portfolio that has seen rows of log returns, one row a bar."""
    portfolio = Portfolio(returns.shape[1], BAR_NS, half_life_bars=400.0)
    mids = np.exp(np.vstack([np.zeros(returns.shape[1]), np.cumsum(returns, axis=0)])) * 100.0
    for i, row in enumerate(mids):
        portfolio.on_mids(row.tolist(), i * BAR_NS)
    return portfolio


def correlated(rho, n=3_000):
    rng = np.random.default_rng(3)
    one, other = rng.normal(0.0, 1e-3, (2, n))
    return np.column_stack([one, rho * one + math.sqrt(1.0 - rho * rho) * other])


@pytest.mark.parametrize("rho", [-0.6, 0.0, 0.9])
def test_correlation_is_found(rho):
    """Within the sampling error of some thousand effective bars."""
    portfolio = fed(correlated(rho))
    assert portfolio.correlation(0, 1) == pytest.approx(rho, abs=0.1)
    assert portfolio.correlation(0, 1) == portfolio.correlation(1, 0)
    assert portfolio.correlation(1, 1) == 1.0
    assert math.sqrt(portfolio.covariance(0, 0)) == pytest.approx(1e-3, rel=0.1)


def test_one_instrument_has_its_own_var():
    """Whatever the bars were."""
    portfolio = Portfolio(1)
    assert portfolio.value_at_risk([-5_000.0], [1e-4]) == pytest.approx(value_at_risk(5_000, 1e-4))


def test_opposite_positions_in_the_same_thing_cancel():
    """A perfect hedge has no risk, the same way round twice the risk."""
    same = correlated(1.0)
    portfolio = fed(same)
    sigmas = [1e-4, 1e-4]
    alone = value_at_risk(1_000.0, 1e-4)
    assert portfolio.value_at_risk([1_000.0, -1_000.0], sigmas) == pytest.approx(0.0, abs=1e-4)
    assert portfolio.value_at_risk([1_000.0, 1_000.0], sigmas) == pytest.approx(2 * alone)


def test_no_bar_is_made_of_a_price_that_is_missing():
    """A feed that is down says nothing about correlation; afterwards bars start again."""
    portfolio = Portfolio(2, BAR_NS)
    assert not portfolio.on_mids([100.0, 100.0], 0)
    assert not portfolio.on_mids([150.0, 0.0], BAR_NS)
    assert not portfolio.on_mids([100.0, 100.0], 2 * BAR_NS)
    assert portfolio.on_mids([101.0, 101.0], 3 * BAR_NS)
    assert portfolio.bars == 1
    assert portfolio.correlation(0, 1) == pytest.approx(1.0)
