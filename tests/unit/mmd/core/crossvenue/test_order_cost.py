"""What an order is expected to cost, term by term, for hedges and for what an arbitrage leaves over alike."""

import math

import pytest

from mmd.core.crossvenue.order_cost import NOTHING, OrderCost, Terms, resting_cost, taking_cost
from mmd.core.crossvenue.outlet import Outlet
from mmd.core.units import NANOS_PER_SECOND, Side
from tests.session import quoting
from tests.two_venue_world import World, two_quiet_venues

UNIT = 10**8
QUARTER_NS = NANOS_PER_SECOND // 4


@pytest.fixture
def world() -> World:
    """Two venues at 99.99 to 100.01 that we do not quote at."""
    return two_quiet_venues(quoting=quoting(enabled=False))


def outlet_of(world: World, *, sigma: float = 0.0, latency_ns: int = 10**8) -> Outlet:
    assert world.engine.crossvenue is not None
    outlet = world.engine.crossvenue.outlets[0]
    outlet.view.vol["sigma"] = sigma
    outlet.latency.latency_ns = float(latency_ns)
    return outlet


def test_price_and_commission_on_a_quiet_book(world):
    """Two levels of half the quantity each; what is bought costs the fee, what is sold brings it less."""
    outlet = outlet_of(world)
    for side, levels in (
        (Side.BUY, [(10_001, UNIT), (10_003, UNIT)]),
        (Side.SELL, [(9_999, UNIT), (9_997, UNIT)]),
    ):
        cost = taking_cost(outlet, levels, 2 * UNIT, 10_100, Terms(side, 10_000.0, QUARTER_NS))
        fee = outlet.taker_fee
        assert fee > 0.0
        average = 10_000 + 2 * side.sign
        assert cost.price_ticks == pytest.approx(average * (1.0 + side.sign * fee))
        assert cost.cost_bps == pytest.approx(2.0 + average * fee)
        assert cost.fill_probability == 1.0


def test_what_is_missed_waits_for_the_next_attempt(world):
    """Half is not there: sigma times the root of the pause, for that half; and the move until arrival."""
    outlet = outlet_of(world, sigma=4.0, latency_ns=10**8)
    terms = Terms(Side.BUY, 10_000.0, QUARTER_NS)
    cost = taking_cost(outlet, [(10_001, UNIT)], 2 * UNIT, 10**9, terms)
    moved = 4.0 * math.sqrt(0.1 / (2.0 * math.pi))
    paid = 10_001 * (1.0 + outlet.taker_fee) - 10_000
    assert cost.fill_probability == pytest.approx(0.5)
    assert cost.cost_bps == pytest.approx(paid + moved + 0.5 * 4.0 * math.sqrt(0.25))


def test_a_limit_at_the_last_level_is_missed_half_the_time(world):
    """The price moves on before the order is there; with leeway it does not matter."""
    outlet = outlet_of(world, sigma=4.0)
    terms = Terms(Side.BUY, 10_000.0, QUARTER_NS)
    levels = [(10_001, UNIT)]
    tight, loose = (taking_cost(outlet, levels, UNIT, t, terms) for t in (10_001, 10_101))
    assert tight.fill_probability == pytest.approx(0.5)
    assert loose.fill_probability == pytest.approx(1.0)
    assert tight.cost_bps > loose.cost_bps


def test_nothing_to_be_had_costs_everything(world):
    """An empty book is never the cheapest."""
    outlet = outlet_of(world)
    assert taking_cost(outlet, [], UNIT, 1, Terms(Side.BUY, 10_000.0, 1)) is NOTHING
    assert NOTHING.cost_bps == math.inf


def test_conversion_is_part_of_the_price(world):
    """A quote currency that is bought a thousandth above its middle makes everything so much dearer."""
    outlet, levels = outlet_of(world), [(10_000, UNIT)]
    plain, dear = (
        taking_cost(outlet, levels, UNIT, 10_000, Terms(Side.BUY, 10_000.0, 1, factor))
        for factor in (1.0, 1.001)
    )
    assert dear.cost_bps - plain.cost_bps == pytest.approx(10.0, rel=1e-3)


def test_resting_earns_half_the_spread_if_there_is_time(world):
    """Without patience it is what taking costs, with all of it the touch and the commission as maker."""
    outlet = outlet_of(world)
    terms = Terms(Side.BUY, 10_000.0, QUARTER_NS)
    taking = OrderCost(7.0, 10_001.0, 1.0)
    outlet.maker.quoter.intensity["rate"] = 0.5
    outlet.maker.quoter.intensity["decay"] = 0.25
    none, some, much = (
        resting_cost(outlet, taking, seconds * NANOS_PER_SECOND, terms) for seconds in (0, 2, 10**6)
    )
    rested = (9_999 * (1.0 + outlet.maker_fee) - 10_000) / 10_000 * 1e4
    probability = 1.0 - math.exp(-0.5 * math.exp(-0.25) * 2)
    assert (none.cost_bps, none.fill_probability) == (pytest.approx(7.0), 0.0)
    assert some.fill_probability == pytest.approx(probability)
    assert some.cost_bps == pytest.approx(probability * rested + (1.0 - probability) * 7.0)
    assert much.cost_bps == pytest.approx(rested)


def test_resting_needs_no_taker_where_the_fill_is_sure(world):
    """Infinity times nothing is nothing."""
    outlet = outlet_of(world)
    outlet.maker.quoter.intensity["rate"] = 10.0
    outlet.maker.quoter.intensity["decay"] = 0.01
    cost = resting_cost(outlet, NOTHING, 10**12, Terms(Side.SELL, 10_000.0, 1))
    assert math.isfinite(cost.cost_bps)
