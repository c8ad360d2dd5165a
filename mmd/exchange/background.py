"""What a market full of strangers does to a book: arrivals, withdrawals, market orders, and a tape's dictate.

Generated flow uses `add`, `remove` and `take`. A replayed tape uses `set_levels` (totals by level) and
`print_trade` (what traded): totals are the tape's, less what accounts consumed; queue places are ours to
work out, and background that reaches an account's order trades with it first.
"""

from collections.abc import Iterable

from mmd.core.units import Side
from mmd.exchange.order_book import Match, OrderBook, Outcome
from mmd.exchange.orders import Order

Levels = Iterable[tuple[int, int]]


def add(book: OrderBook, side: Side, price_ticks: int, qty_lots: int) -> list[Outcome]:
    """A limit order of background arrives; what crosses trades, the rest joins the end of its queue."""
    outcomes = book.match(side, qty_lots, price_ticks, None)
    left = qty_lots - sum(o.qty_lots for o in outcomes)
    if left > 0:
        book.sides[side].touch(price_ticks).tail += left
    book.update_id += 1
    return outcomes


def remove(book: OrderBook, side: Side, price_ticks: int, qty_lots: int) -> int:
    """Background cancels up to qty_lots at a price, from the back of the queue; returns how much it did."""
    levels = book.sides[side]
    if price_ticks not in levels.levels:
        return 0
    removed = levels.touch(price_ticks).remove_back(qty_lots)
    levels.drop_if_empty(price_ticks)
    if removed > 0:
        book.update_id += 1
    return removed


def take(book: OrderBook, side: Side, qty_lots: int, limit_ticks: int | None) -> list[Outcome]:
    """A market order of background consumes the other side from the front, accounts' orders included."""
    outcomes = book.match(side, qty_lots, limit_ticks, None)
    if outcomes:
        book.update_id += 1
    return outcomes


def set_levels(book: OrderBook, bids: Levels, asks: Levels, tape_id: int) -> list[Outcome]:
    """Apply a tape's diff: each (price, total lots) replaces the level's background, 0 removes it.

    Withdrawals come before arrivals, so that nothing crosses only because of the order within a diff.
    """
    changes = (list(bids), list(asks))
    arrivals: list[tuple[Side, int, int]] = []
    for side in Side:
        for price, total in changes[side]:
            surplus = _retreat(book, side, price, total)
            if surplus > 0:
                arrivals.append((side, price, surplus))
    outcomes: list[Outcome] = []
    for side, price, surplus in arrivals:
        outcomes += _arrive(book, side, price, surplus)
    book.update_id = tape_id + book.id_offset
    return outcomes


def uncross(book: OrderBook, named: tuple[set[int], set[int]]) -> int:
    """Drop stale background where a diff left the book crossed; returns how many levels went.

    It happens only where the tape itself lost a diff: the level that the latest diff does not name is the
    stale one.
    """
    dropped = 0
    while (bid := book.best_bid) is not None and (ask := book.best_ask) is not None and bid >= ask:
        side = Side.SELL if bid in named[Side.BUY] else Side.BUY
        price = ask if side == Side.SELL else bid
        level = book.sides[side].touch(price)
        if level.background == 0:
            side, price = side.opposite, bid if side == Side.SELL else ask
            level = book.sides[side].touch(price)
        level.remove_back(level.background)
        book.sides[side].drop_if_empty(price)
        dropped += 1
    return dropped


def print_trade(
    book: OrderBook, aggressor: Side, price_ticks: int, qty_lots: int, tape_trade_id: int
) -> list[Outcome]:
    """A tape's trade: fills accounts' orders at its price or better, in queue order, and advances the rest.

    The background's totals stay for the diffs to change. What accounts did not take is returned as a
    background trade under the tape's id (plus the offset that accounts' own trades caused).
    """
    left = qty_lots
    outcomes: list[Outcome] = []
    if book.own[aggressor.opposite]:
        for order, qty in _reached(book, aggressor, price_ticks, qty_lots):
            outcomes.append(book.fill_own(order, qty, aggressor))
            left -= qty
        if outcomes:
            book.count_account_change()
    if left > 0:
        book.trade_id = max(book.trade_id + 1, tape_trade_id + book.trade_id_offset)
        book.last_price_ticks = price_ticks
        outcomes.append(Match(book.trade_id, price_ticks, left, aggressor, None, None))
    else:
        book.trade_id_offset -= 1
    return outcomes


def _reached(
    book: OrderBook, aggressor: Side, price_ticks: int, qty_lots: int
) -> list[tuple[Order, int]]:
    """Orders that a printed trade gets to, with what it brings each of them."""
    resting = book.sides[aggressor.opposite]
    sign = aggressor.opposite.sign
    prices = {o.price_ticks for o in book.own[aggressor.opposite].values()}
    given: list[tuple[Order, int]] = []
    left = qty_lots
    for price in sorted(prices, key=lambda p: -p * sign):
        if left == 0 or (price - price_ticks) * sign < 0:
            break
        level = resting.levels[price]
        # A print beyond a price proves that everything at that price has traded.
        reached = level.rotate(left) if price == price_ticks else _in_order(level.orders, left)
        given += reached
        left -= sum(qty for _, qty in reached)
    return given


def _in_order(orders: list[Order], qty_lots: int) -> list[tuple[Order, int]]:
    given = []
    for order in orders:
        step = min(qty_lots, order.leaves_lots)
        if step == 0:
            break
        given.append((order, step))
        qty_lots -= step
    return given


def _retreat(book: OrderBook, side: Side, price: int, total: int) -> int:
    """Shrink a level to the tape's total less what accounts took; returns what must still arrive."""
    levels = book.sides[side]
    taken = _still_taken(book, side, price, total)
    level = levels.levels.get(price)
    have = 0 if level is None else level.background
    surplus = total - taken - have
    levels.dirty.add(price)
    if surplus < 0 and level is not None:
        level.remove_back(-surplus)
        levels.drop_if_empty(price)
    return surplus


def _still_taken(book: OrderBook, side: Side, price: int, total: int) -> int:
    """What accounts consumed of this level and the tape still shows; it is not there any more."""
    assert book.taken is not None, "a tape drives only a book made with dictated=True"
    ledger = book.taken[side]
    taken = ledger.get(price)
    if taken is None:
        return 0
    if total < taken:
        taken = total
        ledger[price] = total
    if taken == 0:
        del ledger[price]
    return taken


def _arrive(book: OrderBook, side: Side, price: int, qty_lots: int) -> list[Outcome]:
    """Background arrives at a level: accounts' orders that it reaches come first, the rest queues up."""
    facing = book.own[1 - side]
    outcomes = _meet(book, side, price, qty_lots) if facing else []
    left = qty_lots - sum(o.qty_lots for o in outcomes)
    if left > 0:
        book.sides[side].touch(price).tail += left
    return outcomes


def _meet(book: OrderBook, side: Side, price: int, qty_lots: int) -> list[Outcome]:
    """Fill accounts' orders that face an arrival; what they take stays taken from the tape's total."""
    sign = side.opposite.sign
    orders = book.own[side.opposite].values()
    reached = [o for o in orders if (o.price_ticks - price) * sign >= 0]
    reached.sort(key=lambda o: (-o.price_ticks * sign, o.order_id))
    outcomes: list[Outcome] = [
        book.fill_own(order, step, side) for order, step in _in_order(reached, qty_lots)
    ]
    if outcomes:
        assert book.taken is not None
        ledger = book.taken[side]
        ledger[price] = ledger.get(price, 0) + sum(o.qty_lots for o in outcomes)
    return outcomes
