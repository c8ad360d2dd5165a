"""Rolling statistics by the minute, and candles of longer spans."""

from mmd.core.units import Side
from mmd.exchange.executions import PublicTrade
from mmd.exchange.market_stats import MINUTE_NS, SECOND_NS, MarketStats


def _record(
    stats: MarketStats, ts_ns: int, trade_id: int, price: int, qty: int, side: Side = Side.BUY
) -> None:
    stats.record(
        PublicTrade(
            instrument=0,
            trade_id=trade_id,
            price_ticks=price,
            qty_lots=qty,
            aggressor=side,
            ts_ns=ts_ns,
        )
    )


def test_the_average_is_weighted_and_forgets_after_five_minutes() -> None:
    """Old minutes drop out; without trades there is no average."""
    stats = MarketStats()
    assert stats.average_ticks(0) == 0
    _record(stats, 10 * MINUTE_NS, 1, 100, 1)
    _record(stats, 10 * MINUTE_NS + 1, 2, 200, 3)
    assert stats.average_ticks(10 * MINUTE_NS + 2) == 175
    _record(stats, 14 * MINUTE_NS, 3, 300, 4)
    assert stats.average_ticks(15 * MINUTE_NS) == (100 + 600 + 1200) // 8
    assert stats.average_ticks(17 * MINUTE_NS) == 300


def test_a_day_has_its_first_last_highest_and_lowest() -> None:
    """The window spans the buckets that are still there."""
    stats = MarketStats()
    assert stats.day(0) is None
    for minute, price in enumerate((100, 130, 90, 110)):
        _record(stats, minute * MINUTE_NS, minute + 1, price, 2)
    day = stats.day(5 * MINUTE_NS)
    assert day is not None
    assert (day.open_ticks, day.high_ticks, day.low_ticks, day.close_ticks) == (100, 130, 90, 110)
    assert (day.qty_lots, day.trades, day.first_id, day.last_id) == (8, 4, 1, 4)


def test_candles_group_minutes_and_seconds() -> None:
    """Spans without trades are left out; what takers bought is counted apart."""
    stats = MarketStats()
    for ts_ns, price, side in (
        (0, 100, Side.BUY),
        (SECOND_NS, 105, Side.SELL),
        (MINUTE_NS, 95, Side.BUY),
        (6 * MINUTE_NS, 99, Side.SELL),
    ):
        _record(stats, ts_ns, 1 + ts_ns // SECOND_NS, price, 2, side)
    five = 5 * MINUTE_NS
    candles = stats.candles(lambda t: t - t % five)
    assert [(c.start_ns, c.open_ticks, c.close_ticks, c.trades) for c in candles] == [
        (0, 100, 95, 3),
        (five, 99, 99, 1),
    ]
    assert (candles[0].bought_lots, candles[0].bought_ticklots) == (4, 390)
    seconds = stats.candles(lambda t: t - t % SECOND_NS, by_second=True)
    assert [c.start_ns // SECOND_NS for c in seconds] == [0, 1, 60, 360]
