"""Rolling statistics by the minute."""

from mmd.exchange.market_stats import MarketStats

MINUTE = 60_000_000_000


def test_the_average_is_weighted_and_forgets_after_five_minutes() -> None:
    """Old minutes drop out; without trades there is no average."""
    stats = MarketStats()
    assert stats.average_ticks(0) == 0
    stats.record(10 * MINUTE, 1, 100, 1)
    stats.record(10 * MINUTE + 1, 2, 200, 3)
    assert stats.average_ticks(10 * MINUTE + 2) == 175
    stats.record(14 * MINUTE, 3, 300, 4)
    assert stats.average_ticks(15 * MINUTE) == (100 + 600 + 1200) // 8
    assert stats.average_ticks(17 * MINUTE) == 300


def test_a_day_has_its_first_last_highest_and_lowest() -> None:
    """The window spans the buckets that are still there."""
    stats = MarketStats()
    assert stats.day(0) is None
    for minute, price in enumerate((100, 130, 90, 110)):
        stats.record(minute * MINUTE, minute + 1, price, 2)
    day = stats.day(5 * MINUTE)
    assert day is not None
    assert (day.open_ticks, day.high_ticks, day.low_ticks, day.close_ticks) == (100, 130, 90, 110)
    assert (day.qty_lots, day.trades, day.first_id, day.last_id) == (8, 4, 1, 4)
