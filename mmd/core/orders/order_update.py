"""What one event changes in one order: its facts are taken over, and the state table is driven."""

from typing import assert_never

from mmd.core.events import (
    CancelRejected,
    EndReason,
    Fill,
    OrderAccepted,
    OrderEnded,
    OrderRejected,
    OrderStatus,
    RejectReason,
    RequestTimedOut,
)
from mmd.core.orders.order import Order
from mmd.core.orders.order_state import IllegalTransitionError, OrderState, Trigger, next_state

OrderEvent = (
    OrderAccepted
    | OrderRejected
    | OrderEnded
    | CancelRejected
    | Fill
    | OrderStatus
    | RequestTimedOut
)
_UNTRIED = frozenset({RejectReason.RATE_LIMIT, RejectReason.CLOCK, RejectReason.SIGNATURE})


def contradiction(order: Order, event: OrderEvent) -> str:
    """What in the event cannot be true of the order, or nothing."""
    claim = ""
    match event:
        case Fill() if event.side is not order.side:
            claim = f"Fill {event.trade_id} is on side {event.side.name}"
        case Fill() if order.filled_lots + event.qty_lots > order.qty_lots:
            claim = f"Fill {event.trade_id} of {event.qty_lots} lots exceeds what is left"
        case OrderEnded() if event.filled_lots > order.qty_lots:
            claim = f"OrderEnded counts {event.filled_lots} lots filled"
        case OrderStatus() if event.known and (
            event.side is not order.side
            or event.price_ticks != order.price_ticks
            or event.filled_lots > order.qty_lots
        ):
            claim = f"OrderStatus says {event.side.name} {event.filled_lots} at {event.price_ticks}"
        case _:
            pass
    return f"{order.describe()}: {claim}: reconcile with the venue" if claim else ""


def advance(order: Order, trigger: Trigger, now_ns: int) -> None:
    """Drive the state table; a confirmed amend may leave nothing to be filled.

    Raises:
        IllegalTransitionError: the table does not list the pair.
    """
    order.state = next_state(order.state, trigger, has_fills=order.filled_lots > 0)
    if order.is_open and order.filled_lots >= order.qty_lots:
        order.state = next_state(order.state, Trigger.FILLED_ALL, has_fills=True)
    order.changed_ns = max(order.changed_ns, now_ns)


def learn(order: Order, event: OrderEvent) -> Trigger:
    """Take over an event's facts; returns the trigger they make.

    Raises:
        IllegalTransitionError: an acknowledged order is reported as rejected.
    """
    match event:
        case OrderAccepted():
            order.venue_order_id = event.venue_order_id
            return Trigger.ACCEPTED
        case OrderRejected():
            return _rejection(order, event.reason)
        case OrderEnded():
            order.reported_lots = max(order.reported_lots, event.filled_lots)
            has_expired = event.reason in {EndReason.EXPIRED, EndReason.SELF_TRADE}
            return Trigger.EXPIRED if has_expired else Trigger.ENDED
        case CancelRejected():
            is_untried = event.reason in _UNTRIED
            return Trigger.REQUEST_UNTRIED if is_untried else Trigger.CANCEL_REJECTED
        case Fill():
            order.venue_order_id = event.venue_order_id
            order.trade_ids.add(event.trade_id)
            order.filled_lots += event.qty_lots
            is_full = order.filled_lots >= order.qty_lots
            return Trigger.FILLED_ALL if is_full else Trigger.FILLED_PART
        case OrderStatus():
            return _status(order, event)
        case RequestTimedOut():
            return Trigger.TIMED_OUT
        case _:
            assert_never(event)


def _rejection(order: Order, reason: RejectReason) -> Trigger:
    """A duplicate id means that the venue has had the order before: its fate is unknown, not 'rejected'."""
    if reason is RejectReason.DUPLICATE:
        return Trigger.TIMED_OUT
    if order.venue_order_id is not None and order.is_open:
        raise IllegalTransitionError(order.state, Trigger.REJECTED)
    return Trigger.REJECTED


def _status(order: Order, event: OrderStatus) -> Trigger:
    """The answer to a query (or the confirmation of an amend)."""
    if not event.known:
        is_purged = order.state is OrderState.UNKNOWN and order.venue_order_id is not None
        return Trigger.STATUS_GONE if is_purged else Trigger.STATUS_NEVER
    order.venue_order_id = event.venue_order_id
    order.reported_lots = max(order.reported_lots, event.filled_lots)
    is_amended = order.state is OrderState.PENDING_AMEND and event.qty_lots == order.amend_lots
    if order.is_open and event.qty_lots < order.qty_lots:  # amends only ever shrink
        order.qty_lots = event.qty_lots
        order.since_ns = event.ts_recv_ns
    if event.open:
        return Trigger.AMENDED if is_amended else Trigger.STATUS_OPEN
    return Trigger.STATUS_FILLED if event.filled_lots >= event.qty_lots else Trigger.STATUS_GONE
