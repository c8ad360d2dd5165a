"""Orders that a loop carries without Python objects leave the same numbers in the WORKING record."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.commands import CancelOrder, PlaceOrder, ReplaceOrder
from mmd.core.events import EndReason, OrderAccepted, OrderEnded
from mmd.core.orders import working_rows
from mmd.core.orders.order import Order
from mmd.core.orders.order_diff import SLOTS, new_working
from mmd.core.orders.order_state import OrderState
from mmd.core.orders.working_orders import WorkingOrders
from mmd.core.units import Side, TimeInForce
from tests.order_events import INSTRUMENT, SESSION, order_id

FIELDS = ("n", "open_lots", "open_orders", "open_ticklots", "best")
SLOT_FIELDS = ("id", "px", "leaves", "state", "amends", "since_ns")


def plain(leaf: Any) -> Callable[..., Any]:
    """The function behind a kernel, which takes a row as numpy shows it."""
    return getattr(leaf, "py_func", leaf)


seat, vacate = plain(working_rows.seat), plain(working_rows.vacate)
ask_back, acknowledge = plain(working_rows.ask_back), plain(working_rows.acknowledge)
slot_of, has_room = plain(working_rows.slot_of), plain(working_rows.has_room)


class Both:
    """The same orders three times: with the engine's own bookkeeping, in rows alone, and in objects that follow the rows."""

    def __init__(self) -> None:
        self.engine = WorkingOrders(INSTRUMENT, SESSION, new_working())
        self.rows = new_working()
        self.row = self.rows.view(np.recarray)[0]
        self.followers = WorkingOrders(INSTRUMENT, SESSION, self.rows)
        self.sent = 0

    def send(self, side: Side, px: int, lots: int, old: Order | None) -> None:
        """A new order, in place of an old one if there is one."""
        self.sent += 1
        number = order_id(self.sent)
        terms = (number, side, px, lots, TimeInForce.POST_ONLY)
        if old is None:
            command: PlaceOrder | ReplaceOrder = PlaceOrder(INSTRUMENT, *terms)
        else:
            command = ReplaceOrder(INSTRUMENT, old.client_order_id, *terms)
            ask_back(self.row, side, slot_of(self.row, side, old.client_order_id))
        seat(self.row, side, number, px, lots, self.sent)
        self.engine.on_sent(command, self.sent, 1)
        self.followers.on_sent_elsewhere(command, self.sent, 1)

    def cancel(self, order: Order) -> None:
        """Ask for an order's end."""
        number = order.client_order_id
        ask_back(self.row, order.side, slot_of(self.row, order.side, number))
        self.engine.on_sent(CancelOrder(INSTRUMENT, number), self.sent)
        self.followers.on_sent_elsewhere(CancelOrder(INSTRUMENT, number), self.sent, 0)

    def hear(self, event: OrderAccepted | OrderEnded) -> None:
        """An answer of the venue."""
        order = self.engine.get(event.client_order_id)
        assert order is not None
        slot = slot_of(self.row, order.side, event.client_order_id)
        if isinstance(event, OrderAccepted):
            acknowledge(self.row, order.side, slot)
        else:
            vacate(self.row, order.side, slot)
        self.engine.apply(event)
        self.followers.on_heard_elsewhere(event)

    def check(self) -> None:
        """All three are the same."""
        for name in FIELDS:
            assert self.rows[name].tolist() == self.engine.working[name].tolist(), name
        is_taken = self.engine.working["state"][0] != 0
        assert (is_taken == (self.rows["state"][0] != 0)).all()
        for name in SLOT_FIELDS:
            found, wanted = self.rows[name][0][is_taken], self.engine.working[name][0][is_taken]
            assert found.tolist() == wanted.tolist(), name
        assert [seen(o) for o in self.followers] == [seen(o) for o in self.engine]


def seen(order: Order) -> tuple[Any, ...]:
    """All that is known of an order."""
    return tuple(getattr(order, name) for name in Order.__slots__)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30), st.integers(1, 9)), max_size=80))
def test_rows_and_objects_agree_whatever_happens(steps: list[tuple[int, int, int]]) -> None:
    """Sent, replaced, cancelled, acknowledged and ended in any order that a venue can bring about."""
    both = Both()
    for what, pick, lots in steps:
        orders = list(both.engine)
        order = orders[pick % len(orders)] if orders else None
        side = Side(pick % 2)
        if what < 4 and has_room(both.row, side, 1):
            is_live = order is not None and order.state is OrderState.WORKING
            old = order if is_live and order.side is side and what > 1 else None
            both.send(side, 1_000 + pick, lots, old)
        elif order is not None and order.state is OrderState.WORKING and what < 6:
            both.cancel(order)
        elif order is not None and order.venue_order_id is None:
            both.hear(OrderAccepted(both.sent, INSTRUMENT, order.client_order_id, pick + 1, 0))
        elif order is not None and order.state is OrderState.PENDING_CANCEL:
            reason = EndReason.CANCELED
            both.hear(OrderEnded(both.sent, INSTRUMENT, order.client_order_id, reason, 0, 0))
        both.check()


def test_a_side_has_as_many_slots_as_the_diff_looks_at() -> None:
    """No order is seated that the diff would not see."""
    both = Both()
    for number in range(SLOTS):
        assert has_room(both.row, Side.SELL, 1)
        both.send(Side.SELL, 1_000 + number, 1, None)
    assert not has_room(both.row, Side.SELL, 1)
    assert has_room(both.row, Side.BUY, SLOTS)
    both.check()
