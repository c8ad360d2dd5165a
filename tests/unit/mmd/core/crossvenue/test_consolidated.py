"""All venues' books side by side: one currency, one order, and each one's own age and latency."""

from mmd.core.crossvenue.cross_venue import cross_venue
from mmd.core.crossvenue.outlet import Condition
from mmd.core.events import ClockOffset
from mmd.core.units import Side
from tests.session import quoting
from tests.two_venue_world import (
    MS,
    STEP_NS,
    World,
    arbitrage,
    instrument_at,
    lift,
    two_quiet_venues,
    world_spec,
)

OBSERVED = quoting(enabled=False)


def test_levels_of_all_venues_are_one_ladder() -> None:
    """Best first, equal prices in the order of the venues."""
    world = two_quiet_venues(quoting=OBSERVED)
    lift(world)
    world.step()
    cross = world.engine.crossvenue
    assert cross is not None
    (book,) = cross.books
    bids, asks = (book.levels(side, world.now_ns) for side in Side)
    assert [(round(b.price, 2), b.outlet) for b in bids[:3]] == [
        (100.41, 1),
        (99.99, 0),
        (99.99, 1),
    ]
    assert [(round(a.price, 2), a.outlet) for a in asks[:2]] == [(100.01, 0), (100.02, 0)]
    assert [b.price for b in bids] == sorted((b.price for b in bids), reverse=True)


def test_each_venue_has_its_own_age_and_latency() -> None:
    """A venue's clock offset is its own, and so is the time since its book changed."""
    world = two_quiet_venues(quoting=OBSERVED, started_unix_ns=0)
    cross = world.engine.crossvenue
    assert cross is not None
    world.event(ClockOffset(world.now_ns, "second", 3 * MS, MS))
    world.step(4)
    world.venues[1].quote(Side.BUY, 9_000, 1_000)
    world.step()
    first, second = cross.books[0].rows(world.now_ns)
    assert (first.age_ns, second.age_ns) == (6 * STEP_NS, 0)
    assert first.feed_latency_ns is None, "its clock was never compared"
    assert second.feed_latency_ns == 3 * MS
    assert first.order_latency_ns == 50 * MS
    assert (first.condition, second.condition) == (Condition.GOOD, Condition.GOOD)


def test_orders_measure_the_latency_of_their_venue() -> None:
    """The first answer replaces the prior, later ones are averaged; the other venue's are its own."""
    world = two_quiet_venues()
    cross = world.engine.crossvenue
    assert cross is not None
    world.step(4)
    for latency in cross.latencies.by_venue.values():
        assert latency.answers > 0
        assert latency.latency_ns == 2 * STEP_NS


def test_there_is_nothing_to_do_for_one_venue() -> None:
    """The engine of a single venue has no such part, and none where nobody asked."""
    alone = world_spec([instrument_at("first", 0)])
    assert World(alone).engine.crossvenue is None
    both = [instrument_at("first", 0), instrument_at("second", 1)]
    assert World(world_spec(both, arbitrage=None)).engine.crossvenue is None
    apart = [instrument_at("first", 0), instrument_at("second", 1, base="OTHER")]
    world = World(world_spec(apart, arbitrage=arbitrage()))
    assert cross_venue(world.engine.spec, world.engine.makers, world.engine.risk) is None
