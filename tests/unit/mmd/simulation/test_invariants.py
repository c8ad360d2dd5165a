"""Invariants fail loudly when something is wrong."""

import pytest

from mmd.core.units import Side
from mmd.simulation.invariants import InvariantError
from mmd.simulation.order_gateway import order_name
from tests.exchange_world import order
from tests.simulated_worlds import scenario


@pytest.fixture
def quoting():
    """A scenario at rest with orders on both sides."""
    at = scenario()
    at.world.run(10.0)
    while not at.trader.is_at_rest:
        at.world.run(0.001)
    at.invariants.check(at.trader)
    return at


def test_an_order_that_the_engine_does_not_know_is_found(quoting):
    """An order that nobody told the engine of."""
    request = order(Side.BUY, 9_000, 100, order_name(999))
    quoting.venue.exchange.place("mmd", request, quoting.world.agenda.now_ns)
    with pytest.raises(InvariantError, match="orders: engine and exchange differ"):
        quoting.invariants.check(quoting.trader)


def test_an_atom_that_nothing_explains_is_found(quoting):
    """One atom of base, or of quote, is enough."""
    quoting.venue.exchange.accounts["mmd"].receive("MMD", 1)
    with pytest.raises(InvariantError, match="position: expected"):
        quoting.invariants.check(quoting.trader)
    quoting.venue.exchange.accounts["mmd"].receive("MMD", -1)
    quoting.venue.exchange.accounts["mmd"].receive("USDT", 1)
    with pytest.raises(InvariantError, match="cash: expected"):
        quoting.invariants.check(quoting.trader)


def test_too_large_a_position_is_found(quoting):
    """More than 110 % of the limit, either way."""
    maker = quoting.trader.engine.makers[0]
    maker.ledger.position_lots = -2 * maker.scale.position_lots_max
    with pytest.raises(InvariantError, match="inventory: expected at most"):
        quoting.invariants.check(quoting.trader)


def test_money_that_comes_from_nowhere_is_found(quoting):
    """The PnL identity is exact."""
    quoting.trader.engine.makers[0].ledger.pnl._edge_units += 1
    with pytest.raises(InvariantError, match="PnL identity"):
        quoting.invariants.check(quoting.trader)
