"""The venue's clock: offset by the midpoint, and no jump when the wall clock steps."""

from hypothesis import given
from hypothesis import strategies as st

from adapters.binance_spot.venue_clock import VenueClock


class FakeClock:
    """Two clocks that the test sets."""

    def __init__(self) -> None:
        self.monotonic = 5_000_000_000
        self.unix = 1_700_000_000_000_000_000

    def monotonic_ns(self) -> int:
        return self.monotonic

    def unix_ns(self) -> int:
        return self.unix

    def pass_ns(self, ns: int) -> None:
        self.monotonic += ns
        self.unix += ns


@given(
    offset_ms=st.integers(-5_000, 5_000),
    out_ns=st.integers(0, 50_000_000),
    back_ns=st.integers(0, 50_000_000),
)
def test_offset_is_right_to_half_the_asymmetry(offset_ms: int, out_ns: int, back_ns: int):
    """The error is at most half the round trip plus the millisecond that the venue cuts off."""
    clock = FakeClock()
    venue = VenueClock(clock)
    sent_ns = clock.monotonic_ns()
    clock.pass_ns(out_ns)
    server_ms = clock.unix_ns() // 10**6 + offset_ms
    clock.pass_ns(back_ns)
    event = venue.measured(sent_ns, clock.monotonic_ns(), server_ms, "v")
    assert event.round_trip_ns == out_ns + back_ns
    assert abs(event.offset_ns - offset_ms * 10**6) <= (out_ns + back_ns) // 2 + 10**6
    assert abs(venue.now_ms() - (clock.unix_ns() // 10**6 + offset_ms)) <= 52


def test_wall_clock_steps_do_not_move_it():
    """After a measurement only the monotonic clock counts."""
    clock = FakeClock()
    venue = VenueClock(clock)
    venue.measured(clock.monotonic_ns(), clock.monotonic_ns(), clock.unix_ns() // 10**6, "v")
    before = venue.now_ms()
    server_ms = clock.unix_ns() // 10**6
    clock.unix -= 3_600 * 10**9
    clock.monotonic += 250 * 10**6
    assert venue.now_ms() == before + 250
    now_ns = clock.monotonic_ns()
    event = venue.measured(now_ns, now_ns, server_ms + 250, "v")
    assert event.offset_ns // 10**9 == 3_600
    assert event.venue_less_engine_ns == (server_ms + 250) * 10**6 + 500_000 - now_ns


def test_before_the_first_measurement_it_is_the_wall_clock():
    """Nothing better is known."""
    clock = FakeClock()
    assert VenueClock(clock).now_ms() == clock.unix // 10**6
