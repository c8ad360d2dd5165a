"""Weights and order counts by fixed windows."""

import pytest

from adapters.binance_spot.sandbox_errors import ApiError
from adapters.binance_spot.sandbox_limits import RateLimits

SECOND = 1_000_000_000


def test_the_weight_of_a_minute_runs_out_and_comes_back() -> None:
    """429 with -1003 and the seconds to wait; the next minute is free again."""
    limits = RateLimits(10, weight_per_minute=50)
    limits.charge(50, 10 * SECOND)
    with pytest.raises(ApiError) as caught:
        limits.charge(1, 15 * SECOND)
    assert (caught.value.code, caught.value.status, caught.value.retry_after_s) == (-1003, 429, 45)
    limits.charge(1, 60 * SECOND)
    assert limits.headers(61 * SECOND)["X-MBX-USED-WEIGHT-1M"] == "1"


def test_orders_are_counted_for_ten_seconds_and_forgiven_when_they_trade() -> None:
    """-1015 names the limit and the interval."""
    limits = RateLimits(2)
    limits.count_order(SECOND)
    limits.count_order(2 * SECOND)
    with pytest.raises(ApiError) as caught:
        limits.count_order(3 * SECOND)
    assert caught.value.msg == "Too many new orders; current limit is 2 orders per 10 SECOND."
    assert (caught.value.code, caught.value.retry_after_s) == (-1015, 7)
    limits.forgive_orders(1)
    limits.count_order(4 * SECOND)
    limits.count_order(10 * SECOND)
    assert [u["count"] for u in limits.usage(10 * SECOND)] == [0, 1, 3]
