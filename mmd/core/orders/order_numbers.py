"""How a session numbers its orders, and what it counts of them."""

from typing import cast

from mmd.core.events import OrderAccepted, OrderEnded, OrderRejected, RequestTimedOut
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
    """What became of an instrument's orders, and how many replacements were left out to save the order budget."""

    __slots__ = (
        "acked",
        "breaches",
        "canceled",
        "foreign",
        "rejected",
        "requotes_skipped",
        "sent",
        "timed_out",
    )

    def __init__(self) -> None:
        self.sent = self.acked = self.rejected = self.canceled = self.timed_out = 0
        self.foreign = self.breaches = self.requotes_skipped = 0

    def on_changed(self, event: OrderEvent) -> None:
        """Count an event that told us something new about one of our orders."""
        match event:
            case OrderAccepted():
                self.acked += 1
            case OrderRejected():
                self.rejected += 1
            case OrderEnded():
                self.canceled += 1
            case RequestTimedOut():
                self.timed_out += 1
            case _:
                pass
