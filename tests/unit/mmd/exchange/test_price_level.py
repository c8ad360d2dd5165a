"""One price's queue: places, withdrawals from the back, trades from the front."""

from hypothesis import given
from hypothesis import strategies as st

from mmd.core.units import Side
from mmd.exchange.orders import Order, OrderTif, OrderType
from mmd.exchange.price_level import PriceLevel


def _order(order_id: int, qty_lots: int) -> Order:
    return Order(
        order_id=order_id,
        account="a",
        instrument=0,
        client_order_id=str(order_id),
        side=Side.BUY,
        type=OrderType.LIMIT,
        tif=OrderTif.GTC,
        price_ticks=100,
        qty_lots=qty_lots,
        ts_created_ns=0,
        ts_updated_ns=0,
    )


def _level() -> tuple[PriceLevel, Order, Order]:
    """10 background, 2 ours, 3 background, 5 ours, 4 background."""
    level = PriceLevel()
    first, second = _order(1, 2), _order(2, 5)
    level.tail += 10
    level.join(first)
    level.tail += 3
    level.join(second)
    level.tail += 4
    return level, first, second


def test_total_counts_background_and_orders() -> None:
    """The displayed quantity is everything in the queue."""
    level, first, second = _level()
    assert (level.total, level.background) == (24, 17)
    assert (level.lots_ahead(first), level.lots_ahead(second)) == (10, 15)


def test_background_leaves_from_the_back_first() -> None:
    """A withdrawal advances nobody before it must."""
    level, first, second = _level()
    assert level.remove_back(6) == 6
    assert (level.tail, level.lots_ahead(second), level.lots_ahead(first)) == (0, 13, 10)
    assert level.remove_back(100) == 11
    assert (level.lots_ahead(first), level.lots_ahead(second), level.total) == (0, 2, 7)


def test_a_leaving_order_closes_the_gap() -> None:
    """Background round an order that leaves keeps its place and its quantity."""
    level, first, second = _level()
    level.leave(first)
    assert (level.lots_ahead(second), level.background) == (13, 17)
    level.leave(second)
    assert (level.tail, level.orders) == (17, [])


def test_a_print_advances_and_fills_in_queue_order() -> None:
    """A printed trade passes background to the back and gives orders what reaches them."""
    level, first, second = _level()
    assert level.rotate(4) == []
    assert (level.lots_ahead(first), level.background) == (6, 17)
    assert level.rotate(11) == [(first, 2)]
    assert (level.lots_ahead(second), level.background) == (2, 17)


def test_front_is_background_then_the_order_behind_it() -> None:
    """Trading goes through the queue strictly in order."""
    level, first, _ = _level()
    assert level.front() == (None, 10)
    level.consume_front(10)
    assert level.front() == (first, 2)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 9)), max_size=12), st.integers(0, 60))
def test_a_print_conserves_background_and_gives_at_most_its_size(
    parts: list[tuple[bool, int]], printed: int
) -> None:
    """Whatever the queue: totals stay, nobody gets more than it wants, nothing is given twice."""
    level = PriceLevel()
    for number, (ours, qty) in enumerate(parts):
        if ours:
            level.join(_order(number, qty))
        else:
            level.tail += qty
    background, ahead = level.background, {o.order_id: level.lots_ahead(o) for o in level.orders}
    given_out = level.rotate(printed)
    assert level.background == background
    assert sum(q for _, q in given_out) <= printed
    for order, qty in given_out:
        assert 0 < qty <= order.leaves_lots
        assert qty == min(order.leaves_lots, printed - ahead[order.order_id])
