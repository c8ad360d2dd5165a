"""Our own orders are taken out of the book's view: no more, no less, and nothing made of it is moved by them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.market import book as books
from mmd.core.market.features import NAMES
from mmd.core.market.others_book import OWN_MAX, take_out_own
from mmd.core.market.record import DIFF, MARKET, SNAPSHOT, TOP
from mmd.core.market_view import MarketView
from mmd.core.orders.order_diff import new_working
from mmd.core.orders.own_levels import OwnLevels
from mmd.core.orders.working_orders import WorkingOrders
from mmd.core.units import Side
from mmd.jit.kernel import Rec, bind, interpreted, new
from tests.order_events import INSTRUMENT, SESSION, accepted, ended, place

TAKE_OUT = bind(take_out_own, new(books.BOOK), OwnLevels().record)
Levels = dict[int, int]


LEVELS = st.lists(st.integers(1, 9), min_size=1, max_size=books.TOP)
OWN = st.lists(st.tuples(st.integers(0, 25), st.integers(1, 12)), max_size=OWN_MAX)


@settings(deadline=None, max_examples=60)
@given(LEVELS, LEVELS, OWN, OWN)
def test_every_level_loses_what_is_ours_and_never_falls_below_nothing(
    bids: list[int],
    asks: list[int],
    own_bids: list[tuple[int, int]],
    own_asks: list[tuple[int, int]],
) -> None:
    """Against a plain dict; the kernel compiled and interpreted."""
    for call in (TAKE_OUT, interpreted(getattr(take_out_own, "py_func", take_out_own))):
        book, own = new(books.BOOK), OwnLevels().record
        for side, (levels, mine, step) in enumerate(((bids, own_bids, -1), (asks, own_asks, 1))):
            best = 100 + step
            prices = {best + step * i: lots for i, lots in enumerate(levels)}
            book["nview"][0, side] = len(levels)
            book["vpx"][0, side, : len(levels)] = list(prices)
            book["vsz"][0, side, : len(levels)] = levels
            own["n"][0, side] = len(mine)
            for i, (away, lots) in enumerate(mine):
                own["px"][0, side, i], own["lots"][0, side, i] = best + step * away, lots
        call(book, own)
        for side, (levels, mine, step) in enumerate(((bids, own_bids, -1), (asks, own_asks, 1))):
            left = {100 + step + step * i: lots for i, lots in enumerate(levels)}
            for away, lots in mine:
                price = 100 + step + step * away
                if price in left:
                    left[price] -= lots
                    if left[price] <= 0:
                        del left[price]
            n = int(book["nview"][0, side])
            rows = zip(
                book["vpx"][0, side, :n].tolist(), book["vsz"][0, side, :n].tolist(), strict=True
            )
            assert list(rows) == list(left.items())


def _market(kind: int, last: int, bids: Levels, asks: Levels) -> Rec:
    m = new(MARKET)
    m["kind"], m["last"] = kind, last
    m["ts_recv_ns"] = m["ts_event_ns"] = last * 30_000_000
    for side, levels in enumerate((bids, asks)):
        m["n"][0, side] = len(levels)
        for i, (px, sz) in enumerate(levels.items()):
            m["px"][0, side, i], m["sz"][0, side, i] = px, sz
    return m


BOOKS = st.lists(
    st.tuples(
        st.lists(st.integers(0, 9), min_size=14, max_size=14),
        st.lists(st.integers(0, 9), min_size=14, max_size=14),
        st.lists(
            st.tuples(st.sampled_from(list(Side)), st.integers(0, 13), st.integers(1, 9)),
            max_size=3,
        ),
        st.booleans(),
    ),
    min_size=2,
    max_size=12,
)


@settings(deadline=None, max_examples=40)
@given(BOOKS)
def test_features_are_those_of_the_book_without_our_orders(
    frames: list[tuple[list[int], list[int], list[tuple[Side, int, int]], bool]],
) -> None:
    """One view sees a market with our orders in it, the other the same market without: they agree to the bit."""
    own = OwnLevels()
    orders = WorkingOrders(INSTRUMENT, SESSION, new_working(), own=own)
    with_ours, without = MarketView(own.record), MarketView()
    with_ours.is_up = without.is_up = True
    sequence, resting = 0, []
    for last, (bid_lots, ask_lots, wanted, has_top) in enumerate(frames, start=1):
        for gone in resting:
            orders.apply(ended(gone))
        resting = []
        clean = (
            {100 - i: lots for i, lots in enumerate(bid_lots)} | {86: 5},
            {101 + i: lots for i, lots in enumerate(ask_lots)} | {115: 5},
        )
        seen = (dict(clean[0]), dict(clean[1]))
        for side, away, lots in wanted:
            sequence += 1
            price = 100 - away if side is Side.BUY else 101 + away
            orders.on_sent(place(sequence, side, price, lots), last)
            orders.apply(accepted(sequence))
            resting.append(sequence)
            seen[side][price] = seen[side].get(price, 0) + lots
        now_ns = last * 30_000_000
        for view, (bids, asks) in ((with_ours, seen), (without, clean)):
            kind = SNAPSHOT if last == 1 else DIFF
            view.apply(_market(kind, 2 * last, bids, asks), now_ns)
            if has_top:
                top = [{p: q for p, q in side.items() if q > 0} for side in (bids, asks)]
                bid, ask = max(top[0]), min(top[1])
                both = {bid: top[0][bid]}, {ask: top[1][ask]}
                view.apply(_market(TOP, 2 * last + 1, *both), now_ns)
        for at, name in enumerate(NAMES):
            assert with_ours.features["x"][0, at] == without.features["x"][0, at], name
        assert with_ours.vol.tobytes() == without.vol.tobytes()
        assert with_ours.touch.tobytes() == without.touch.tobytes()
        assert (with_ours.bid_ticks, with_ours.ask_ticks) == (without.bid_ticks, without.ask_ticks)


def test_a_side_that_only_we_are_on_is_no_market() -> None:
    """Quotes are withdrawn as in a one-sided book, instead of following themselves."""
    own = OwnLevels()
    orders = WorkingOrders(INSTRUMENT, SESSION, new_working(), own=own)
    view = MarketView(own.record)
    view.apply(_market(SNAPSHOT, 1, {99: 5}, {101: 5}), 1)
    assert not view.is_crossed
    orders.on_sent(place(1, Side.BUY, 98, 7), 2)
    orders.apply(accepted(1))
    view.apply(_market(DIFF, 2, {99: 0, 98: 7}, {}), 3)
    assert view.is_crossed
    assert (view.bid_ticks, view.ask_ticks) == (99, 101)
    view.apply(_market(DIFF, 3, {98: 8}, {}), 4)
    assert not view.is_crossed
    assert (view.bid_ticks, view.ask_ticks) == (98, 101)
