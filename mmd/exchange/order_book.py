"""Price-time priority matching of one instrument, with accounts' orders and background in the same queues."""

from fractions import Fraction
from typing import NamedTuple

from mmd.core.units import Side
from mmd.exchange.book_side import BookSide
from mmd.exchange.orders import Order, OrderTif, OrderType, SelfTrade


class Match(NamedTuple):
    """A trade; maker or taker is None where it was background."""

    trade_id: int
    price_ticks: int
    qty_lots: int
    aggressor: Side
    maker: Order | None
    taker: Order | None


class Prevented(NamedTuple):
    """A self-trade that did not happen: what would have traded, and what each order lost instead.

    mode is the effective one: the taker's, but for TRANSFER, which both must name.
    """

    taker: Order
    maker: Order
    mode: SelfTrade
    price_ticks: int
    qty_lots: int
    taker_lots: int
    maker_lots: int


Outcome = Match | Prevented


class OrderBook:
    """Two sides, a market-wide update id, and the accounts' own traces on both.

    `update_id` is the id of the last change. Changes that accounts cause count in `id_offset` too, so an
    id of a replayed market plus the offset is the id under which it is served, and equals it without
    accounts. `taken` remembers, by side and price, background that accounts consumed while the background
    itself is dictated from outside; None where the background is generated and reacts by itself.
    """

    def __init__(self, *, dictated: bool = False) -> None:
        self.sides = (BookSide(Side.BUY), BookSide(Side.SELL))
        self.update_id = 0
        self.id_offset = 0
        self.trade_id = 0
        self.trade_id_offset = 0
        self.last_price_ticks = 0
        self.taken: tuple[dict[int, int], dict[int, int]] | None = ({}, {}) if dictated else None
        self.own: tuple[dict[int, Order], dict[int, Order]] = ({}, {})

    @property
    def best_bid(self) -> int | None:
        """Highest price bid, in ticks."""
        return self.sides[Side.BUY].best

    @property
    def best_ask(self) -> int | None:
        """Lowest price asked, in ticks."""
        return self.sides[Side.SELL].best

    def count_account_change(self) -> None:
        """Give the change that an account made an id of its own."""
        self.update_id += 1
        self.id_offset += 1

    def next_own_trade_id(self) -> int:
        """Id of a trade that would not have happened without accounts."""
        self.trade_id += 1
        self.trade_id_offset += 1
        return self.trade_id

    def would_take(self, side: Side, price_ticks: int) -> bool:
        """Whether a limit order would trade on arrival."""
        return self.sides[side.opposite].reaches(price_ticks)

    def fillable_lots(self, order: Order) -> int:
        """How much of an order would trade at once, itself and what it may not meet excluded."""
        found = 0
        other = self.sides[order.side.opposite]
        for price in other.prices():
            if found >= order.qty_lots or not _within(order, price):
                break
            level = other.levels[price]
            found += level.background
            found += sum(o.leaves_lots for o in level.orders if not _prevents(order, o))
        return min(found, order.qty_lots)

    def cost_of_taking(self, side: Side, qty_lots: int) -> int:
        """Upper bound, in ticks times lots, of what a market order of this size pays or receives."""
        cost = 0
        other = self.sides[side.opposite]
        for price in other.prices():
            step = min(qty_lots, other.levels[price].total)
            cost += step * price
            qty_lots -= step
            if qty_lots == 0:
                break
        return cost

    def lots_for(self, side: Side, ticklots: Fraction) -> int:
        """How many lots a market order can take for an amount, in ticks times lots."""
        lots = 0
        other = self.sides[side.opposite]
        for price in other.prices():
            step = min(int(ticklots // price), other.levels[price].total)
            lots += step
            ticklots -= step * price
            if step < other.levels[price].total:
                break
        return lots

    def submit(self, order: Order) -> list[Outcome]:
        """Match an arriving order and let the rest of a GTC limit order rest.

        Fills are booked on both orders. What is left of IOC, FOK and market orders is the caller's to
        expire; a FOK order that cannot fill whole trades nothing.
        """
        if order.tif == OrderTif.FOK and self.fillable_lots(order) < order.qty_lots:
            return []
        limit = None if order.type == OrderType.MARKET else order.price_ticks
        outcomes = self.match(order.side, order.qty_lots, limit, order)
        rests = order.tif == OrderTif.GTC and order.type != OrderType.MARKET
        if rests and order.leaves_lots > 0:
            self.sides[order.side].touch(order.price_ticks).join(order)
            self.own[order.side][order.order_id] = order
        if outcomes or rests:
            self.count_account_change()
        return outcomes

    def withdraw(self, order: Order) -> None:
        """Take a resting order out of the book."""
        self._unlist(order)
        self.count_account_change()

    def reduce(self, order: Order, qty_lots: int) -> None:
        """Shrink a resting order to qty_lots in total, filled part included; its place stays."""
        assert order.matched_lots + order.withheld_lots < qty_lots < order.qty_lots
        order.qty_lots = qty_lots
        self.sides[order.side].dirty.add(order.price_ticks)
        self.count_account_change()

    def match(
        self, side: Side, qty_lots: int, limit_ticks: int | None, taker: Order | None
    ) -> list[Outcome]:
        """Trade up to qty_lots against the other side within the limit; taker None is background."""
        other = self.sides[side.opposite]
        outcomes: list[Outcome] = []
        left = qty_lots
        while left > 0:
            price = other.best
            if price is None or (limit_ticks is not None and not other.reaches(limit_ticks)):
                break
            maker, offered = other.levels[price].front()
            if taker is not None and maker is not None and _prevents(taker, maker):
                outcomes.append(self._prevent(taker, maker, price))
                left = taker.leaves_lots
                continue
            step = min(left, offered)
            outcomes.append(self._trade(side, price, step, maker, taker))
            left -= step
        return outcomes

    def fill_own(self, order: Order, qty_lots: int, aggressor: Side) -> Match:
        """Fill a resting order at its price against background that came to it."""
        self._book_fill(order, qty_lots)
        self.last_price_ticks = order.price_ticks
        return Match(self.next_own_trade_id(), order.price_ticks, qty_lots, aggressor, order, None)

    def _trade(
        self, side: Side, price: int, qty_lots: int, maker: Order | None, taker: Order | None
    ) -> Match:
        other = self.sides[side.opposite]
        if maker is None:
            other.touch(price).consume_front(qty_lots)
            if taker is not None and self.taken is not None:
                taken = self.taken[side.opposite]
                taken[price] = taken.get(price, 0) + qty_lots
            other.drop_if_empty(price)
        else:
            self._book_fill(maker, qty_lots)
        if taker is not None:
            taker.matched_lots += qty_lots
        self.last_price_ticks = price
        return Match(self.next_own_trade_id(), price, qty_lots, side, maker, taker)

    def _book_fill(self, maker: Order, qty_lots: int) -> None:
        maker.matched_lots += qty_lots
        self.sides[maker.side].dirty.add(maker.price_ticks)
        if maker.leaves_lots == 0:
            self._unlist(maker)

    def _unlist(self, order: Order) -> None:
        side = self.sides[order.side]
        side.touch(order.price_ticks).leave(order)
        side.drop_if_empty(order.price_ticks)
        del self.own[order.side][order.order_id]

    def _prevent(self, taker: Order, maker: Order, price_ticks: int) -> Prevented:
        """Take off both orders what the effective mode says; what is left of them stays."""
        mode = taker.self_trade
        if mode == SelfTrade.TRANSFER and maker.self_trade != SelfTrade.TRANSFER:
            mode = SelfTrade.DECREMENT
        qty = min(taker.leaves_lots, maker.leaves_lots)
        taker_lots, maker_lots = _losses(mode, taker.leaves_lots, maker.leaves_lots, qty)
        taker.withheld_lots += taker_lots
        if maker_lots > 0:
            maker.withheld_lots += maker_lots
            self.sides[maker.side].dirty.add(price_ticks)
            if maker.leaves_lots == 0:
                self._unlist(maker)
        return Prevented(taker, maker, mode, price_ticks, qty, taker_lots, maker_lots)


def _losses(mode: SelfTrade, taker_lots: int, maker_lots: int, qty_lots: int) -> tuple[int, int]:
    """What taker and maker lose where qty_lots would have traded. Source: Binance, stp_faq.md."""
    match mode:
        case SelfTrade.EXPIRE_MAKER:
            return 0, maker_lots
        case SelfTrade.EXPIRE_TAKER:
            return taker_lots, 0
        case SelfTrade.EXPIRE_BOTH:
            return taker_lots, maker_lots
        case _:
            return qty_lots, qty_lots


def _prevents(taker: Order, maker: Order) -> bool:
    if taker.self_trade == SelfTrade.NONE:
        return False
    in_one_group = taker.trade_group == maker.trade_group != -1
    return taker.account == maker.account or in_one_group


def _within(order: Order, price_ticks: int) -> bool:
    if order.type == OrderType.MARKET:
        return True
    return (price_ticks - order.price_ticks) * order.side.sign <= 0
