"""Client order ids of a session, and what it counts of its orders."""

from mmd.core.orders.order_numbers import OrderCounts, OrderNumbers
from mmd.core.units import client_order_id, session_of
from tests.order_events import SESSION, accepted, ended, fill, rejected, timed_out


def test_ids_only_grow_and_name_their_session():
    """The first is number 1 of the session."""
    numbers = OrderNumbers(SESSION)
    ids = [numbers.next_id() for _ in range(3)]
    assert ids == [client_order_id(SESSION, n) for n in (1, 2, 3)]
    assert {session_of(at) for at in ids} == {SESSION}


def test_each_event_counts_once_and_a_fill_elsewhere():
    """Fills are counted where they are booked, with their position."""
    counts = OrderCounts()
    for event in (accepted(1), rejected(2), ended(1), timed_out(3), fill(4, 9, 5)):
        counts.on_changed(event, None)
    seen = (counts.acked, counts.rejected, counts.canceled, counts.timed_out)
    assert seen == (1, 1, 1, 1)
    assert counts.rejects[rejected(2).reason] == sum(counts.rejects) == 1
    assert counts.sent == counts.foreign == counts.breaches == 0
