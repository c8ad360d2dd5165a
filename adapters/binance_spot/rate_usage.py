"""What the venue says is used of its budgets, thinned to the reports that tell something new."""

import re
from collections.abc import Iterable, Iterator, Mapping

from adapters.binance_spot.wire import RateLimit
from mmd.core.events import RateUsage
from mmd.core.units import NANOS_PER_SECOND

_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3_600, "DAY": 86_400}
_LETTERS = {"S": "SECOND", "M": "MINUTE", "H": "HOUR", "D": "DAY"}
_HEADERS = (
    (re.compile(r"x-mbx-used-weight-(\d+)([smhd])", re.IGNORECASE), "REQUEST_WEIGHT"),
    (re.compile(r"x-mbx-order-count-(\d+)([smhd])", re.IGNORECASE), "ORDERS"),
)
_STEPS = 50
"""A budget is reported again when its use has changed by a 50th of the limit, or has fallen."""


class RateUsageReports:
    """Remembers what was reported last of each budget, so that not every answer makes three events."""

    def __init__(self, venue: str, limits: Iterable[RateLimit] = ()) -> None:
        """`limits` as in exchangeInfo: headers state the use only."""
        self._venue = venue
        self._limits = {_key(limit): limit.limit for limit in limits}
        self._reported: dict[tuple[str, str, int], int] = {}

    def from_answer(self, limits: Iterable[RateLimit], ts_ns: int) -> Iterator[RateUsage]:
        """Budgets in a WebSocket API answer."""
        for limit in limits:
            yield from self._report(_key(limit), limit.count, limit.limit, ts_ns)

    def from_headers(self, headers: Mapping[str, str], ts_ns: int) -> Iterator[RateUsage]:
        """Budgets in a REST answer's X-MBX headers, where exchangeInfo has stated their limits."""
        for name, value in headers.items():
            for pattern, budget in _HEADERS:
                match = pattern.fullmatch(name)
                if match is not None and value.isdigit():
                    key = (budget, _LETTERS[match[2].upper()], int(match[1]))
                    if key in self._limits:
                        yield from self._report(key, int(value), self._limits[key], ts_ns)

    def _report(
        self, key: tuple[str, str, int], used: int, limit: int, ts_ns: int
    ) -> Iterator[RateUsage]:
        last = self._reported.get(key)
        if last is not None and last <= used < last + max(1, limit // _STEPS):
            return
        self._reported[key] = used
        budget, interval, count = key
        interval_ns = count * _SECONDS.get(interval, 0) * NANOS_PER_SECOND
        yield RateUsage(ts_ns, self._venue, budget, used, limit, interval_ns)


def _key(limit: RateLimit) -> tuple[str, str, int]:
    return limit.rate_limit_type, limit.interval, limit.interval_num
