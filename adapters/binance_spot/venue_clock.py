"""The venue's clock as seen from here: an anchor on the monotonic clock, set by timed round trips."""

from mmd.core.events import ClockOffset
from mmd.core.ports import Clock

_NANOS_PER_MS = 1_000_000


class VenueClock:
    """Venue time for signing. It runs on the monotonic clock, so steps of the wall clock do not move it."""

    def __init__(self, clock: Clock) -> None:
        """Until the first measurement the venue is taken to have our wall time."""
        self._clock = clock
        self._anchor_ns = clock.unix_ns() - clock.monotonic_ns()
        self.offset_ms = 0.0
        """Venue clock minus our wall clock, as last measured."""

    def now_ms(self) -> int:
        """Venue time, Unix milliseconds."""
        return (self._clock.monotonic_ns() + self._anchor_ns) // _NANOS_PER_MS

    def measured(self, sent_ns: int, received_ns: int, server_ms: int, venue: str) -> ClockOffset:
        """Take in a round trip (monotonic nanoseconds) in which the server said `server_ms`.

        The server read its clock at the middle of the trip, give or take half of it, and cut the
        milliseconds off.
        """
        server_ns = server_ms * _NANOS_PER_MS + _NANOS_PER_MS // 2
        middle_ns = (sent_ns + received_ns) // 2
        self._anchor_ns = server_ns - middle_ns
        now_ns = self._clock.monotonic_ns()
        offset_ns = now_ns + self._anchor_ns - self._clock.unix_ns()
        self.offset_ms = offset_ns / _NANOS_PER_MS
        return ClockOffset(now_ns, venue, offset_ns, received_ns - sent_ns, self._anchor_ns)
