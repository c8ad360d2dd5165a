"""One of our orders, as far as we know it."""

from enum import IntEnum

from mmd.core.orders.order_state import IN_FLIGHT, TERMINAL, OrderState
from mmd.core.units import ClientOrderId, InstrumentId, Side

_PENDING_NEW = OrderState.PENDING_NEW
_IS_OPEN = tuple(state not in TERMINAL for state in OrderState)
"""By state: an index is half the price of a search, and this is asked a dozen times an order."""
_IS_IN_FLIGHT = tuple(state in IN_FLIGHT for state in OrderState)


class OrderPurpose(IntEnum):
    """What an order is for; its fills are attributed by it, and from HEDGE on the order diff leaves it alone."""

    QUOTE = 0
    """A rung of the quoted ladder."""
    FLATTEN = 1
    HEDGE = 2
    ARBITRAGE = 3


_QUOTE = OrderPurpose.QUOTE


class Order:
    """An order from the moment its request is sent; quantities in lots, times in engine nanoseconds.

    Attributes:
        venue_order_id: None until the venue has acknowledged the order in any way.
        qty_lots: total, the filled part included; shrinks when an amend is confirmed.
        filled_lots: what Fill events have told.
        reported_lots: the most that any other event said was filled; at the end, what exceeds filled_lots
            is owed to us as Fill events.
        amend_lots: total asked for by the amend in flight.
        sent_ns, requested_ns, asked_ns: when it was sent, when the last request to change it was, and when
            the venue was last asked about it.
        changed_ns: when anything was last learnt about it.
        purpose: what it is for; never changes.
    """

    __slots__ = (
        "amend_lots",
        "amends",
        "asked_ns",
        "changed_ns",
        "client_order_id",
        "filled_lots",
        "instrument",
        "level",
        "price_ticks",
        "purpose",
        "qty_lots",
        "reported_lots",
        "requested_ns",
        "sent_ns",
        "side",
        "since_ns",
        "slot",
        "state",
        "trade_ids",
        "venue_order_id",
    )

    def __init__(
        self,
        instrument: InstrumentId,
        client_order_id: ClientOrderId,
        side: Side,
        price_ticks: int,
        qty_lots: int,
        level: int,
        now_ns: int,
        purpose: OrderPurpose = _QUOTE,
    ) -> None:
        """An order whose request leaves at now_ns, for a level of the ladder (0 = best)."""
        self.instrument = instrument
        self.client_order_id = client_order_id
        self.venue_order_id: int | None = None
        self.side = side
        self.price_ticks = price_ticks
        self.qty_lots = qty_lots
        self.filled_lots = 0
        self.reported_lots = 0
        self.amend_lots = qty_lots
        self.amends = 0
        self.state = _PENDING_NEW
        self.level = level
        self.purpose = purpose
        self.slot = -1
        self.sent_ns = self.requested_ns = self.since_ns = self.changed_ns = now_ns
        self.asked_ns: int | None = None
        self.trade_ids: set[int] = set()

    @property
    def is_open(self) -> bool:
        """Whether it may rest at the venue."""
        return _IS_OPEN[self.state]

    @property
    def is_in_flight(self) -> bool:
        """Whether a request about it waits for an answer."""
        return _IS_IN_FLIGHT[self.state]

    @property
    def leaves_lots(self) -> int:
        """What may still be filled: after the end, fills that the venue counted and has not yet sent."""
        total = self.qty_lots if _IS_OPEN[self.state] else self.reported_lots
        return total - self.filled_lots if total > self.filled_lots else 0

    def describe(self) -> str:
        """One line for messages."""
        return (
            f"Order({self.client_order_id:#x} {self.side.name} {self.qty_lots}@{self.price_ticks} "
            f"filled {self.filled_lots} {self.state.name})"
        )
