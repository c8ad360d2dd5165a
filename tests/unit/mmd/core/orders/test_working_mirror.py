"""The WORKING record follows the orders."""

import pytest

from mmd.core.orders.order import Order, OrderPurpose
from mmd.core.orders.order_diff import BUSY, EMPTY, LIVE, PENDING, SLOTS, new_working
from mmd.core.orders.order_state import OrderState
from mmd.core.orders.working_mirror import WorkingMirror
from mmd.core.units import Side
from tests.order_events import INSTRUMENT, order_id


def order(sequence, side=Side.BUY, price_ticks=1000):
    return Order(INSTRUMENT, order_id(sequence), side, price_ticks, 10, 0, sequence)


@pytest.mark.parametrize(
    ("state", "slot_state"),
    [
        (OrderState.PENDING_NEW, PENDING),
        (OrderState.WORKING, LIVE),
        (OrderState.PARTIALLY_FILLED, LIVE),
        (OrderState.PENDING_AMEND, PENDING),
        (OrderState.PENDING_CANCEL, BUSY),
        (OrderState.UNKNOWN, BUSY),
        (OrderState.FILLED, EMPTY),
    ],
)
def test_states_are_told_as_the_diff_needs_them(state, slot_state):
    """The diff sees what may be changed, what only counts, and what is leaving."""
    working = new_working()
    mirror = WorkingMirror(working)
    one = order(1)
    mirror.write(one)
    one.state, one.filled_lots = state, 4
    mirror.write(one)
    assert working["state"][0, 0, 0] == slot_state
    assert working["n"][0].tolist() == [int(slot_state != EMPTY), 0]
    if slot_state != EMPTY:
        assert (working["px"][0, 0, 0], working["leaves"][0, 0, 0]) == (1000, 6)
        assert mirror.at(Side.BUY, 0) is one


def test_an_amend_under_way_shows_the_size_it_will_have():
    """Else the next diff would ask for the same amend again."""
    working = new_working()
    mirror = WorkingMirror(working)
    one = order(1)
    one.state, one.amend_lots = OrderState.PENDING_AMEND, 7
    mirror.write(one)
    assert working["leaves"][0, 0, 0] == 7


def test_slots_are_reused_and_the_best_price_follows():
    """A freed slot in the middle takes the next order."""
    working = new_working()
    mirror = WorkingMirror(working)
    orders = [order(i, Side.SELL, 1000 + i) for i in range(3)]
    for each in orders:
        mirror.write(each)
    assert mirror.best_price_ticks == [None, 1000]
    orders[0].state = OrderState.CANCELED
    mirror.write(orders[0])
    assert mirror.best_price_ticks == [None, 1001]
    late = order(9, Side.SELL, 1009)
    mirror.write(late)
    assert mirror.at(Side.SELL, 0) is late
    assert working["n"][0, 1] == 3


def test_orders_beyond_the_slots_wait_for_one():
    """None is forgotten: the first to wait takes the first slot that comes free."""
    working = new_working()
    mirror = WorkingMirror(working)
    orders = [order(i, price_ticks=1000 + i) for i in range(SLOTS + 2)]
    for each in orders:
        mirror.write(each)
    assert mirror.best_price_ticks[Side.BUY] == 1000 + SLOTS + 1
    orders[SLOTS + 1].state = OrderState.REJECTED
    mirror.write(orders[SLOTS + 1])
    orders[5].state = OrderState.FILLED
    mirror.write(orders[5])
    assert mirror.at(Side.BUY, 5) is orders[SLOTS]
    assert working["px"][0, 0, 5] == 1000 + SLOTS
    assert mirror.best_price_ticks[Side.BUY] == 1000 + SLOTS


@pytest.mark.parametrize("purpose", [OrderPurpose.HEDGE, OrderPurpose.ARBITRAGE])
def test_what_is_no_quote_has_no_slot_but_a_price(purpose):
    """The order diff must not take a hedge for a quote, and nothing of ours may cross it."""
    working = new_working()
    mirror = WorkingMirror(working)
    mirror.write(order(1, price_ticks=1000))
    apart = Order(INSTRUMENT, order_id(2), Side.BUY, 1003, 10, 0, 2, purpose)
    mirror.write(apart)
    apart.state = OrderState.WORKING
    mirror.write(apart)
    assert (working["n"][0, 0], mirror.best_price_ticks[Side.BUY]) == (1, 1003)
    apart.state = OrderState.CANCELED
    mirror.write(apart)
    assert mirror.best_price_ticks[Side.BUY] == 1000
