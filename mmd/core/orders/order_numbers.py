"""How a session numbers its orders, and what it counts of them."""

from typing import cast

from mmd.core.durations import Durations
from mmd.core.events import (
    OrderAccepted,
    OrderEnded,
    OrderRejected,
    RejectReason,
    RequestTimedOut,
)
from mmd.core.orders.order import Order
from mmd.core.orders.order_update import OrderEvent
from mmd.core.units import ClientOrderId, client_order_id


class OrderNumbers:
    """Client order ids of a session, shared by its instruments.

    Attributes:
        last: the last one that was given away.
    """

    def __init__(self, session: int) -> None:
        self.last: int = client_order_id(session, 0)

    def next_id(self) -> ClientOrderId:
        """The next id; ids only grow."""
        self.last += 1
        return cast("ClientOrderId", self.last)


class OrderCounts:
    """What became of an instrument's orders, and how many replacements were left out to save the order budget.

    Attributes:
        rejects: by RejectReason.
        requoted: of those that ended, orders that we had taken back or replaced.
        ack_times: from sending an order to the venue's word that it is working.
        cancel_times: from asking for an order's end to that end.
    """

    __slots__ = (
        "ack_times",
        "acked",
        "breaches",
        "cancel_times",
        "canceled",
        "foreign",
        "rejected",
        "rejects",
        "requoted",
        "requotes_skipped",
        "sent",
        "timed_out",
    )

    def __init__(self) -> None:
        self.sent = self.acked = self.rejected = self.canceled = self.timed_out = 0
        self.foreign = self.breaches = self.requotes_skipped = self.requoted = 0
        self.rejects = [0] * len(RejectReason)
        self.ack_times, self.cancel_times = Durations(), Durations()

    def on_changed(self, event: OrderEvent, order: Order | None) -> None:
        """Count an event that told us something new about one of our orders."""
        match event:
            case OrderAccepted():
                self.acked += 1
                if order is not None:
                    self.ack_times.record(event.ts_recv_ns - order.sent_ns)
            case OrderRejected():
                self.rejected += 1
                self.rejects[event.reason] += 1
            case OrderEnded():
                self.canceled += 1
                if order is not None and order.requested_ns > order.sent_ns:
                    self.requoted += 1
                    self.cancel_times.record(event.ts_recv_ns - order.requested_ns)
            case RequestTimedOut():
                self.timed_out += 1
            case _:
                pass
