"""What an order says about itself."""

import pytest

from mmd.core.orders.order import Order
from mmd.core.orders.order_state import OrderState
from mmd.core.units import Side
from tests.order_events import INSTRUMENT, order_id


def order():
    return Order(INSTRUMENT, order_id(1), Side.BUY, 1000, 10, 2, 55)


def test_a_new_order_exposes_all_of_itself():
    """From the moment its request leaves, the whole quantity may be filled."""
    new = order()
    assert new.state is OrderState.PENDING_NEW
    assert (new.leaves_lots, new.is_open, new.is_in_flight) == (10, True, True)
    assert (new.sent_ns, new.level, new.venue_order_id) == (55, 2, None)


@pytest.mark.parametrize("state", [OrderState.UNKNOWN, OrderState.PENDING_CANCEL])
def test_doubtful_orders_expose_what_is_left(state):
    """Neither a cancel under way nor a time-out takes anything off the exposure."""
    doubtful = order()
    doubtful.state, doubtful.filled_lots = state, 4
    assert doubtful.leaves_lots == 6


def test_an_ended_order_exposes_the_fills_it_owes():
    """What the venue counted as filled and has not sent yet will still move the position."""
    gone = order()
    gone.state, gone.filled_lots, gone.reported_lots = OrderState.CANCELED, 1, 4
    assert (gone.leaves_lots, gone.is_open) == (3, False)
    gone.filled_lots = 4
    assert gone.leaves_lots == 0


def test_its_description_names_what_a_person_needs():
    """Id, side, size, price and state are in the line."""
    assert order().describe() == f"Order({order_id(1):#x} BUY 10@1000 filled 0 PENDING_NEW)"
