"""How much rests before each of our orders in its level's queue: an upper bound from book pictures alone.

At first sight all that the level shows is ahead. Afterwards it can only become less: the level shrinks below what
was ahead, or the order is filled. Cancels behind us are taken for cancels behind us, so the bound is cautious.
Source: the risk-averse queue model of hftbacktest, at four pictures a second.
"""

from collections import defaultdict

from msgspec.structs import replace

from mmd.ops.state import InstrumentState, OrderState


class QueueAhead:
    """Follows the orders of one instrument."""

    def __init__(self) -> None:
        self._ahead: dict[tuple[str, str], float] = {}

    def follow(self, row: InstrumentState, *, shows_own: bool) -> None:
        """Take in one picture; `shows_own` tells whether its book contains our orders."""
        own: defaultdict[tuple[str, str], float] = defaultdict(float)
        for order in row.orders:
            own[order.side, order.price] += float(order.qty) - float(order.filled)
        levels = {("BUY", price): float(qty) for price, qty in row.book.bids}
        levels |= {("SELL", price): float(qty) for price, qty in row.book.asks}
        ahead: dict[tuple[str, str], float] = {}
        for order in row.orders:
            place, key = (order.side, order.price), _key(order)
            before, shown = self._ahead.get(key), levels.get(place)
            if float(order.filled) > 0.0:
                ahead[key] = 0.0
            elif shown is None:
                if before is not None:
                    ahead[key] = before
            elif before is None:  # whether the picture has our order already nobody knows
                ahead[key] = shown
            else:
                others = shown - own[place] if shows_own else shown
                ahead[key] = min(before, max(others, 0.0))
        self._ahead = ahead

    def place(self, row: InstrumentState) -> InstrumentState:
        """The same instrument with queue_ahead of each order that is known."""
        orders = [replace(o, queue_ahead=self._ahead.get(_key(o))) for o in row.orders]
        return replace(row, orders=orders)


def _key(order: OrderState) -> tuple[str, str]:
    """An order that was moved to another price stands at the end of another queue."""
    return order.client_order_id, order.price
