"""The maker of `hftbacktest_client`, on our own fill core: the same rule, latencies and queue model."""

import time
from typing import NamedTuple

import numpy as np

from mmd.backtest.feed import FILLED, FRAME, NEVER
from mmd.backtest.in_flight import InFlight
from mmd.backtest.settings import BacktestSettings
from mmd.backtest.tape_feed import TapeFeed
from mmd.core.commands import CancelOrder, PlaceOrder
from mmd.core.events import Event, Fill, OrderAccepted, OrderEnded, OrderRejected
from mmd.core.market import book as books
from mmd.core.market.record import DIFF, SNAPSHOT
from mmd.core.units import ATOMS_PER_UNIT, ClientOrderId, InstrumentId, Side, TimeInForce
from mmd.exchange.fills.fill_exchange import FillExchange
from mmd.exchange.fills.latency import new_latency
from mmd.exchange.fills.record import queue_model
from mmd.jit.kernel import bind, new
from mmd.tape.reader import Tape

PERIOD_NS = 1_000_000_000
ZERO = InstrumentId(0)


class _Order:
    """An order as the maker knows it."""

    def __init__(self, side: Side, price_ticks: int) -> None:
        self.side, self.price_ticks = side, price_ticks
        self.is_cancellable = False


class MakerRun(NamedTuple):
    """What came of it: (exchange ns, side, price ticks) of each fill, and the position in lots."""

    fills: list[tuple[int, int, int]]
    position_lots: int
    seconds: float
    rows: int


class FillCoreMaker:
    """One lot at the best price of each side, looked at once a second.

    What was taken is forgotten at once, because hftbacktest has no memory of it.
    """

    def __init__(self, tape: Tape, settings: BacktestSettings) -> None:
        rng = np.random.default_rng(1)
        at = tape.header.instrument
        plenty = {at.base: 10**9 * ATOMS_PER_UNIT, at.quote: 10**9 * ATOMS_PER_UNIT}
        self._exchange = FillExchange(
            at, plenty, model=queue_model(settings.queue), exponent=settings.queue_exponent
        )
        self._feed = TapeFeed(tape, self._exchange, new_latency(settings.feed, rng))
        self._in_flight = InFlight(settings, rng)
        self._book = new(books.BOOK)
        self._apply = bind(books.apply, self._book, self._feed.market)
        bind(books.reset, self._book)(self._book)
        self._orders: dict[int, _Order] = {}
        self._number = 0
        self._rows = tape.header.counts.rows
        self.fills: list[tuple[int, int, int]] = []
        self.position_lots = 0

    def run(self, first_ns: int) -> MakerRun:
        """Play the tape; looks come every second from first_ns on."""
        began_s = time.perf_counter()
        look_ns, in_flight = first_ns + PERIOD_NS, self._in_flight
        while True:
            self._exchange.fills["n_taken"] = 0
            until_ns = min(in_flight.entry_due_ns, in_flight.response_due_ns, look_ns)
            code = self._feed.advance(until_ns)
            if code == FRAME:
                if self._feed.market["kind"][0] in (DIFF, SNAPSHOT):
                    self._apply(self._book, self._feed.market)
            elif code == FILLED:
                for event in self._exchange.collect():
                    in_flight.answer(event)
            elif in_flight.entry_due_ns <= until_ns:
                for event in self._exchange.receive(in_flight.next_request(), until_ns):
                    in_flight.answer(event)
            elif in_flight.response_due_ns <= until_ns:
                self._learn(in_flight.next_answer())
            elif self._feed.due_ns == NEVER:
                break
            else:
                self._look(look_ns)
                look_ns += PERIOD_NS
        return MakerRun(self.fills, self.position_lots, time.perf_counter() - began_s, self._rows)

    def _learn(self, event: Event) -> None:
        match event:
            case OrderAccepted():
                self._orders[event.client_order_id].is_cancellable = True
            case OrderRejected() | OrderEnded():
                self._orders.pop(event.client_order_id, None)
            case Fill():
                self.fills.append((event.ts_event_ns, int(event.side), event.price_ticks))
                self.position_lots += event.side.sign * event.qty_lots
                self._orders.pop(event.client_order_id, None)
            case _:
                pass

    def _look(self, now_ns: int) -> None:
        book = self._book[0]
        bid, ask = int(book["px"][0, 0]), int(book["px"][1, 0])
        found = set()
        for number, order in self._orders.items():
            found.add(order.side)
            if order.is_cancellable and order.price_ticks != (bid if order.side == 0 else ask):
                order.is_cancellable = False
                self._in_flight.send(CancelOrder(ZERO, ClientOrderId(number)), now_ns)
        if bid >= ask:
            return
        for side, price in zip(Side, (bid, ask), strict=True):
            if side in found:
                continue
            self._number += 1
            number = ClientOrderId(self._number)
            self._orders[number] = _Order(side, price)
            self._in_flight.send(
                PlaceOrder(ZERO, number, side, price, 1, TimeInForce.POST_ONLY), now_ns
            )
