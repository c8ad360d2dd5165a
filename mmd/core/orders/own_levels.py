"""Which of our orders the venue's book shows, as the record that they are taken out of it by; see there why."""

from mmd.core.market.others_book import OWN_LEVELS, OWN_MAX
from mmd.core.orders.order import Order
from mmd.core.units import ClientOrderId
from mmd.jit.kernel import Rec, new


class OwnLevels:
    """Keeps an OWN_LEVELS record equal to the orders that rest at the venue."""

    def __init__(self) -> None:
        self.record: Rec = new(OWN_LEVELS)
        self._n = memoryview(self.record["n"][0])
        # Flat memoryviews, indexed by side * OWN_MAX + place.
        self._px = memoryview(self.record["px"][0].reshape(-1))
        self._lots = memoryview(self.record["lots"][0].reshape(-1))
        self._held: tuple[list[ClientOrderId], ...] = ([], [])
        """By side, the order in each place."""

    def write(self, order: Order) -> None:
        """Bring the order's place up to date; to be called whenever anything about it has changed."""
        lots = 0
        if order.venue_order_id is not None and order.is_open:
            lots = order.qty_lots - order.filled_lots
        side, held = order.side, self._held[order.side]
        first = side * OWN_MAX
        try:
            at = first + held.index(order.client_order_id)
        except ValueError:
            if lots <= 0 or len(held) == OWN_MAX:
                return
            at = first + len(held)
            held.append(order.client_order_id)
        if lots <= 0:
            last = first + len(held) - 1
            self._px[at], self._lots[at] = self._px[last], self._lots[last]
            held[at - first] = held[-1]
            held.pop()
        else:
            self._px[at], self._lots[at] = order.price_ticks, lots
        self._n[side] = len(held)
