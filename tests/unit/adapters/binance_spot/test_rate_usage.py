"""Rate-limit reports: from answers and headers, thinned, with their intervals."""

from adapters.binance_spot.rate_usage import RateUsageReports
from adapters.binance_spot.wire import RateLimit
from mmd.core.events import RateUsage

WEIGHT = RateLimit("REQUEST_WEIGHT", "MINUTE", 1, 6_000)
ORDERS = RateLimit("ORDERS", "SECOND", 10, 100)


def used(limit: RateLimit, count: int) -> RateLimit:
    return RateLimit(limit.rate_limit_type, limit.interval, limit.interval_num, limit.limit, count)


def test_answers_are_reported_when_they_tell_something_new():
    """The first report, then steps of a 50th of the limit, and any fall (a new interval)."""
    reports = RateUsageReports("v")
    told = []
    for count in (1, 2, 3, 4, 5, 99, 0, 1):
        told += [e.used for e in reports.from_answer([used(ORDERS, count)], 7)]
    assert told == [1, 3, 5, 99, 0]
    (event,) = reports.from_answer([used(WEIGHT, 20)], 7)
    assert event == RateUsage(7, "v", "REQUEST_WEIGHT", 20, 6_000, 60 * 10**9)


def test_headers_need_a_stated_limit():
    """X-MBX headers in any case; a budget whose limit nobody stated is left out."""
    reports = RateUsageReports("v", [WEIGHT, ORDERS])
    headers = {
        "x-mbx-used-weight-1m": "250",
        "X-MBX-ORDER-COUNT-10S": "4",
        "X-MBX-ORDER-COUNT-1D": "9",
        "X-MBX-USED-WEIGHT": "250",
        "Date": "today",
    }
    events = list(reports.from_headers(headers, 7))
    assert [(e.budget, e.used, e.limit, e.interval_ns) for e in events] == [
        ("REQUEST_WEIGHT", 250, 6_000, 60 * 10**9),
        ("ORDERS", 4, 100, 10 * 10**9),
    ]
    assert list(reports.from_headers(headers, 8)) == []
