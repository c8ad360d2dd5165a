"""Our own orders as levels of the venue's book, so that the book of everybody else can be told from it.

A venue's book shows our orders among all others. Features made of it would follow our own quotes: a bid of ours
that joins the touch looks like buying interest, which moves the fair value, which moves the bid. So what the
venue has acknowledged of our orders is taken out of the book's view before anything looks at it.

Counted is an order from its acknowledgement (or first fill) to its end, with what is then left of it. Private and
public events come on different sockets, so for the time of one frame either may be ahead of the other: an order
that the book shows already and nobody has acknowledged is taken for a stranger's, and one that is acknowledged
and not shown yet hides as much of what others have at its price. A level never falls below nothing, and the next
frame puts it right.
"""

from typing import Final

from mmd.core.orders.order import Order
from mmd.core.units import ClientOrderId
from mmd.jit.kernel import Rec, kernel, layout, leaf, new

OWN_MAX: Final = 32
"""Orders of a side that are counted; there are fewer than half as many where the risk limits allow orders at all."""

OWN_LEVELS = layout(
    ("n", "i8", (2,)),
    ("px", "i8", (2, OWN_MAX)),  # ticks, in no order
    ("lots", "i8", (2, OWN_MAX)),  # above 0
)


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


@leaf
def _take_out(b: Rec, side: int, ticks: int, lots: int) -> None:
    """Take lots out of one level of the view; a level with nothing left disappears."""
    step = 1 - 2 * side
    at, n = 0, b.nview[side]
    while at < n and step * (b.vpx[side, at] - ticks) > 0:
        at += 1
    if at == n or b.vpx[side, at] != ticks:
        return
    left = b.vsz[side, at] - lots
    if left > 0:
        b.vsz[side, at] = left
        return
    for k in range(at, n - 1):
        b.vpx[side, k] = b.vpx[side, k + 1]
        b.vsz[side, k] = b.vsz[side, k + 1]
    b.nview[side] = n - 1


@kernel
def take_out_own(book: Rec, own: Rec) -> None:
    """Leave in the book's view what others have; to be called once after each time that it was drawn.

    The depth book keeps our orders: it is what the venue says, and is checked against it.
    """
    b, o = book[0], own[0]
    for side in range(2):
        for i in range(o.n[side]):
            _take_out(b, side, o.px[side, i], o.lots[side, i])
