"""The embedded exchange's own clock: wall time at the start, then as fast as the tape is served."""

from mmd.core.ports import Clock
from mmd.core.units import NANOS_PER_SECOND


class ExchangeClock:
    """Unix time in ns that runs `speed` times as fast as the machine's; it never goes back.

    With speed None (as fast as possible) it runs at the machine's pace and is set forward by `reach`.
    `shift_ns` makes what it tells wrong, not when things happen.
    """

    def __init__(self, clock: Clock, speed: float | None = 1.0) -> None:
        self._clock = clock
        self._speed = 1.0 if speed is None else speed
        self._free = speed is None
        self._start_ns = clock.unix_ns()
        self._start_monotonic_ns = clock.monotonic_ns()
        self.shift_ns = 0

    @property
    def waits(self) -> bool:
        """Whether time must be waited for, rather than set."""
        return not self._free

    def now_ns(self) -> int:
        """Exchange time as it is told."""
        return self.flow_ns() + self.shift_ns

    def flow_ns(self) -> int:
        """Exchange time by which the market moves."""
        elapsed = self._clock.monotonic_ns() - self._start_monotonic_ns
        return self._start_ns + (elapsed if self._speed == 1.0 else round(elapsed * self._speed))

    def reach(self, ts_ns: int) -> None:
        """Set a free clock forward to a time; one in the past, or a clock that runs by itself, stays."""
        if not self._free:
            return
        self._start_ns += max(0, ts_ns - self.flow_ns())

    def seconds_until(self, ts_ns: int) -> float:
        """Machine seconds until the market reaches a time; 0 or less where it has passed."""
        return (ts_ns - self.flow_ns()) / (NANOS_PER_SECOND * self._speed)

    def machine_ns(self) -> int:
        """The machine's monotonic clock, for keep-alive and for latency hooks."""
        return self._clock.monotonic_ns()
