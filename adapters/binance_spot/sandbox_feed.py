"""One instrument's public streams: depth diffs, partial books, best prices and trades, as Binance writes them.

Source: web-socket-streams.md. Prices and quantities have eight decimals; an event's U is the u before it
plus one, so that a client's chain of ids never breaks.
"""

from functools import partial

from adapters.binance_spot.sandbox_clock import ExchangeClock
from adapters.binance_spot.sandbox_hub import StreamHub
from adapters.binance_spot.sandbox_numbers import WireNumbers
from mmd.core.units import NANOS_PER_SECOND, Side
from mmd.exchange.executions import AggregateTrade, PublicTrade
from mmd.exchange.market import Market

FLUSH_NS = 100_000_000
_PARTIAL = (5, 10, 20)


class _Pending:
    """Levels changed since a depth stream's last event, and the id it ended with."""

    __slots__ = ("changed", "last_id", "sent_ns", "stream")

    def __init__(self, stream: str, last_id: int) -> None:
        self.stream = stream
        self.last_id = last_id
        self.sent_ns = 0
        self.changed: tuple[set[int], set[int]] = (set(), set())


class MarketFeed:
    """Turns a market's changes into stream messages; silent where nobody listens."""

    def __init__(
        self, market: Market, numbers: WireNumbers, hub: StreamHub, clock: ExchangeClock
    ) -> None:
        self._market = market
        self._numbers = numbers
        self._hub = hub
        self._clock = clock
        name = market.instrument.symbol.lower()
        self._symbol = market.instrument.symbol
        self._fast = _Pending(f"{name}@depth@100ms", market.book.update_id)
        self._slow = _Pending(f"{name}@depth", market.book.update_id)
        self._partials = {n: (f"{name}@depth{n}@100ms", f"{name}@depth{n}") for n in _PARTIAL}
        self._partial_sent_ns = dict.fromkeys((s for p in self._partials.values() for s in p), 0)
        self._trade_stream = f"{name}@trade"
        self._aggregate_stream = f"{name}@aggTrade"
        self._ticker_stream = f"{name}@bookTicker"
        self._top: tuple[int, int, int, int] | None = None
        self.is_silent = False
        """An outage: what would be sent is lost, and ids go on, so that clients see the gap."""

    def flush(self) -> None:
        """Send what changed since the last call to @depth@100ms, and what is due to slower streams."""
        book = self._market.book
        dirty = (book.sides[0].dirty, book.sides[1].dirty)
        now_ns = self._clock.now_ns()
        if dirty[0] or dirty[1]:
            for side in Side:
                self._slow.changed[side].update(dirty[side])
            if book.update_id > self._fast.last_id:
                self._send_diff(self._fast, dirty, now_ns)
            dirty[0].clear()
            dirty[1].clear()
            self._send_partials(now_ns)
        slow = self._slow
        if now_ns - slow.sent_ns >= NANOS_PER_SECOND:
            if book.update_id > slow.last_id and (slow.changed[0] or slow.changed[1]):
                self._send_diff(slow, slow.changed, now_ns)
            slow.changed = (set(), set())

    def top(self) -> None:
        """Send the best prices if they changed."""
        if not self._is_heard(self._ticker_stream):
            self._top = None
            return
        bids, asks = self._market.book.sides
        bid, ask = bids.best or 0, asks.best or 0
        top = (bid, bids.displayed(bid), ask, asks.displayed(ask))
        if top == self._top:
            return
        self._top = top
        price, qty = self._numbers.price, self._numbers.qty
        update_id = self._market.book.update_id
        body = (
            f'{{"u":{update_id},"s":"{self._symbol}","b":"{price(top[0])}","B":"{qty(top[1])}",'
            f'"a":"{price(top[2])}","A":"{qty(top[3])}"}}'
        ).encode()
        self._hub.publish(self._ticker_stream, partial(_same, body), update_id)

    def trade(self, trade: PublicTrade) -> None:
        """Send a trade."""
        if not self._is_heard(self._trade_stream):
            return
        now_ns = self._clock.now_ns()
        price, qty = self._numbers.price(trade.price_ticks), self._numbers.qty(trade.qty_lots)
        maker = "true" if trade.aggressor == Side.SELL else "false"
        self._hub.publish(
            self._trade_stream,
            lambda unit: (
                f'{{"e":"trade","E":{now_ns // unit},"s":"{self._symbol}","t":{trade.trade_id},'
                f'"p":"{price}","q":"{qty}","T":{trade.ts_ns // unit},"m":{maker},"M":true}}'
            ).encode(),
            trade.trade_id,
        )

    def aggregate(self, trade: AggregateTrade) -> None:
        """Send an aggregate trade."""
        if not self._is_heard(self._aggregate_stream):
            return
        now_ns = self._clock.now_ns()
        price, qty = self._numbers.price(trade.price_ticks), self._numbers.qty(trade.qty_lots)
        maker = "true" if trade.aggressor == Side.SELL else "false"
        self._hub.publish(
            self._aggregate_stream,
            lambda unit: (
                f'{{"e":"aggTrade","E":{now_ns // unit},"s":"{self._symbol}",'
                f'"a":{trade.aggregate_id},"p":"{price}","q":"{qty}","f":{trade.first_id},'
                f'"l":{trade.last_id},"T":{trade.ts_ns // unit},"m":{maker},"M":true}}'
            ).encode(),
            trade.aggregate_id,
        )

    def _is_heard(self, stream: str) -> bool:
        return not self.is_silent and self._hub.is_heard(stream)

    def _send_diff(
        self, pending: _Pending, changed: tuple[set[int], set[int]], now_ns: int
    ) -> None:
        book = self._market.book
        first, last = pending.last_id + 1, book.update_id
        pending.last_id = last
        pending.sent_ns = now_ns
        if not self._is_heard(pending.stream):
            return
        bids = self._rows(Side.BUY, sorted(changed[0], reverse=True))
        asks = self._rows(Side.SELL, sorted(changed[1]))
        tail = f',"s":"{self._symbol}","U":{first},"u":{last},"b":[{bids}],"a":[{asks}]}}'
        self._hub.publish(
            pending.stream,
            lambda unit: f'{{"e":"depthUpdate","E":{now_ns // unit}{tail}'.encode(),
            last,
        )

    def _rows(self, side: Side, prices: list[int]) -> str:
        levels = self._market.book.sides[side]
        price, qty = self._numbers.price, self._numbers.qty
        return ",".join([f'["{price(p)}","{qty(levels.displayed(p))}"]' for p in prices])

    def _send_partials(self, now_ns: int) -> None:
        book = self._market.book
        for limit, names in self._partials.items():
            for stream, period_ns in zip(names, (FLUSH_NS, NANOS_PER_SECOND), strict=True):
                due = now_ns - self._partial_sent_ns[stream] >= period_ns
                if not due or not self._is_heard(stream):
                    continue
                self._partial_sent_ns[stream] = now_ns
                price, qty = self._numbers.price, self._numbers.qty
                bids, asks = (
                    ",".join([f'["{price(p)}","{qty(q)}"]' for p, q in side.depth(limit)])
                    for side in book.sides
                )
                body = (
                    f'{{"lastUpdateId":{book.update_id},"bids":[{bids}],"asks":[{asks}]}}'.encode()
                )
                self._hub.publish(stream, partial(_same, body), book.update_id)


def _same(body: bytes, _: int) -> bytes:
    """A payload without times."""
    return body
