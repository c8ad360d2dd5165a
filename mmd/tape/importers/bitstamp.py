"""Bitstamp's order-by-order log: lines `<local ms> <kind> <json>` of order_created, _changed, _deleted, trade, order_book.

Orders become order events: who stands where in the queue. The book on the tape is the venue's own, out of the
order_book messages (its best levels every few seconds). A change that shrinks an order, or a deletion with
nothing left, is an execution. A trade names no side: the later of the two orders that were executed just
before it, for its quantity, is the aggressor; where they are not found the side is unknown.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import msgspec

from mmd.core.instrument import Instrument
from mmd.core.market.record import TRADE
from mmd.tape.format import ORDER_ADD, ORDER_DELETE, ORDER_EXECUTE, ORDER_MODIFY
from mmd.tape.importers.decimals import Numbers
from mmd.tape.importers.depth_diff import DepthDiff
from mmd.tape.importers.frame_rows import UNKNOWN_SIDE, Frame, Levels
from mmd.tape.importers.meter import Meter
from mmd.tape.importers.options import ImportOptions, found_instrument
from mmd.tape.importers.pairs import split_pair
from mmd.tape.importers.places import Places
from mmd.tape.importers.source import Source
from mmd.tape.importers.text_lines import byte_lines
from mmd.tape.importers.two_pass import Nature, parsed, two_pass

_SYMBOL = "BTCUSD"
_NS_PER_MS = 1_000_000
_QTY_DECIMALS = 8
_RECENT_EXECUTIONS = 16
_ORDER_KINDS = ("order_created", "order_changed", "order_deleted")


class _Order(msgspec.Struct):
    price: str
    amount: str
    id: int
    order_type: int
    """0 buys, 1 sells."""


class _Trade(msgspec.Struct):
    price: float
    amount: float
    id: int


class _Book(msgspec.Struct):
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


_orders = msgspec.json.Decoder(_Order)
_trades = msgspec.json.Decoder(_Trade)
_books = msgspec.json.Decoder(_Book)


class _Execution(NamedTuple):
    """A part of an order that was filled."""

    order_id: int
    side: int
    lots: int


def open_bitstamp(files: Sequence[Path], options: ImportOptions, meter: Meter) -> Source:
    """Logs that follow each other; --symbol where it is not BTCUSD.

    Raises:
        TapeError: A line that is not as above.
    """
    places = Places(files)

    def read(numbers: Numbers, left_out: Counter[str]) -> Iterator[Frame]:
        log = _Log(numbers, left_out)
        for n, path in enumerate(files):
            lines = (
                (number, (places.at(n, number), line)) for number, line in byte_lines(path, meter)
            )
            yield from parsed(path, lines, log.parse)

    def describe(tick: Decimal, lot: Decimal) -> Instrument:
        symbol = options.symbol or _SYMBOL
        base, quote = split_pair(symbol)
        return found_instrument("bitstamp", symbol, base, quote, tick, lot)

    return two_pass(Nature("bitstamp", has_recv_time=True), places, options, meter, read, describe)


class _Log:
    """What lines mean depends on the orders that came before."""

    def __init__(self, numbers: Numbers, left_out: Counter[str]) -> None:
        self._numbers = numbers
        self._left_out = left_out
        self._depth = DepthDiff()
        self._orders: dict[int, tuple[int, int]] = {}
        """Price and lots left, by order id; price 0 on the pass that only looks for the grid."""
        self._executions: deque[_Execution] = deque(maxlen=_RECENT_EXECUTIONS)

    def parse(self, _number: int, line: tuple[int, bytes]) -> list[Frame]:
        """Frames of one line. Raises: ValueError."""
        place, text = line
        stamp, _, rest = text.partition(b" ")
        kind, _, body = rest.partition(b" ")
        if not stamp.isdigit() or not body.startswith(b"{"):
            raise ValueError(f"expected '<local ms> <kind> <json>', found {text[:40]!r}")
        recv_ns = int(stamp) * _NS_PER_MS
        name = kind.decode(errors="replace")
        if name in _ORDER_KINDS:
            return self._order(name, place, recv_ns, _orders.decode(body))
        if name == "trade":
            return [self._trade(place, recv_ns, _trades.decode(body))]
        if name == "order_book":
            return self._book(place, recv_ns, _books.decode(body))
        raise ValueError(
            f"expected {', '.join(_ORDER_KINDS)}, trade or order_book, found {name[:40]!r}"
        )

    def _order(self, name: str, place: int, recv_ns: int, order: _Order) -> list[Frame]:
        if order.order_type not in (0, 1):
            raise ValueError(f"expected an order_type of 0 or 1, found {order.order_type}")
        ticks, lots = self._numbers.ticks(order.price), self._numbers.lots(order.amount)
        known = self._orders.get(order.id)
        if known is None and name != "order_created":
            self._left_out["events of orders from before the log"] += 1
            return []
        kind, event_lots = _judged(name, known, ticks, lots)
        if name == "order_deleted":
            self._orders.pop(order.id, None)
        else:
            self._orders[order.id] = (ticks, lots)
        if kind == ORDER_EXECUTE:
            self._executions.append(_Execution(order.id, order.order_type, event_lots))
        level = [(ticks, event_lots)]
        side = order.order_type
        return [Frame(kind, place, 0, recv_ns, level, side=side, order_id=order.id)]

    def _trade(self, place: int, recv_ns: int, trade: _Trade) -> Frame:
        qty = f"{trade.amount:.{_QTY_DECIMALS}f}"
        ticks, lots = self._numbers.ticks(f"{trade.price:.2f}"), self._numbers.lots(qty)
        side = self._aggressor(lots)
        return Frame(TRADE, place, 0, recv_ns, [(ticks, lots)], first=trade.id, side=side)

    def _aggressor(self, lots: int) -> int:
        """Side of the later order of the last two that were executed for so many lots, one on each side."""
        latest: dict[int, _Execution] = {}
        for execution in self._executions:
            if execution.lots == lots:
                latest[execution.side] = execution
        if len(latest) < 2:
            return UNKNOWN_SIDE
        for execution in latest.values():
            self._executions.remove(execution)
        return max(latest.values(), key=lambda e: e.order_id).side

    def _book(self, place: int, recv_ns: int, book: _Book) -> list[Frame]:
        change = self._depth.update(self._levels(book.bids), self._levels(book.asks))
        if change is None:
            return []
        return [Frame(change.kind, place, 0, recv_ns, change.bids, change.asks)]

    def _levels(self, rows: list[tuple[str, str]]) -> Levels:
        return [(self._numbers.ticks(p), self._numbers.lots(q)) for p, q in rows]


def _judged(name: str, known: tuple[int, int] | None, ticks: int, lots: int) -> tuple[int, int]:
    """Kind of order event, and the lots that it is about."""
    if name == "order_created":
        return ORDER_ADD, lots
    if name == "order_deleted":
        filled = lots == 0
        return (ORDER_EXECUTE, known[1] if known else 0) if filled else (ORDER_DELETE, lots)
    if known is not None and known[0] == ticks and known[1] > lots:
        return ORDER_EXECUTE, known[1] - lots
    return ORDER_MODIFY, lots
