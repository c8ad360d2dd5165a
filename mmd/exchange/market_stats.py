"""Rolling statistics of an instrument's trades: candles of a second and of a minute, and their sums."""

from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from mmd.core.units import NANOS_PER_SECOND, Side
from mmd.exchange.executions import PublicTrade

SECOND_NS = NANOS_PER_SECOND
MINUTE_NS = 60 * SECOND_NS
DAY_NS = 1440 * MINUTE_NS
_SECONDS_KEPT = 3600
_MINUTES_KEPT = 1440
_AVERAGE_MINUTES = 5


class Window(msgspec.Struct):
    """Trades of a span of time; volumes in lots, and in ticks times lots; bought_* is what takers bought."""

    start_ns: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    qty_lots: int = 0
    ticklots: int = 0
    trades: int = 0
    first_id: int = -1
    last_id: int = -1
    bought_lots: int = 0
    bought_ticklots: int = 0


def quiet(start_ns: int, price_ticks: int) -> Window:
    """A span without trades, at one price."""
    return Window(start_ns, price_ticks, price_ticks, price_ticks, price_ticks)


class MarketStats:
    """The last day's trades by the minute, and the last hour's by the second."""

    def __init__(self) -> None:
        self._minutes: deque[Window] = deque(maxlen=_MINUTES_KEPT)
        self._seconds: deque[Window] = deque(maxlen=_SECONDS_KEPT)

    def record(self, trade: PublicTrade) -> None:
        """Count a trade; times must not go back by more than their bucket."""
        for buckets, span_ns in ((self._minutes, MINUTE_NS), (self._seconds, SECOND_NS)):
            start = trade.ts_ns - trade.ts_ns % span_ns
            if not buckets or buckets[-1].start_ns < start:
                buckets.append(quiet(start, trade.price_ticks))
                buckets[-1].first_id = trade.trade_id
            _count(buckets[-1], trade)

    def average_ticks(self, now_ns: int) -> int:
        """Volume-weighted price of the last five minutes, rounded down; 0 without trades."""
        recent = self._recent(now_ns - _AVERAGE_MINUTES * MINUTE_NS)
        qty = sum(b.qty_lots for b in recent)
        return sum(b.ticklots for b in recent) // qty if qty > 0 else 0

    def day(self, now_ns: int) -> Window | None:
        """All trades of the last 24 hours in one window; None without any."""
        return self.since(now_ns - DAY_NS)

    def since(self, since_ns: int) -> Window | None:
        """All trades of the minutes that reach past a time in one window; None without any."""
        buckets = self._recent(since_ns)
        return _merged(buckets[-1].start_ns, reversed(buckets)) if buckets else None

    def candles(self, start_of: Callable[[int], int], *, by_second: bool = False) -> list[Window]:
        """What is kept, grouped into longer spans, oldest first; spans without trades are left out.

        Args:
            start_of: The start of the span that a time lies in, in ns.
            by_second: Group seconds instead of minutes.
        """
        groups: dict[int, list[Window]] = {}
        for b in self._seconds if by_second else self._minutes:
            groups.setdefault(start_of(b.start_ns), []).append(b)
        return [_merged(start_ns, group) for start_ns, group in groups.items()]

    def _recent(self, since_ns: int) -> list[Window]:
        """Minutes that reach past since_ns, latest first."""
        found = []
        for b in reversed(self._minutes):
            if b.start_ns + MINUTE_NS <= since_ns:
                break
            found.append(b)
        return found


def _count(window: Window, trade: PublicTrade) -> None:
    price, ticklots = trade.price_ticks, trade.price_ticks * trade.qty_lots
    window.high_ticks = max(window.high_ticks, price)
    window.low_ticks = min(window.low_ticks, price)
    window.close_ticks = price
    window.qty_lots += trade.qty_lots
    window.ticklots += ticklots
    window.trades += 1
    window.last_id = trade.trade_id
    if trade.aggressor == Side.BUY:
        window.bought_lots += trade.qty_lots
        window.bought_ticklots += ticklots


def _merged(start_ns: int, parts: Iterable[Window]) -> Window:
    """Windows in order of time as one."""
    ordered = list(parts)
    return Window(
        start_ns=start_ns,
        open_ticks=ordered[0].open_ticks,
        high_ticks=max(b.high_ticks for b in ordered),
        low_ticks=min(b.low_ticks for b in ordered),
        close_ticks=ordered[-1].close_ticks,
        qty_lots=sum(b.qty_lots for b in ordered),
        ticklots=sum(b.ticklots for b in ordered),
        trades=sum(b.trades for b in ordered),
        first_id=ordered[0].first_id,
        last_id=ordered[-1].last_id,
        bought_lots=sum(b.bought_lots for b in ordered),
        bought_ticklots=sum(b.bought_ticklots for b in ordered),
    )
