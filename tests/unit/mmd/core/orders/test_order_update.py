"""What single events make of an order."""

import pytest

from mmd.core.events import EndReason, RejectReason
from mmd.core.orders.order import Order
from mmd.core.orders.order_state import IllegalTransitionError, OrderState, Trigger
from mmd.core.orders.order_update import advance, contradiction, learn
from mmd.core.units import Side
from tests.order_events import (
    INSTRUMENT,
    accepted,
    cancel_rejected,
    ended,
    fill,
    order_id,
    rejected,
    status,
    timed_out,
)


def order(state=OrderState.WORKING, venue_order_id=1001):
    made = Order(INSTRUMENT, order_id(1), Side.BUY, 1000, 10, 0, 0)
    made.state, made.venue_order_id = state, venue_order_id
    return made


@pytest.mark.parametrize(
    ("event", "trigger"),
    [
        (accepted(1), Trigger.ACCEPTED),
        (ended(1), Trigger.ENDED),
        (ended(1, reason=EndReason.REPLACED), Trigger.ENDED),
        (ended(1, reason=EndReason.EXPIRED), Trigger.EXPIRED),
        (ended(1, reason=EndReason.SELF_TRADE), Trigger.EXPIRED),
        (cancel_rejected(1), Trigger.CANCEL_REJECTED),
        (cancel_rejected(1, RejectReason.RATE_LIMIT), Trigger.REQUEST_UNTRIED),
        (fill(1, 1, 4), Trigger.FILLED_PART),
        (fill(1, 1, 10), Trigger.FILLED_ALL),
        (status(1), Trigger.STATUS_OPEN),
        (status(1, is_open=False), Trigger.STATUS_GONE),
        (status(1, is_open=False, filled_lots=10), Trigger.STATUS_FILLED),
        (status(1, known=False), Trigger.STATUS_NEVER),
        (timed_out(1), Trigger.TIMED_OUT),
    ],
)
def test_events_are_understood(event, trigger):
    """Each event of the venue is one trigger of the table."""
    assert learn(order(), event) is trigger


def test_a_rejection_for_a_duplicate_id_is_no_rejection():
    """The venue has had that id before: the order may well be there."""
    new = order(OrderState.PENDING_NEW, None)
    assert learn(new, rejected(1, RejectReason.DUPLICATE)) is Trigger.TIMED_OUT
    assert learn(new, rejected(1, RejectReason.FILTER)) is Trigger.REJECTED


def test_an_acknowledged_order_cannot_be_rejected():
    """That is a contradiction, whatever state the order is in meanwhile."""
    with pytest.raises(IllegalTransitionError):
        learn(order(OrderState.UNKNOWN), rejected(1))


def test_an_order_once_acknowledged_and_now_unheard_of_is_gone():
    """It lived, so it cannot have 'never existed': the venue has dropped it."""
    assert learn(order(OrderState.UNKNOWN), status(1, known=False)) is Trigger.STATUS_GONE
    unheard = order(OrderState.UNKNOWN, None)
    assert learn(unheard, status(1, known=False)) is Trigger.STATUS_NEVER


def test_a_status_with_the_quantity_asked_for_confirms_the_amend():
    """Only then does the order shrink."""
    amending = order(OrderState.PENDING_AMEND)
    amending.amend_lots = 6
    assert learn(amending, status(1)) is Trigger.STATUS_OPEN
    assert amending.qty_lots == 10
    assert learn(amending, status(1, qty_lots=6)) is Trigger.AMENDED
    assert amending.qty_lots == 6


def test_a_stale_status_does_not_grow_an_order():
    """Amends only shrink, so the smaller quantity is the newer."""
    amended = order()
    amended.qty_lots = 6
    learn(amended, status(1, qty_lots=10))
    assert amended.qty_lots == 6


def test_an_amend_down_to_what_is_filled_fills_the_order():
    """The fills may arrive before the confirmation that makes them complete."""
    amending = order(OrderState.PENDING_AMEND)
    amending.amend_lots = 6
    advance(amending, learn(amending, fill(1, 1, 6)), 1)
    assert amending.state is OrderState.PENDING_AMEND
    advance(amending, learn(amending, status(1, qty_lots=6, filled_lots=6)), 2)
    assert (amending.state, amending.changed_ns) == (OrderState.FILLED, 2)


@pytest.mark.parametrize(
    "event",
    [
        fill(1, 1, 11),
        fill(1, 1, 1, side=Side.SELL),
        ended(1, filled_lots=11),
        status(1, price_ticks=999),
        status(1, side=Side.SELL),
        status(1, filled_lots=11),
    ],
)
def test_what_cannot_be_true_is_named(event):
    """The line says what the venue claims and what to do."""
    text = contradiction(order(), event)
    assert type(event).__name__ in text
    assert "reconcile" in text


@pytest.mark.parametrize("event", [fill(1, 1, 10), ended(1, 10), status(1), status(1, known=False)])
def test_what_may_be_true_is_no_contradiction(event):
    """Nothing is said of events that fit."""
    assert contradiction(order(), event) == ""
