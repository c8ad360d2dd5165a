"""Rolling statistics of an instrument's trades, in one-minute buckets over a day."""

from collections import deque

import msgspec

_MINUTE_NS = 60_000_000_000
_DAY_MINUTES = 1440
_AVERAGE_MINUTES = 5


class Window(msgspec.Struct):
    """Trades of a span of time; volumes in lots, and in ticks times lots."""

    start_ns: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    qty_lots: int
    ticklots: int
    trades: int
    first_id: int
    last_id: int


class MarketStats:
    """The last day's trades, forgotten minute by minute."""

    def __init__(self) -> None:
        self._buckets: deque[Window] = deque(maxlen=_DAY_MINUTES)

    def record(self, ts_ns: int, trade_id: int, price_ticks: int, qty_lots: int) -> None:
        """Count a trade; times must not go back by more than their bucket."""
        start = ts_ns - ts_ns % _MINUTE_NS
        ticklots = price_ticks * qty_lots
        if not self._buckets or self._buckets[-1].start_ns < start:
            p = price_ticks
            self._buckets.append(
                Window(start, p, p, p, p, qty_lots, ticklots, 1, trade_id, trade_id)
            )
            return
        b = self._buckets[-1]
        b.high_ticks = max(b.high_ticks, price_ticks)
        b.low_ticks = min(b.low_ticks, price_ticks)
        b.close_ticks = price_ticks
        b.qty_lots += qty_lots
        b.ticklots += ticklots
        b.trades += 1
        b.last_id = trade_id

    def average_ticks(self, now_ns: int) -> int:
        """Volume-weighted price of the last five minutes, rounded down; 0 without trades."""
        since = now_ns - _AVERAGE_MINUTES * _MINUTE_NS
        recent = self._recent(since)
        qty = sum(b.qty_lots for b in recent)
        return sum(b.ticklots for b in recent) // qty if qty > 0 else 0

    def day(self, now_ns: int) -> Window | None:
        """All trades of the last 24 hours in one window; None without any."""
        buckets = self._recent(now_ns - _DAY_MINUTES * _MINUTE_NS)
        if not buckets:
            return None
        return Window(
            start_ns=buckets[-1].start_ns,
            open_ticks=buckets[-1].open_ticks,
            high_ticks=max(b.high_ticks for b in buckets),
            low_ticks=min(b.low_ticks for b in buckets),
            close_ticks=buckets[0].close_ticks,
            qty_lots=sum(b.qty_lots for b in buckets),
            ticklots=sum(b.ticklots for b in buckets),
            trades=sum(b.trades for b in buckets),
            first_id=buckets[-1].first_id,
            last_id=buckets[0].last_id,
        )

    def _recent(self, since_ns: int) -> list[Window]:
        """Buckets that reach past since_ns, latest first."""
        found = []
        for b in reversed(self._buckets):
            if b.start_ns + _MINUTE_NS <= since_ns:
                break
            found.append(b)
        return found
