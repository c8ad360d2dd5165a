"""Faults on command: what to do to the next stream messages and to the next requests.

Nothing here happens by itself; the control endpoint orders it, counted in messages and requests.
"""

from collections.abc import Iterable
from enum import Enum, unique
from typing import NamedTuple

from adapters.binance_spot.sandbox_errors import ApiError, banned, too_many_requests
from adapters.binance_spot.sandbox_limits import WEIGHT_PER_MINUTE
from mmd.core.units import NANOS_PER_SECOND


@unique
class FrameFault(Enum):
    """What happens to a stream message."""

    GAP = "gap"
    """It is not sent."""
    DUPLICATE = "duplicate"
    """It is sent twice."""
    REORDER = "reorder"
    """It is sent after the stream's next message."""
    CORRUPT = "corrupt"
    """Its second half is missing."""
    UNKNOWN_EVENT = "unknown_event"
    """A message of a kind that nobody knows comes before it."""
    WRONG_SYMBOL = "wrong_symbol"
    """It is of a symbol that nobody subscribed to."""
    OVERSIZED = "oversized"
    """It comes behind more than 8 MiB of white space."""
    CROSSED = "crossed"
    """It has a bid above every ask, and stays in sequence."""


class FrameFaults:
    """Faults still to come, by stream; '*' means any stream."""

    def __init__(self) -> None:
        self._due: dict[str, list[FrameFault]] = {}

    def order(self, fault: FrameFault, stream: str, count: int) -> None:
        """Let the stream's next messages have the fault."""
        self._due.setdefault(stream, []).extend([fault] * count)

    def take(self, stream: str, *, is_public: bool = True) -> FrameFault | None:
        """The fault of the message that is about to be sent; '*' does not concern accounts' events."""
        for name in (stream, "*") if is_public else (stream,):
            due = self._due.get(name)
            if due:
                return due.pop(0)
        return None


class HandshakeFaults:
    """Refusals still to come for WebSocket handshakes, by the server they concern."""

    def __init__(self) -> None:
        self._due: dict[str, list[int]] = {}

    def order(self, status: int, servers: Iterable[str], count: int) -> None:
        """Answer the next handshakes at these servers with an HTTP status instead of 101."""
        for server in servers:
            self._due[server] = [status] * count

    def take(self, server: str) -> int | None:
        """The status for the handshake that has just begun, None to let it pass."""
        due = self._due.get(server)
        return due.pop() if due else None


class RequestFate(NamedTuple):
    """What happens to a request: a late answer, an error for an answer, or none at all.

    is_done tells whether an error, or no answer, comes after the request has taken effect; is_stale that the
    answer is the one that the same question had before.
    """

    delay_s: float = 0.0
    is_lost: bool = False
    error: ApiError | None = None
    is_done: bool = True
    is_stale: bool = False


class RequestFaults:
    """Faults still to come for requests on both transports, and for the handshakes before them."""

    def __init__(self) -> None:
        self.handshakes = HandshakeFaults()
        self._delay_s = 0.0
        self._delays = 0
        self._losses = 0
        self._losses_are_done = True
        self._refusals: list[ApiError] = []
        self._stale = 0
        self._failures: list[tuple[int, bool]] = []
        self._limited = (0, 0)

    def order_delays(self, delay_s: float, count: int) -> None:
        """Answer the next requests late."""
        self._delay_s, self._delays = delay_s, count

    def order_losses(self, count: int, *, is_done: bool) -> None:
        """Leave the next order requests without an answer, done or not."""
        self._losses, self._losses_are_done = count, is_done

    def order_refusals(self, error: ApiError, count: int) -> None:
        """Refuse the next order requests."""
        self._refusals = [error] * count

    def order_stale_snapshots(self, count: int) -> None:
        """Give the next order books as they were when last asked for."""
        self._stale = count

    def order_failures(self, status: int, count: int, *, is_done: bool) -> None:
        """Answer the next requests with a server error, after or instead of doing what they ask."""
        self._failures = [(status, is_done)] * count

    def order_limit(self, status: int, until_ns: int) -> None:
        """Refuse every request until a time, with 429 or 418."""
        self._limited = (status, until_ns)

    def take(self, now_ns: int, *, is_order: bool, is_snapshot: bool = False) -> RequestFate:
        """The fate of the request that has just been read."""
        status, until_ns = self._limited
        if now_ns < until_ns:
            return RequestFate(error=_limit_error(status, now_ns, until_ns), is_done=False)
        delay_s = 0.0
        if self._delays > 0:
            self._delays -= 1
            delay_s = self._delay_s
        if self._failures:
            failed, is_done = self._failures.pop()
            return RequestFate(delay_s, error=_server_error(failed), is_done=is_done)
        if is_order and self._losses > 0:
            self._losses -= 1
            return RequestFate(delay_s, is_lost=True, is_done=self._losses_are_done)
        if is_order and self._refusals:
            return RequestFate(delay_s, error=self._refusals.pop(), is_done=False)
        if is_snapshot and self._stale > 0:
            self._stale -= 1
            return RequestFate(delay_s, is_stale=True)
        return RequestFate(delay_s)


def _limit_error(status: int, now_ns: int, until_ns: int) -> ApiError:
    error = banned(until_ns // 1_000_000) if status == 418 else too_many_requests(WEIGHT_PER_MINUTE)
    error.retry_after_s = -(-(until_ns - now_ns) // NANOS_PER_SECOND)
    return error


def _server_error(status: int) -> ApiError:
    if status == 503:
        return ApiError(
            -1008,
            "Server is currently overloaded with other requests. "
            "Please try again in a few minutes.",
            status,
        )
    return ApiError(
        -1007,
        "Timeout waiting for response from backend server. "
        "Send status unknown; execution status unknown.",
        status,
    )
