"""Klines: the venue's intervals, time zones, and candles without holes.

Source: Binance spot API, rest-api.md, "Kline/Candlestick data".
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from adapters.binance_spot.sandbox_errors import ApiError
from adapters.binance_spot.sandbox_numbers import WireNumbers, text_of_atoms
from mmd.core.units import NANOS_PER_SECOND
from mmd.exchange.market import Market
from mmd.exchange.market_stats import DAY_NS, Window, quiet

_MINUTE_NS = 60 * NANOS_PER_SECOND
_HOUR_NS = 60 * _MINUTE_NS
_MONDAY_NS = 4 * DAY_NS
"""The first Monday after 1970-01-01."""
MONTH = "1M"
SPANS_NS = {
    "1s": NANOS_PER_SECOND,
    **{f"{n}m": n * _MINUTE_NS for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": n * _HOUR_NS for n in (1, 2, 4, 6, 8, 12)},
    "1d": DAY_NS,
    "3d": 3 * DAY_NS,
    "1w": 7 * DAY_NS,
}
INTERVALS = (*SPANS_NS, MONTH)
_ZONE = re.compile(r"([+-]?)(\d{1,2})(?::(\d{2}))?")
_ZONE_MIN, _ZONE_MAX = -12 * _HOUR_NS, 14 * _HOUR_NS


def zone_ns(text: str | None) -> int:
    """A timeZone parameter like 8, -1:00 or 05:45. Raises: ApiError -1130."""
    if text is None:
        return 0
    match = _ZONE.fullmatch(text)
    if match is not None:
        size = int(match[2]) * _HOUR_NS + int(match[3] or 0) * _MINUTE_NS
        offset = -size if match[1] == "-" else size
        if _ZONE_MIN <= offset <= _ZONE_MAX:
            return offset
    raise ApiError(-1130, "Data sent for parameter 'timeZone' is not valid.")


class Candles:
    """One market's candles of one interval, in one time zone.

    Raises: ApiError -1120 for an interval that the venue does not have.
    """

    def __init__(self, market: Market, numbers: WireNumbers, interval: str, zone: int = 0) -> None:
        if interval not in INTERVALS:
            raise ApiError(-1120, "Invalid interval.")
        self.interval = interval
        self._market = market
        self._numbers = numbers
        self._zone = zone
        self.start_of: Callable[[int], int] = self._month_of if interval == MONTH else self._span_of

    def all(self, now_ns: int) -> list[Window]:
        """Every candle from the first trade that is kept until now, quiet ones included."""
        known = self._market.stats.candles(self.start_of, by_second=self.interval == "1s")
        if not known:
            return []
        by_start = {window.start_ns: window for window in known}
        filled = [known[0]]
        start_ns, last_ns = known[0].start_ns, self.start_of(now_ns)
        while (start_ns := self.end_of(start_ns)) <= last_ns:
            filled.append(by_start.get(start_ns) or quiet(start_ns, filled[-1].close_ticks))
        return filled

    def end_of(self, start_ns: int) -> int:
        """When the candle after the one that starts then starts."""
        if self.interval == MONTH:
            return self.start_of(start_ns + 32 * DAY_NS)
        return start_ns + SPANS_NS[self.interval]

    def row(self, window: Window) -> list[Any]:
        """A candle as REST has it."""
        text = self._texts(window)
        return [
            window.start_ns // 1_000_000,
            *(text[k] for k in "ohlcv"),
            self.end_of(window.start_ns) // 1_000_000 - 1,
            text["q"],
            window.trades,
            text["V"],
            text["Q"],
            "0",
        ]

    def event(self, window: Window, now_ns: int, unit_ns: int) -> dict[str, Any]:
        """A candle as the stream has it, times in units of unit_ns."""
        end_ns = self.end_of(window.start_ns)
        symbol = self._market.instrument.symbol
        return {
            "e": "kline",
            "E": now_ns // unit_ns,
            "s": symbol,
            "k": {
                "t": window.start_ns // unit_ns,
                "T": end_ns // unit_ns - 1,
                "s": symbol,
                "i": self.interval,
                "f": window.first_id,
                "L": window.last_id,
                **self._texts(window),
                "n": window.trades,
                "x": now_ns >= end_ns,
                "B": "0",
            },
        }

    def _texts(self, window: Window) -> dict[str, str]:
        price, qty, value = self._numbers.price, self._numbers.qty, self._market.value
        return {
            "o": price(window.open_ticks),
            "c": price(window.close_ticks),
            "h": price(window.high_ticks),
            "l": price(window.low_ticks),
            "v": qty(window.qty_lots),
            "q": text_of_atoms(value.quote_atoms(window.ticklots)),
            "V": qty(window.bought_lots),
            "Q": text_of_atoms(value.quote_atoms(window.bought_ticklots)),
        }

    def _span_of(self, ts_ns: int) -> int:
        origin = _MONDAY_NS if self.interval == "1w" else 0
        local = ts_ns + self._zone - origin
        return ts_ns - local % SPANS_NS[self.interval]

    def _month_of(self, ts_ns: int) -> int:
        local = datetime.fromtimestamp((ts_ns + self._zone) // NANOS_PER_SECOND, UTC)
        first = local.replace(day=1, hour=0, minute=0, second=0)
        return int(first.timestamp()) * NANOS_PER_SECOND - self._zone
