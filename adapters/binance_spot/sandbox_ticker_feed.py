"""Streams that tell of a market once a second: tickers, candles, the average price; and all markets' tickers.

Source: Binance spot API, web-socket-streams.md.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from adapters.binance_spot.sandbox_candles import INTERVALS, Candles
from adapters.binance_spot.sandbox_clock import ExchangeClock
from adapters.binance_spot.sandbox_hub import StreamHub
from adapters.binance_spot.sandbox_numbers import WireNumbers
from adapters.binance_spot.sandbox_tickers import Tickers
from mmd.core.units import NANOS_PER_SECOND
from mmd.exchange.market import Market
from mmd.exchange.market_stats import DAY_NS, Window

_HOUR_NS = 3600 * NANOS_PER_SECOND
_ROLLING = {"1h": _HOUR_NS, "4h": 4 * _HOUR_NS, "1d": DAY_NS}
_ZONES = {"": 0, "@+08:00": 8 * _HOUR_NS}
_encode = msgspec.json.Encoder().encode
_Event = Callable[[int, int], dict[str, Any]]
"""An event from the exchange's time and the unit of times, both in ns."""


class TickerFeed:
    """Writes the slow streams of several markets; silent where nobody listens."""

    def __init__(
        self, markets: list[tuple[Market, WireNumbers]], hub: StreamHub, clock: ExchangeClock
    ) -> None:
        self._hub = hub
        self._clock = clock
        self._markets = [_SlowStreams(market, numbers) for market, numbers in markets]
        self._last_ids = dict.fromkeys(self._shared(), [-1] * len(markets))
        self._beat = 0

    def second(self) -> None:
        """Send what is due every second, and every other second."""
        self._beat += 1
        now_ns = self._clock.now_ns()
        for streams in self._markets:
            for stream, event in streams.events.items():
                self._send(stream, event, now_ns)
            for stream, candles in streams.candles.items():
                if self._hub.is_heard(stream) and (candles.is_fast or self._beat % 2 == 0):
                    for window in candles.due(now_ns):
                        self._send(stream, partial(candles.event, window), now_ns)
        for stream, pick in self._shared().items():
            self._send_changed(stream, pick, now_ns)

    def _shared(self) -> dict[str, str]:
        """Streams of all markets, with the per-market stream that they gather."""
        return {
            "!miniTicker@arr": "miniTicker",
            "!miniTicker@arr@1000ms": "miniTicker",
            "!ticker@arr": "ticker",
            **{f"!ticker_{size}@arr": f"ticker_{size}" for size in _ROLLING},
        }

    def _send_changed(self, stream: str, name: str, now_ns: int) -> None:
        """One array of those markets that traded since the last one."""
        if not self._hub.is_heard(stream):
            return
        before = self._last_ids[stream]
        self._last_ids[stream] = [m.last_trade_id for m in self._markets]
        changed = [
            m for m, last in zip(self._markets, before, strict=True) if m.last_trade_id != last
        ]
        if changed:
            events = [m.events[f"{m.prefix}@{name}"] for m in changed]
            self._hub.publish(stream, lambda unit: _encode([e(now_ns, unit) for e in events]))

    def _send(self, stream: str, event: _Event, now_ns: int) -> None:
        if self._hub.is_heard(stream):
            self._hub.publish(stream, lambda unit: _encode(event(now_ns, unit)))


class _CandleStream:
    """A stream of one interval: the candle that grows, and once more each one that has ended."""

    def __init__(self, candles: Candles) -> None:
        self.is_fast = candles.interval == "1s"
        self._candles = candles
        self._growing_ns = -1

    def due(self, now_ns: int) -> list[Window]:
        """Candles to send now."""
        windows = self._candles.all(now_ns)[-2:]
        is_new = bool(windows) and windows[-1].start_ns != self._growing_ns
        if windows:
            self._growing_ns = windows[-1].start_ns
        return windows if is_new else windows[-1:]

    def event(self, window: Window, now_ns: int, unit_ns: int) -> dict[str, Any]:
        """A candle as a message."""
        return self._candles.event(window, now_ns, unit_ns)


class _SlowStreams:
    """One market's slow streams by name."""

    def __init__(self, market: Market, numbers: WireNumbers) -> None:
        self._market = market
        self.prefix = market.instrument.symbol.lower()
        tickers = Tickers(market, numbers)
        self.events: dict[str, _Event] = {
            f"{self.prefix}@miniTicker": tickers.mini_event,
            f"{self.prefix}@ticker": tickers.day_event,
            f"{self.prefix}@avgPrice": tickers.average_event,
        }
        for size, span_ns in _ROLLING.items():
            name = f"{self.prefix}@ticker_{size}"
            self.events[name] = partial(tickers.rolling_event, size, span_ns)
        self.candles = {
            f"{self.prefix}@kline_{interval}{zone}": _CandleStream(
                Candles(market, numbers, interval, offset_ns)
            )
            for interval in INTERVALS
            for zone, offset_ns in _ZONES.items()
        }

    @property
    def last_trade_id(self) -> int:
        """Id of the latest trade."""
        return self._market.book.trade_id
