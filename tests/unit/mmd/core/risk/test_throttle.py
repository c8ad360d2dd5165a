"""Token buckets mirror the venue's windows and never exceed them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.events import RateUsage
from mmd.core.risk.throttle import Budget, Cost, Counted, Throttle
from mmd.errors import ConfigError

S = 1_000_000_000


def budget(limit=10, interval_ns=10 * S, **changes):
    fields = {
        "name": "ORDERS",
        "counts": Counted.ORDERS,
        "limit": limit,
        "interval_ns": interval_ns,
    }
    return Budget(**(fields | changes))


def usage(used, limit=10, interval_ns=10 * S, name="ORDERS", ts_ns=0):
    return RateUsage(ts_ns, "test", name, used, limit, interval_ns)


@given(
    st.integers(2, 20),
    st.data(),
    st.lists(st.tuples(st.integers(0, 3 * S), st.integers(1, 3)), max_size=80),
)
def test_no_window_sees_more_than_the_limit(limit, data, asks):
    """Whatever is asked whenever, every window of one interval stays within the venue's limit."""
    burst = data.draw(st.integers(1, limit - 1))
    throttle = Throttle([budget(limit, burst=burst)])
    now_ns, taken = 0, []
    for wait_ns, tokens in asks:
        now_ns += wait_ns
        is_available = throttle.buckets[0].available(now_ns) >= tokens
        assert (throttle.take(Cost(tokens, 0), now_ns) is None) is is_available
        if is_available:
            taken.append((now_ns, tokens))
    for start_ns, _ in taken:
        window = [n for at, n in taken if start_ns <= at < start_ns + 10 * S]
        assert sum(window) <= limit


@given(st.lists(st.integers(0, S), max_size=40))
def test_refilling_is_exact_however_often_it_is_looked_at(waits):
    """Looking does not change the credit: one long wait gives what many short ones do."""
    throttles = [Throttle([budget(7, interval_ns=3 * S + 1, burst=4)]) for _ in range(2)]
    for throttle in throttles:
        assert throttle.take(Cost(4, 0), 0) is None
    often, once = (throttle.buckets[0] for throttle in throttles)
    now_ns = 0
    for wait_ns in waits:
        now_ns += wait_ns
        often.available(now_ns)
    assert often.available(now_ns) == once.available(now_ns)


def test_the_reserve_is_for_urgent_commands():
    """Ordinary commands stop short of it."""
    throttle = Throttle([budget(limit=10, burst=5, reserve=2)])
    taken = [throttle.take(Cost(1, 0), 0) for _ in range(4)]
    assert taken == [None, None, None, Counted.ORDERS]
    assert throttle.available(Counted.ORDERS, 0) == 0
    assert throttle.take(Cost(1, 0), 0, urgent=True) is None
    assert throttle.available(Counted.ORDERS, 0, urgent=True) == 1


def test_a_cost_is_taken_from_every_window_or_from_none():
    """A refusal by the day's window leaves the ten seconds' one alone."""
    short, day = budget(10), budget(4, 86_400 * S, burst=2)
    weight = budget(100, 60 * S, name="WEIGHT", counts=Counted.WEIGHT)
    throttle = Throttle([short, day, weight])
    assert [throttle.take(Cost(1, 3), 0) for _ in range(3)] == [None, None, Counted.ORDERS]
    assert throttle.buckets[0].available(0) == 3
    assert throttle.available(Counted.WEIGHT, 0) == 44
    assert throttle.take(Cost(0, 3), 0) is None


def test_no_budget_is_no_limit():
    """A venue without a window of that kind limits nothing."""
    throttle = Throttle([])
    assert throttle.take(Cost(1000, 1000), 0) is None
    assert throttle.available(Counted.ORDERS, 0) is None


def test_the_venues_count_corrects_ours_downwards():
    """It may have seen orders that we do not remember; it never gives us more."""
    throttle = Throttle([budget(10, burst=8)])
    assert throttle.on_usage(usage(9))
    assert throttle.available(Counted.ORDERS, 0) == 1
    throttle.on_usage(usage(0))
    assert throttle.available(Counted.ORDERS, 0) == 1
    assert not throttle.on_usage(usage(0, name="OTHER"))
    assert not throttle.on_usage(usage(0, interval_ns=S))


def test_a_changed_limit_of_the_venue_is_adopted():
    """Tighter at once, looser by refilling."""
    throttle = Throttle([budget(10, burst=8)])
    throttle.on_usage(usage(0, limit=4))
    assert throttle.available(Counted.ORDERS, 0) == 3
    throttle.on_usage(usage(4, limit=4, ts_ns=0))
    assert throttle.available(Counted.ORDERS, 0) == 0
    assert throttle.available(Counted.ORDERS, 10 * S) == 1


def test_under_a_lower_limit_the_reserve_keeps_its_share():
    """However much lower: ordinary commands have the rest, as before."""
    throttle = Throttle([budget(100, burst=50, reserve=20)])
    throttle.on_usage(usage(0, limit=11))
    assert throttle.available(Counted.ORDERS, 0) == 6
    assert throttle.available(Counted.ORDERS, 0, urgent=True) == 10
    day_ns = 86_400 * S
    wide = Throttle([budget(10**9, day_ns, reserve=10**8)])
    wide.on_usage(usage(0, limit=200_000, interval_ns=day_ns))
    assert wide.available(Counted.ORDERS, 0) > 0


def test_an_overdrawn_venue_count_does_not_go_below_nothing():
    """After a ban the bucket is empty, not in debt."""
    throttle = Throttle([budget(10)])
    throttle.on_usage(usage(50))
    assert throttle.available(Counted.ORDERS, 0) == 0
    assert throttle.available(Counted.ORDERS, 2 * S) == 1


def test_time_standing_still_refills_nothing():
    """An earlier time (another instrument's clock) is no time passed."""
    throttle = Throttle([budget(4, burst=1)])
    assert throttle.take(Cost(1, 0), 50 * S) is None
    assert throttle.take(Cost(1, 0), 10 * S) is Counted.ORDERS


@pytest.mark.parametrize(
    "changes",
    [{"limit": 1}, {"interval_ns": 0}, {"burst": 10}, {"burst": 3, "reserve": 3}, {"reserve": -1}],
)
def test_impossible_budgets_are_refused(changes):
    """A bucket that never refills, or lets nothing through."""
    with pytest.raises(ConfigError, match="budget ORDERS"):
        budget(**changes)


def test_a_venue_that_allows_more_does_not_raise_our_own_limit():
    """The setting is the operator's: in ten intervals no more than ten times it goes out."""
    throttle = Throttle([budget(10)])
    sent = 0
    for tick in range(1_000):
        now_ns = tick * S // 10
        throttle.on_usage(usage(0, limit=10_000, ts_ns=now_ns))
        sent += throttle.take(Cost(1, 0), now_ns) is None
    assert sent <= 10 * 10


@given(
    st.integers(1, 30),
    st.integers(1, 10**15),
    st.lists(st.tuples(st.integers(0, 10**14), st.integers(1, 4)), max_size=60),
)
def test_a_bucket_is_exact_in_integers(gain: int, interval_ns: int, asks) -> None:
    """Against credit counted in whole numbers of any size: a token counts interval_ns, a nanosecond the gain."""
    throttle = Throttle([budget(gain + 5, interval_ns, burst=5)])
    capacity, missing, last_ns, now_ns = 5 * interval_ns, 0, 0, 10**15
    for wait_ns, tokens in asks:
        now_ns += wait_ns
        missing = max(missing - (now_ns - last_ns) * gain, 0)
        last_ns = now_ns
        is_free = missing + tokens * interval_ns <= capacity
        missing += tokens * interval_ns if is_free else 0
        assert (throttle.take(Cost(tokens, 0), now_ns) is None) is is_free
        assert throttle.buckets[0].available(now_ns) == (capacity - missing) // interval_ns


def test_each_venue_has_its_own_tokens():
    """What one sends and what one reports is nothing to the other."""
    throttle = Throttle((), {"near": [budget(10, burst=4)], "test": [budget(10, burst=4)]})
    near, far = throttle.number_of("near"), throttle.number_of("test")
    taken = [throttle.take(Cost(1, 0), 0, venue=near) for _ in range(5)]
    assert taken == [None] * 4 + [Counted.ORDERS]
    assert throttle.available(Counted.ORDERS, 0, venue=near) == 0
    assert throttle.available(Counted.ORDERS, 0, venue=far) == 4
    assert throttle.on_usage(usage(9))
    assert throttle.available(Counted.ORDERS, 0, venue=far) == 1
    assert throttle.take(Cost(1, 0), 0, venue=far) is None
    assert throttle.available(Counted.ORDERS, 0, venue=near) == 0


def test_more_budgets_than_there_is_room_for_are_refused():
    """With how many there are."""
    with pytest.raises(ConfigError, match="at most 24 rate budgets, found 25 of 25 venues"):
        Throttle((), {f"venue{n}": [budget(10)] for n in range(25)})
