"""The generator told as a tape: diffs each period, best prices at each change, every trade."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec
import numpy as np

from mmd.core.instrument import Instrument
from mmd.core.market.record import DIFF, SNAPSHOT, TOP, TRADE
from mmd.core.units import NANOS_PER_SECOND
from mmd.exchange.default_instrument import synthetic_instrument
from mmd.exchange.exchange import Exchange
from mmd.exchange.executions import PublicTrade
from mmd.exchange.flow_interactive import InteractiveFlow
from mmd.exchange.order_book import OrderBook
from mmd.exchange.presets import FlowPreset
from mmd.tape.format import AGGRESSOR_KNOWN, EMPTY, LAST_IN_FRAME, ROW, Rows

_BATCH = 1 << 16
_Row = tuple[int, int, int, int, int, int, int, int, int, int, int]


def preset_instrument(
    preset: FlowPreset, symbol: str = "GENUSDT", venue: str = "generated"
) -> Instrument:
    """An instrument on the preset's grid, without fees or a smallest notional."""
    made = synthetic_instrument(symbol, venue, 0.0, 0.0)
    return msgspec.structs.replace(
        made, tick_size=preset.tick_size, lot_size=preset.lot_size, notional_min=Decimal(0)
    )


def generate_rows(
    preset: FlowPreset,
    seed: int,
    span_s: float,
    *,
    diff_period_ns: int = NANOS_PER_SECOND // 10,
    has_tops: bool = True,
    warm_up_s: float = 30.0,
) -> Iterator[Rows]:
    """Yield batches of whole frames of a generated market, times counted from 0.

    Args:
        preset: what generates.
        seed: of all its randomness.
        span_s: time to generate after the warm-up.
        diff_period_ns: how often changes are published, netted.
        has_tops: whether each change of the best prices is published at once.
        warm_up_s: time that the opening book is given to settle before the first row.
    """
    exchange = Exchange([preset_instrument(preset)], {})
    market = exchange.markets[0]
    start_ns = -round(warm_up_s * NANOS_PER_SECOND)
    flow = InteractiveFlow(preset, seed, exchange, market, start_ns)
    flow.advance(0)
    teller = _Teller(market.book)
    rows = teller.snapshot(0)
    end_ns, due_ns = round(span_s * NANOS_PER_SECOND), diff_period_ns
    while due_ns <= end_ns:
        while (now_ns := flow.next_ns) <= due_ns:
            for event in flow.step():
                if isinstance(event, PublicTrade):
                    rows.append(_trade(event))
            if has_tops:
                rows += teller.top(now_ns)
        rows += teller.diff(due_ns)
        due_ns += diff_period_ns
        if len(rows) >= _BATCH:
            yield np.array(rows, ROW)
            rows = []
    if rows:
        yield np.array(rows, ROW)


class _Teller:
    """Tells a book's changes as rows."""

    def __init__(self, book: OrderBook) -> None:
        self._book = book
        self._top: tuple[int | None, int, int | None, int] = (None, 0, None, 0)
        self._last_id = book.update_id

    def snapshot(self, now_ns: int) -> list[_Row]:
        """The whole book."""
        rows = [
            _row(SNAPSHOT, now_ns, side.side, price, side.displayed(price), self._last_id)
            for side in self._book.sides
            for price in side.prices()
        ]
        for side in self._book.sides:
            side.dirty.clear()
        return _framed(rows, SNAPSHOT, now_ns, self._last_id)

    def diff(self, now_ns: int) -> list[_Row]:
        """What changed since the last call."""
        last = self._book.update_id
        rows = [
            _row(DIFF, now_ns, side.side, price, side.displayed(price), last, self._last_id)
            for side in self._book.sides
            for price in sorted(side.dirty)
        ]
        for side in self._book.sides:
            side.dirty.clear()
        framed = _framed(rows, DIFF, now_ns, last, self._last_id)
        self._last_id = last
        return framed

    def top(self, now_ns: int) -> list[_Row]:
        """The best prices, if they are others than at the last call."""
        bids, asks = self._book.sides
        bid, ask = bids.best, asks.best
        top = (
            bid,
            0 if bid is None else bids.displayed(bid),
            ask,
            0 if ask is None else asks.displayed(ask),
        )
        if top == self._top:
            return []
        self._top = top
        last = self._book.update_id
        rows = [
            _row(TOP, now_ns, 0, bid or 0, top[1], last),
            _row(TOP, now_ns, 1, ask or 0, top[3], last),
        ]
        return _framed(rows, TOP, now_ns, last)


def _trade(trade: PublicTrade) -> _Row:
    flags = LAST_IN_FRAME | AGGRESSOR_KNOWN
    at, number = trade.ts_ns, trade.trade_id
    return (
        at,
        at,
        number,
        number,
        0,
        trade.price_ticks,
        trade.qty_lots,
        0,
        TRADE,
        flags,
        trade.aggressor,
    )


def _row(
    kind: int, now_ns: int, side: int, price: int, lots: int, last: int, prev: int = 0
) -> _Row:
    return (now_ns, now_ns, prev + 1, last, prev, price, lots, 0, kind, 0, side)


def _framed(rows: list[_Row], kind: int, now_ns: int, last: int, prev: int = 0) -> list[_Row]:
    """Mark the last row of a frame; a frame without levels gets a row that says so."""
    if not rows:
        rows = [(now_ns, now_ns, prev + 1, last, prev, 0, 0, 0, kind, EMPTY, 0)]
    *head, tail = rows
    return [*head, (*tail[:9], tail[9] | LAST_IN_FRAME, tail[10])]
