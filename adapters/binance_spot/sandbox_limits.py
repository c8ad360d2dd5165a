"""Request weights and order counts by fixed windows of exchange time, as the venue counts and tells them."""

from typing import Any

from adapters.binance_spot.sandbox_errors import (
    ApiError,
    banned,
    too_many_orders,
    too_many_requests,
)
from mmd.core.units import NANOS_PER_SECOND

WEIGHT_PER_MINUTE = 6000
ORDERS_PER_DAY = 200_000
RAW_REQUESTS_PER_5_MINUTES = 300_000
REFUSALS_MAX = 10
"""Requests that may be refused within a minute; the next one gets the client banned."""
BAN_NS = 120 * NANOS_PER_SECOND
_BAN_NS_MAX = 3 * 86_400 * NANOS_PER_SECOND
_MINUTE_NS = 60 * NANOS_PER_SECOND
_TEN_SECONDS_NS = 10 * NANOS_PER_SECOND
_DAY_NS = 86_400 * NANOS_PER_SECOND


class _Window:
    """A counter that starts again at each multiple of its span."""

    __slots__ = ("_number", "_span_ns", "limit", "used")

    def __init__(self, span_ns: int, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._span_ns = span_ns
        self._number = -1

    def roll(self, now_ns: int) -> bool:
        """Start again if a new span has begun; whether it has."""
        number = now_ns // self._span_ns
        if number == self._number:
            return False
        self._number = number
        self.used = 0
        return True

    def left_s(self, now_ns: int) -> int:
        return -(-(self._span_ns - now_ns % self._span_ns) // NANOS_PER_SECOND)


class RateLimits:
    """One client's budgets (the sandbox counts all clients as one address and one account).

    A client that goes on asking after it was refused is banned: first for two minutes, each time for twice
    as long, at most for three days.
    """

    def __init__(self, orders_per_10s: int, weight_per_minute: int = WEIGHT_PER_MINUTE) -> None:
        self._refusals = 0
        self._ban_ns = BAN_NS
        self._banned_until_ns = 0
        self._weight = _Window(_MINUTE_NS, weight_per_minute)
        self._burst = _Window(_TEN_SECONDS_NS, orders_per_10s)
        self._day = _Window(_DAY_NS, ORDERS_PER_DAY)

    def charge(self, weight: int, now_ns: int) -> None:
        """Count a request.

        Raises: ApiError -1003: 429 with Retry-After if the minute is used up, 418 during a ban.
        """
        if now_ns < self._banned_until_ns:
            raise self._ban_error(now_ns)
        self._roll(now_ns)
        if self._weight.used + weight > self._weight.limit:
            raise self._refused(
                too_many_requests(self._weight.limit), self._weight.left_s(now_ns), now_ns
            )
        self._weight.used += weight

    def ban(self, now_ns: int, duration_ns: int) -> None:
        """Refuse everything for a time."""
        self._banned_until_ns = now_ns + duration_ns

    def refund(self, weight: int) -> None:
        """Orders that succeed cost no weight."""
        self._weight.used = max(0, self._weight.used - weight)

    def count_order(self, now_ns: int) -> None:
        """Count a new order. Raises: ApiError -1015 (429, Retry-After) if there were too many."""
        self._roll(now_ns)
        for window, interval in ((self._burst, "10 SECOND"), (self._day, "1 DAY")):
            if window.used >= window.limit:
                error = too_many_orders(window.limit, interval)
                raise self._refused(error, window.left_s(now_ns), now_ns)
        self._burst.used += 1
        self._day.used += 1

    def forgive_orders(self, count: int) -> None:
        """Orders that traded do not count as unfilled any more."""
        self._burst.used = max(0, self._burst.used - count)
        self._day.used = max(0, self._day.used - count)

    def headers(self, now_ns: int) -> dict[str, str]:
        """What REST answers tell."""
        self._roll(now_ns)
        return {
            "X-MBX-USED-WEIGHT": str(self._weight.used),
            "X-MBX-USED-WEIGHT-1M": str(self._weight.used),
            "X-MBX-ORDER-COUNT-10S": str(self._burst.used),
            "X-MBX-ORDER-COUNT-1D": str(self._day.used),
        }

    def usage(self, now_ns: int) -> list[dict[str, Any]]:
        """What WebSocket API answers tell: the definitions with a count each."""
        self._roll(now_ns)
        counts = (self._weight.used, self._burst.used, self._day.used)
        return [{**d, "count": c} for d, c in zip(self._counted(), counts, strict=True)]

    def definitions(self) -> list[dict[str, Any]]:
        """What exchangeInfo tells."""
        raw = _definition("RAW_REQUESTS", "MINUTE", 5, RAW_REQUESTS_PER_5_MINUTES)
        return [*self._counted(), raw]

    def _counted(self) -> list[dict[str, Any]]:
        return [
            _definition("REQUEST_WEIGHT", "MINUTE", 1, self._weight.limit),
            _definition("ORDERS", "SECOND", 10, self._burst.limit),
            _definition("ORDERS", "DAY", 1, self._day.limit),
        ]

    def _refused(self, error: ApiError, wait_s: int, now_ns: int) -> ApiError:
        """A refusal with the time to wait; the one that is too many bans instead."""
        self._refusals += 1
        if self._refusals > REFUSALS_MAX:
            self._refusals = 0
            self.ban(now_ns, self._ban_ns)
            self._ban_ns = min(2 * self._ban_ns, _BAN_NS_MAX)
            return self._ban_error(now_ns)
        error.retry_after_s = wait_s
        return error

    def _ban_error(self, now_ns: int) -> ApiError:
        error = banned(self._banned_until_ns // 1_000_000)
        error.retry_after_s = -(-(self._banned_until_ns - now_ns) // NANOS_PER_SECOND)
        return error

    def _roll(self, now_ns: int) -> None:
        if self._weight.roll(now_ns):
            self._refusals = 0
        self._burst.roll(now_ns)
        self._day.roll(now_ns)


def _definition(kind: str, interval: str, count: int, limit: int) -> dict[str, Any]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": limit}
