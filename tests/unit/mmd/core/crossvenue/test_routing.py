"""Where an order goes: price after fees, chance of a fill and latency, in one unit, with the alternatives kept."""

import math

import pytest

from mmd.core.crossvenue.cross_venue import CrossVenue
from mmd.core.crossvenue.routing import Route, describe
from mmd.core.units import Side
from tests.session import quoting
from tests.two_venue_world import World, instrument_at, two_quiet_venues, world_spec

UNIT = 10**8


def cross_of(world: World) -> CrossVenue:
    assert world.engine.crossvenue is not None
    return world.engine.crossvenue


def take(world: World, side: Side, units: int = 10) -> Route:
    cross = cross_of(world)
    return cross.router.take(cross.outlets, side, units * UNIT, world.now_ns)


def test_equal_venues_cost_the_same_and_the_first_is_taken() -> None:
    """Half a spread of a tick and 1 bps: 2 bps; ties go to the earlier instrument."""
    world = two_quiet_venues(quoting=quoting(enabled=False))
    for maker in world.engine.makers:
        maker.view.vol["sigma"] = 0.0
    route = take(world, Side.BUY)
    assert route.chosen == 0
    costs = [c.cost_bps for c in route.candidates]
    assert costs[0] == costs[1] == pytest.approx(2.0, abs=1e-3)
    assert [c.fill_probability for c in route.candidates] == [1.0, 1.0]


def test_a_lower_commission_wins() -> None:
    """The same book at half the price of taking."""
    cheap = instrument_at("second", 1, taker_fee_bps=0.5)
    world = World(world_spec([instrument_at("first", 0), cheap], quoting=quoting(enabled=False)))
    for venue in world.venues:
        venue.quote(Side.BUY, 9_999, 100_000)
        venue.quote(Side.SELL, 10_001, 100_000)
    world.bring_up()
    assert [take(world, side).chosen for side in Side] == [1, 1]


def test_a_deep_book_wins_over_a_thin_one_at_the_same_price() -> None:
    """Four fifths of the order would walk to a worse level."""
    world = two_quiet_venues(quoting=quoting(enabled=False))
    first = world.venues[0]
    first.withdraw("s2")
    first.quote(Side.SELL, 10_001, 2_000)
    world.step()
    route = take(world, Side.BUY)
    assert route.chosen == 1
    assert route.candidates[1].price > route.candidates[0].price


def test_a_slow_venue_costs_what_the_price_may_do_meanwhile() -> None:
    """Same books, but one answers in a second: the expected adverse move makes the difference."""
    world = two_quiet_venues(quoting=quoting(enabled=False))
    cross = cross_of(world)
    for maker in world.engine.makers:
        maker.view.vol["sigma"] = 3.0
    for _ in range(30):
        cross.latencies.by_venue["first"].on_answer(10**9)
        cross.latencies.by_venue["second"].on_answer(10**7)
    route = take(world, Side.SELL)
    assert route.chosen == 1
    fast, slow = route.candidates
    expected = 3.0 * (1.0 - math.sqrt(0.01)) / math.sqrt(2.0 * math.pi)
    assert slow.cost_bps - fast.cost_bps == pytest.approx(expected, rel=0.05)


def test_a_book_that_cannot_be_relied_on_is_no_choice() -> None:
    """The other is taken; with both gone none is, and that is on record too."""
    world = two_quiet_venues(quoting=quoting(enabled=False))
    world.engine.makers[0].view.lose()
    assert take(world, Side.BUY).chosen == 1
    world.engine.makers[1].view.lose()
    route = take(world, Side.BUY)
    assert route.chosen is None
    names = {o.id: o.name for o in cross_of(world).outlets}
    assert "nowhere" in describe(route, names)
    assert "down" in describe(route, names)


def test_choices_are_kept_and_counted() -> None:
    """What people and replays look at."""
    world = two_quiet_venues(quoting=quoting(enabled=False))
    route = take(world, Side.BUY)
    router = cross_of(world).router
    assert list(router.routes) == [route]
    assert (router.made, router.chosen[0]) == (1, 1)
    names = {o.id: o.name for o in cross_of(world).outlets}
    assert describe(route, names).startswith("buy 10 at first:MMDUSDT: first:MMDUSDT +2")
