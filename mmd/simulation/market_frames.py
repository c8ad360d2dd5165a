"""What a simulated venue publishes of a market, as packed market records.

Diffs cover a range of update ids and follow each other without a hole, as at a real venue; tops state no time of
their own, trades do. A frame is an array of integers in the layout of `mmd.core.market.record.pack`; who receives
it writes the time of receipt and its own number of the instrument into it.
"""

from array import array
from typing import TypeAlias

from mmd.core.market.record import DIFF, PARTIAL, SNAPSHOT, TOP, TRADE
from mmd.core.units import Side
from mmd.exchange.executions import PublicTrade
from mmd.exchange.market import Market

Frame: TypeAlias = "array[int]"
SNAPSHOT_LEVELS = 1_000
PARTIAL_LEVELS = 20
_SIDE_BIT = 8
_INSTRUMENT_BIT = 16
_TS_RECV = 2
_KIND_BITS = 0xFFFF


def receive(frame: Frame, instrument: int, ts_recv_ns: int) -> Frame:
    """A receiver's own copy of a frame."""
    copy = frame[:]
    copy[0] = copy[0] & _KIND_BITS | instrument << _INSTRUMENT_BIT
    copy[_TS_RECV] = ts_recv_ns
    return copy


class MarketFrames:
    """Makes one market's frames; nothing here knows who listens."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._last_id = market.book.update_id
        self._top: tuple[int, int, int, int] | None = None
        self._top_id = -1

    def diff(self, now_ns: int) -> "Frame | None":
        """Levels changed since the last call; None where nothing did."""
        book = self._market.book
        first, last = self._last_id + 1, book.update_id
        changed = [(s, sorted(s.dirty)) for s in book.sides]
        if last < first or not any(prices for _, prices in changed):
            return None
        self._last_id = last
        frame = _frame(DIFF, now_ns, first, last, *(len(prices) for _, prices in changed))
        for side, prices in changed:
            for price in prices:
                frame.append(price)
                frame.append(side.displayed(price))
            side.dirty.clear()
        return frame

    def snapshot(self, now_ns: int) -> Frame:
        """The book as it stands."""
        return self._depth(SNAPSHOT, SNAPSHOT_LEVELS, now_ns)

    def partial(self, now_ns: int) -> Frame:
        """The best levels, to check a book against."""
        return self._depth(PARTIAL, PARTIAL_LEVELS, now_ns)

    def top(self) -> "Frame | None":
        """Best bid and ask where they changed since the last call; a side without quantity is empty."""
        update_id = self._market.book.update_id
        if update_id == self._top_id:
            return None
        self._top_id = update_id
        bids, asks = self._market.book.sides
        bid, ask = bids.best or 0, asks.best or 0
        top = (bid, bids.displayed(bid), ask, asks.displayed(ask))
        if top == self._top:
            return None
        self._top = top
        frame = _frame(TOP, 0, 0, update_id, 1, 1)
        frame.extend(top)
        return frame

    def trade(self, trade: PublicTrade) -> Frame:
        """A print."""
        frame = _frame(TRADE, trade.ts_ns, trade.trade_id, 0, 1, 0, trade.aggressor)
        frame.extend((trade.price_ticks, trade.qty_lots))
        return frame

    def _depth(self, kind: int, limit: int, now_ns: int) -> Frame:
        bids, asks = (side.depth(limit) for side in self._market.book.sides)
        frame = _frame(kind, now_ns, 0, self._market.book.update_id, len(bids), len(asks))
        for price, lots in bids + asks:
            frame.append(price)
            frame.append(lots)
        return frame


def _frame(
    kind: int, ts_event_ns: int, first: int, last: int, bids: int, asks: int, side: int = Side.BUY
) -> Frame:
    prev = first - 1 if kind == DIFF else 0
    head = (kind | side << _SIDE_BIT, ts_event_ns, 0, first, last, prev, bids, asks, 0)
    return array("q", head)
