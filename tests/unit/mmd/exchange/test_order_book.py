"""Matching: price-time priority against a naive book, order types, and self-trade prevention."""

from fractions import Fraction
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.units import Side
from mmd.exchange import background
from mmd.exchange.order_book import Match, OrderBook, Prevented
from mmd.exchange.orders import Order, OrderTif, OrderType, SelfTrade

BUY, SELL = Side.BUY, Side.SELL


def _order(
    order_id: int,
    side: Side,
    price: int,
    qty: int,
    account: str = "a",
    kind: OrderType = OrderType.LIMIT,
    tif: OrderTif = OrderTif.GTC,
    self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER,
) -> Order:
    return Order(
        order_id=order_id,
        account=account,
        instrument=0,
        client_order_id=str(order_id),
        side=side,
        type=kind,
        tif=tif,
        price_ticks=price,
        qty_lots=qty,
        ts_created_ns=0,
        ts_updated_ns=0,
        self_trade=self_trade,
    )


class _Resting(NamedTuple):
    """An entry of the naive book; order_id 0 is background."""

    side: Side
    price: int
    order_id: int


class _NaiveBook:
    """A list in time order, searched for the best price each time."""

    def __init__(self) -> None:
        self.entries: list[list[object]] = []
        self.filled: dict[int, int] = {}

    def submit(self, side: Side, price: int, qty: int, order_id: int) -> None:
        while qty > 0:
            facing = [
                e
                for e in self.entries
                if e[0].side != side and (e[0].price - price) * side.sign <= 0
            ]
            if not facing:
                break
            best = min(facing, key=lambda e: e[0].price * side.sign)
            step = min(qty, best[1])
            qty -= step
            best[1] -= step
            for taker_or_maker in (order_id, best[0].order_id):
                if taker_or_maker:
                    self.filled[taker_or_maker] = self.filled.get(taker_or_maker, 0) + step
            self.entries = [e for e in self.entries if e[1] > 0]
        if qty > 0:
            self.entries.append([_Resting(side, price, order_id), qty])

    def remove(self, side: Side, price: int, qty: int) -> None:
        for entry in reversed(self.entries):
            if entry[0] == _Resting(side, price, 0):
                step = min(qty, entry[1])
                entry[1] -= step
                qty -= step
        self.entries = [e for e in self.entries if e[1] > 0]

    def cancel(self, order_id: int) -> None:
        self.entries = [e for e in self.entries if e[0].order_id != order_id]

    def depth(self, side: Side) -> list[tuple[int, int]]:
        totals: dict[int, int] = {}
        for entry, qty in self.entries:
            if entry.side == side:
                totals[entry.price] = totals.get(entry.price, 0) + qty
        return sorted(totals.items(), key=lambda level: -level[0] * side.sign)


_STEP = st.tuples(
    st.sampled_from(["add", "remove", "submit", "cancel"]),
    st.sampled_from([BUY, SELL]),
    st.integers(95, 105),
    st.integers(1, 9),
)


@settings(max_examples=200)
@given(st.lists(_STEP, max_size=60))
def test_book_equals_a_naive_one(steps: list[tuple[str, Side, int, int]]) -> None:
    """Any mix of background and orders of two accounts gives the naive book's depth and fills."""
    book, naive = OrderBook(), _NaiveBook()
    orders: dict[int, Order] = {}
    for number, (what, side, price, qty) in enumerate(steps, 1):
        if what == "add":
            background.add(book, side, price, qty)
            naive.submit(side, price, qty, 0)
        elif what == "remove":
            background.remove(book, side, price, qty)
            naive.remove(side, price, qty)
        elif what == "submit":
            orders[number] = _order(number, side, price, qty, self_trade=SelfTrade.NONE)
            book.submit(orders[number])
            naive.submit(side, price, qty, number)
        elif orders:
            order = orders.pop(min(orders))
            if order.order_id in book.own[order.side]:
                book.withdraw(order)
                naive.cancel(order.order_id)
        for at in Side:
            assert book.sides[at].depth(100) == naive.depth(at)
        for order in orders.values():
            assert order.matched_lots == naive.filled.get(order.order_id, 0)
        if book.best_bid is not None and book.best_ask is not None:
            assert book.best_bid < book.best_ask


def _quoted() -> OrderBook:
    """Background of 5 at 99 and 98, and of 5 at 101 and 102."""
    book = OrderBook()
    for side, price in ((BUY, 99), (BUY, 98), (SELL, 101), (SELL, 102)):
        background.add(book, side, price, 5)
    return book


def test_a_market_order_walks_the_book_and_never_rests() -> None:
    """It takes what there is at any price."""
    book = _quoted()
    order = _order(1, BUY, 0, 20, kind=OrderType.MARKET)
    matches = book.submit(order)
    assert [(m.price_ticks, m.qty_lots) for m in matches if isinstance(m, Match)] == [
        (101, 5),
        (102, 5),
    ]
    assert (order.leaves_lots, book.best_ask, book.own[BUY]) == (10, None, {})


def test_ioc_takes_what_is_there_and_fok_all_or_nothing() -> None:
    """The rest of an IOC order does not rest; a FOK order that cannot fill trades nothing."""
    book = _quoted()
    killed = _order(1, BUY, 102, 11, tif=OrderTif.FOK)
    assert book.submit(killed) == []
    assert book.sides[SELL].depth(9) == [(101, 5), (102, 5)]
    filled = _order(2, BUY, 102, 10, tif=OrderTif.FOK)
    assert sum(m.qty_lots for m in book.submit(filled)) == 10
    rest = _order(3, SELL, 99, 8, tif=OrderTif.IOC)
    book.submit(rest)
    assert (rest.matched_lots, book.own[SELL], book.best_ask) == (5, {}, None)


@pytest.mark.parametrize(
    ("mode", "taker_lots", "maker_lots", "resting"),
    [
        (SelfTrade.EXPIRE_MAKER, 0, 5, [2]),
        (SelfTrade.EXPIRE_TAKER, 3, 0, [1]),
        (SelfTrade.EXPIRE_BOTH, 3, 5, []),
        (SelfTrade.DECREMENT, 3, 3, [1]),
        (SelfTrade.TRANSFER, 3, 3, [1]),
    ],
)
def test_self_trade_prevention_takes_from_the_right_order(
    mode: SelfTrade, taker_lots: int, maker_lots: int, resting: list[int]
) -> None:
    """The arriving order's mode says what each of the two loses; neither trades."""
    book = OrderBook()
    book.submit(_order(1, SELL, 101, 5))
    outcomes = book.submit(_order(2, BUY, 101, 3, self_trade=mode))
    (prevented,) = outcomes
    assert isinstance(prevented, Prevented)
    assert (prevented.taker_lots, prevented.maker_lots) == (taker_lots, maker_lots)
    assert (prevented.qty_lots, prevented.price_ticks) == (3, 101)
    assert [*book.own[BUY], *book.own[SELL]] == resting
    shown = 5 - maker_lots
    assert book.sides[SELL].depth(9) == ([(101, shown)] if shown else [])


def test_transfer_needs_both_orders_to_ask_for_it() -> None:
    """Otherwise it is a decrement. Source: Binance, stp_faq.md, table of effective modes."""
    for maker_mode, effective in (
        (SelfTrade.TRANSFER, SelfTrade.TRANSFER),
        (SelfTrade.NONE, SelfTrade.DECREMENT),
    ):
        book = OrderBook()
        book.submit(_order(1, SELL, 101, 5, self_trade=maker_mode))
        (prevented,) = book.submit(_order(2, BUY, 101, 3, self_trade=SelfTrade.TRANSFER))
        assert isinstance(prevented, Prevented)
        assert prevented.mode == effective


def test_an_amount_of_quote_takes_what_it_pays_for() -> None:
    """Whole lots, level by level, to the last that is still affordable."""
    book = _quoted()
    assert book.lots_for(BUY, Fraction(101 * 5)) == 5
    assert book.lots_for(BUY, Fraction(101 * 5 + 102 * 2 + 101)) == 7
    assert book.lots_for(BUY, Fraction(100)) == 0
    assert book.lots_for(SELL, Fraction(10**6)) == 10


def test_without_prevention_an_account_trades_with_itself() -> None:
    """NONE lets both orders fill."""
    book = OrderBook()
    maker, taker = _order(1, SELL, 101, 5), _order(2, BUY, 101, 3, self_trade=SelfTrade.NONE)
    book.submit(maker)
    book.submit(taker)
    assert (maker.matched_lots, taker.matched_lots) == (3, 3)


def test_reducing_keeps_the_place() -> None:
    """An order made smaller stays in front of what came after it."""
    book = OrderBook()
    first, second = _order(1, BUY, 99, 5), _order(2, BUY, 99, 5, account="b")
    book.submit(first)
    book.submit(second)
    book.reduce(first, 2)
    background.take(book, SELL, 3, None)
    assert (first.matched_lots, second.matched_lots) == (2, 1)


def test_every_account_change_has_an_id_of_its_own() -> None:
    """Placing, reducing and withdrawing move the id and the offset; a refused FOK does not."""
    book = _quoted()
    start = book.update_id
    order = _order(1, BUY, 99, 5)
    book.submit(order)
    book.reduce(order, 4)
    book.withdraw(order)
    book.submit(_order(2, BUY, 101, 50, tif=OrderTif.FOK))
    assert (book.update_id - start, book.id_offset) == (3, 3)
