"""The exchange's clock: scaled, free-running, and never going back."""

from adapters.binance_spot.sandbox_clock import ExchangeClock


class _Machine:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.ns = 0

    def monotonic_ns(self) -> int:
        return self.ns

    def unix_ns(self) -> int:
        return 1_000_000 + self.ns


def test_a_scaled_clock_starts_at_wall_time_and_runs_faster() -> None:
    """Ten times as fast: two hundred of its nanoseconds are twenty of the machine's."""
    machine = _Machine()
    clock = ExchangeClock(machine, 10.0)
    machine.ns = 100
    assert clock.now_ns() == 1_001_000
    assert clock.seconds_until(1_001_200) * 1e9 == 20.0
    clock.reach(9_000_000)
    assert clock.now_ns() == 1_001_000
    assert clock.waits


def test_a_free_clock_is_set_forward_and_never_back() -> None:
    """It jumps to where the tape is and goes on from there."""
    machine = _Machine()
    clock = ExchangeClock(machine, None)
    clock.reach(5_000_000)
    assert clock.now_ns() == 5_000_000
    clock.reach(4_000_000)
    machine.ns += 7
    assert clock.now_ns() == 5_000_007
    assert not clock.waits
