"""Price statistics of a span of time, as REST and as the ticker streams write them.

Source: Binance spot API, rest-api.md, "24hr ticker", "Trading Day Ticker", "Rolling window";
web-socket-streams.md.
"""

from typing import Any

from adapters.binance_spot.sandbox_numbers import WireNumbers, text_of_atoms
from mmd.exchange.market import Market
from mmd.exchange.market_stats import DAY_NS, MINUTE_NS, Window, quiet

Json = dict[str, Any]
_MS = 1_000_000
_LONG = {
    "openPrice": "o",
    "highPrice": "h",
    "lowPrice": "l",
    "lastPrice": "c",
    "volume": "v",
    "quoteVolume": "q",
    "openTime": "O",
    "closeTime": "C",
    "firstId": "F",
    "lastId": "L",
    "count": "n",
}
_CHANGES = {"priceChange": "p", "priceChangePercent": "P", "weightedAvgPrice": "w"}


class Tickers:
    """Statistics of one market."""

    def __init__(self, market: Market, numbers: WireNumbers) -> None:
        self._market = market
        self._numbers = numbers

    @property
    def last_ticks(self) -> int:
        """Price of the last trade; the mid, or 0, before the first."""
        if self._market.book.last_price_ticks > 0:
            return self._market.book.last_price_ticks
        return self._market.reference_ticks(0)

    def window(self, since_ns: int) -> Window:
        """Trades since a time; a quiet span at the last price without any."""
        found = self._market.stats.since(since_ns)
        return quiet(since_ns, self.last_ticks) if found is None else found

    def book(self) -> Json:
        """Best bid and ask with their quantities."""
        answer: Json = {}
        for side, name in zip(self._market.book.sides, ("bid", "ask"), strict=True):
            best = side.best
            answer[f"{name}Price"] = self._numbers.price(best or 0)
            answer[f"{name}Qty"] = self._numbers.qty(0 if best is None else side.displayed(best))
        return answer

    def day(self, now_ns: int, *, is_mini: bool) -> Json:
        """The last 24 hours."""
        answer = self.span(now_ns - DAY_NS, now_ns, is_mini=is_mini)
        if is_mini:
            return answer
        last = self._market.trades[-1].qty_lots if self._market.trades else 0
        return (
            answer
            | {"prevClosePrice": answer["openPrice"], "lastQty": self._numbers.qty(last)}
            | self.book()
        )

    def rolling(self, span_ns: int, now_ns: int, *, is_mini: bool) -> Json:
        """A span that ends now and starts on a whole minute."""
        start_ns = now_ns - span_ns
        return self.span(start_ns - start_ns % MINUTE_NS, now_ns, is_mini=is_mini)

    def span(self, open_ns: int, close_ns: int, *, is_mini: bool) -> Json:
        """From one time to another, in REST's words."""
        short = self._short(open_ns, close_ns, _MS)
        names = _LONG if is_mini else _CHANGES | _LONG
        return {"symbol": self._market.instrument.symbol} | {k: short[v] for k, v in names.items()}

    def mini_event(self, now_ns: int, unit_ns: int) -> Json:
        """A 24hrMiniTicker event."""
        short = self._short(now_ns - DAY_NS, now_ns, unit_ns)
        return self._head("24hrMiniTicker", now_ns, unit_ns) | {k: short[k] for k in "cohlvq"}

    def day_event(self, now_ns: int, unit_ns: int) -> Json:
        """A 24hrTicker event."""
        short = self._short(now_ns - DAY_NS, now_ns, unit_ns)
        book = self.book()
        last = self._market.trades[-1].qty_lots if self._market.trades else 0
        extra = {
            "x": short["o"],
            "Q": self._numbers.qty(last),
            "b": book["bidPrice"],
            "B": book["bidQty"],
            "a": book["askPrice"],
            "A": book["askQty"],
        }
        return self._head("24hrTicker", now_ns, unit_ns) | short | extra

    def rolling_event(self, size: str, span_ns: int, now_ns: int, unit_ns: int) -> Json:
        """A 1hTicker, 4hTicker or 1dTicker event."""
        start_ns = now_ns - span_ns
        short = self._short(start_ns - start_ns % MINUTE_NS, now_ns, unit_ns)
        return self._head(f"{size}Ticker", now_ns, unit_ns) | short

    def average_event(self, now_ns: int, unit_ns: int) -> Json:
        """An avgPrice event."""
        last_ns = self._market.trades[-1].ts_ns if self._market.trades else now_ns
        price = self._numbers.price(self._market.reference_ticks(now_ns))
        head = self._head("avgPrice", now_ns, unit_ns)
        return head | {"i": "5m", "w": price, "T": last_ns // unit_ns}

    def _head(self, kind: str, now_ns: int, unit_ns: int) -> Json:
        return {"e": kind, "E": now_ns // unit_ns, "s": self._market.instrument.symbol}

    def _short(self, open_ns: int, close_ns: int, unit_ns: int) -> Json:
        """Everything about a span under the streams' letters."""
        w, price = self.window(open_ns), self._numbers.price
        average = w.ticklots // w.qty_lots if w.qty_lots > 0 else w.close_ticks
        change = w.close_ticks - w.open_ticks
        percent = 100.0 * change / w.open_ticks if w.open_ticks > 0 else 0.0
        return {
            "p": ("-" if change < 0 else "") + price(abs(change)),
            "P": f"{percent:.3f}",
            "w": price(average),
            "o": price(w.open_ticks),
            "h": price(w.high_ticks),
            "l": price(w.low_ticks),
            "c": price(w.close_ticks),
            "v": self._numbers.qty(w.qty_lots),
            "q": text_of_atoms(self._market.value.quote_atoms(w.ticklots)),
            "O": open_ns // unit_ns,
            "C": close_ns // unit_ns,
            "F": w.first_id,
            "L": w.last_id,
            "n": w.trades,
        }
