"""A tape's dictate: totals, consumption, queue places, and never a crossed book."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.units import Side
from mmd.exchange import background
from mmd.exchange.order_book import Match, OrderBook
from mmd.exchange.orders import OrderType
from tests.exchange_world import exchange, order

BUY, SELL = Side.BUY, Side.SELL


def _tape_book() -> OrderBook:
    book = OrderBook(dictated=True)
    background.set_levels(book, [(99, 10), (98, 10)], [(101, 10), (102, 10)], 50)
    return book


def test_without_accounts_the_book_is_the_tape() -> None:
    """Totals and ids are exactly those of the diffs; 0 removes."""
    book = _tape_book()
    background.set_levels(book, [(99, 0), (97, 3)], [(101, 4)], 60)
    assert book.sides[BUY].depth(9) == [(98, 10), (97, 3)]
    assert book.sides[SELL].depth(9) == [(101, 4), (102, 10)]
    assert book.update_id == 60


def test_what_an_account_took_stays_taken() -> None:
    """The tape still shows the level; the book shows it less what we consumed, until the tape drops it."""
    world = exchange(dictated=True)
    book = world.markets[0].book
    background.set_levels(book, [(9900, 10)], [(10100, 10)], 50)
    world.place("a", order(BUY, 10100, 6), 1)
    assert book.sides[SELL].displayed(10100) == 4
    background.set_levels(book, [], [(10100, 10)], 51)
    assert book.sides[SELL].displayed(10100) == 4
    background.set_levels(book, [], [(10100, 3)], 52)
    assert book.sides[SELL].displayed(10100) == 0
    background.set_levels(book, [], [(10100, 8)], 53)
    assert book.sides[SELL].displayed(10100) == 5


def test_prints_fill_an_order_only_when_its_turn_comes() -> None:
    """An order behind 10 lots fills with the part of the prints beyond them."""
    world = exchange(dictated=True)
    book = world.markets[0].book
    background.set_levels(book, [(9900, 10)], [(10100, 10)], 50)
    resting, _ = world.place("a", order(BUY, 9900, 5), 1)
    background.set_levels(book, [(9900, 14)], [], 51)
    assert background.print_trade(book, SELL, 9900, 7, 1)[0].maker is None
    assert resting.matched_lots == 0
    background.set_levels(book, [(9900, 7)], [], 52)
    fills = background.print_trade(book, SELL, 9900, 6, 2)
    assert [(m.maker is resting, m.qty_lots) for m in fills] == [(True, 3), (False, 3)]
    assert resting.leaves_lots == 2
    assert book.sides[BUY].levels[9900].background == 7


def test_a_print_beyond_our_price_fills_us_whatever_is_ahead() -> None:
    """A trade below our bid proves that our price has traded."""
    world = exchange(dictated=True)
    book = world.markets[0].book
    background.set_levels(book, [(9900, 1000), (9899, 10)], [(10100, 10)], 50)
    resting, _ = world.place("a", order(BUY, 9900, 5), 1)
    background.print_trade(book, SELL, 9899, 9, 1)
    assert resting.leaves_lots == 0


def test_background_that_reaches_our_order_trades_with_it_first() -> None:
    """An ask of the tape at our bid fills us and shows only what is left; the tape's ask stays consumed."""
    world = exchange(dictated=True)
    market = world.markets[0]
    book = market.book
    background.set_levels(book, [(9900, 10)], [(10100, 10)], 50)
    resting, _ = world.place("a", order(BUY, 10000, 5, kind=OrderType.LIMIT_MAKER), 1)
    outcomes = background.set_levels(book, [], [(10000, 8)], 51)
    world.background(market, outcomes, 2)
    assert resting.filled_lots == 5
    assert (book.best_ask, book.sides[SELL].displayed(10000)) == (10000, 3)
    background.set_levels(book, [], [(10000, 8)], 52)
    assert book.sides[SELL].displayed(10000) == 3


def test_ids_and_trade_ids_shift_only_by_what_accounts_did() -> None:
    """The tape's ids plus the number of our changes; a print that we took whole is replaced by ours."""
    world = exchange(dictated=True)
    book = world.markets[0].book
    background.set_levels(book, [(9900, 10)], [(10100, 10)], 50)
    assert background.print_trade(book, SELL, 9900, 1, 7)[0].trade_id == 7
    world.place("a", order(BUY, 10000, 5), 1)
    background.set_levels(book, [(9900, 9)], [], 55)
    assert book.update_id == 56
    ours = background.print_trade(book, SELL, 9900, 2, 8)
    rest = background.print_trade(book, SELL, 9900, 4, 9)
    ids = [m.trade_id for m in [*ours, *rest] if isinstance(m, Match)]
    assert ids == sorted(set(ids))
    assert ids[0] == 8
    assert background.print_trade(book, SELL, 9900, 1, 10)[0].trade_id == ids[-1] + 1


def test_a_torn_tape_does_not_leave_a_crossed_book() -> None:
    """After a lost diff the level that is not named in the newest one is stale and goes."""
    book = _tape_book()
    background.set_levels(book, [(101, 2)], [], 70)
    assert background.uncross(book, ({101}, set())) == 1
    assert (book.best_bid, book.best_ask) == (101, 102)


_LEVELS = st.lists(st.tuples(st.integers(95, 105), st.integers(0, 9)), max_size=4)


@settings(max_examples=200)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("diff"), _LEVELS, _LEVELS),
            st.tuples(st.just("print"), st.sampled_from(list(Side)), st.integers(95, 105)),
            st.tuples(st.just("order"), st.sampled_from(list(Side)), st.integers(95, 105)),
        ),
        max_size=40,
    )
)
def test_no_tape_and_no_orders_leave_the_book_crossed(steps: list[tuple[object, ...]]) -> None:
    """Even a nonsensical tape with orders in between: uncrossed after every step, fills never exceed."""
    world = exchange(dictated=True)
    market = world.markets[0]
    book = market.book
    for number, step in enumerate(steps, 1):
        if step[0] == "diff":
            bids, asks = dict(step[1]), dict(step[2])
            outcomes = background.set_levels(book, bids.items(), asks.items(), number)
            background.uncross(book, (set(bids), set(asks)))
        elif step[0] == "print":
            outcomes = background.print_trade(book, step[1], step[2], 3, number)
        else:
            world.place("a", order(step[1], step[2], 4, str(number)), number)
            outcomes = []
        world.background(market, outcomes, number)
        if book.best_bid is not None and book.best_ask is not None:
            assert book.best_bid < book.best_ask
        for resting in (*book.own[BUY].values(), *book.own[SELL].values()):
            assert 0 <= resting.filled_lots == resting.matched_lots < resting.qty_lots
