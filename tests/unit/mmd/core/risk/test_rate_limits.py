"""Budgets of the settings: each venue its own set, with its own numbers where it has any."""

from msgspec.structs import replace

from mmd.core.commands import PlaceOrder
from mmd.core.risk.rate_limits import throttle_of
from mmd.core.risk.throttle import Counted
from mmd.core.spec import VenueBudgets
from tests.session import instrument, quoting, risk, session_spec
from tests.two_venue_world import two_quiet_venues

PAIR = (instrument(venue="near"), instrument(id=1, venue="far"))
FAR = VenueBudgets(venue="far", orders_per_10s=400, orders_per_day=1_000, messages_per_minute=6_000)


def limits(*, by_venue: bool, own=(), **changes: object):
    """Risk settings with or without budgets by venue."""
    fields = {"orders_per_10s": 20, "orders_per_day": 500, "messages_per_minute": 600}
    made = risk(**(fields | changes))
    return replace(made, budgets_by_venue=by_venue, venue_budgets=own)


def throttle_at(**changes: object):
    """Of a session at two venues."""
    spec = session_spec(instruments=PAIR, target_atoms=(None, None), risk=limits(**changes))
    return throttle_of(spec)


def test_sessions_recorded_before_share_one_set():
    """Whatever the venue, the same tokens."""
    throttle = throttle_at(by_venue=False)
    assert [throttle.number_of(name) for name in ("near", "far")] == [0, 0]
    assert len(throttle.buckets) == 3


def test_every_venue_has_a_set_and_may_have_other_limits():
    """The least of its budgets is what is left of orders."""
    throttle = throttle_at(by_venue=True, own=(FAR,))
    near, far = (throttle.number_of(name) for name in ("near", "far"))
    assert near != far
    left = [throttle.available(Counted.ORDERS, 0, urgent=True, venue=v) for v in (near, far)]
    assert left == [10, 200]
    assert throttle.available(Counted.WEIGHT, 0, urgent=True, venue=far) == 3_000


def test_one_venue_that_ran_out_leaves_the_other_alone():
    """Through engine and gate: new quotes go to the venue whose budget has tokens left."""
    sent = {}
    for by_venue in (False, True):
        world = two_quiet_venues(
            quoting=quoting(levels=3),
            risk=limits(by_venue=by_venue, orders_per_10s=8, orders_reserve_ratio=0.0),
        )
        world.step()
        orders = [o for m in world.engine.makers for o in m.orders]
        sent[by_venue] = [sum(o.instrument == n for o in orders) for n in range(2)]
    assert sent[False] == [4, 0]
    assert sent[True] == [4, 4]


def test_an_order_is_charged_to_its_own_venue():
    """And to no other."""
    world = two_quiet_venues(risk=limits(by_venue=True))
    throttle, makers = world.engine.throttle, world.engine.makers
    before = [b.available(world.now_ns, urgent=True) for b in throttle.buckets]
    maker = makers[1]
    maker.settle_risk()
    price = maker.view.bid_ticks - 5
    order_id = 2**62
    place = PlaceOrder(1, order_id, 0, price, 100, 0)
    world.engine.gate.check(place, maker.risk)
    after = [b.available(world.now_ns, urgent=True) for b in throttle.buckets]
    changed = {b.venue for b, x, y in zip(throttle.buckets, before, after, strict=True) if x != y}
    assert changed == {throttle.number_of(maker.instrument.venue)}
