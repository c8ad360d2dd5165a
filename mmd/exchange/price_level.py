"""One price of the book: orders of accounts and anonymous background in a single first-in, first-out queue.

Background need not be kept order by order: between two orders of accounts only its total matters. So a
level is `background[0], orders[0], background[1], orders[1], ..., tail`, and a level without accounts'
orders (nearly all of them) is one number.
"""

from mmd.exchange.orders import Order


class PriceLevel:
    """A queue; `ahead[i]` lots of background stand between orders[i-1] and orders[i], `tail` behind all."""

    __slots__ = ("ahead", "orders", "tail")

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.ahead: list[int] = []
        self.tail = 0

    @property
    def background(self) -> int:
        """Lots that belong to nobody we know."""
        return self.tail + sum(self.ahead) if self.ahead else self.tail

    @property
    def total(self) -> int:
        """Lots displayed."""
        if not self.orders:
            return self.tail
        return self.background + sum(o.leaves_lots for o in self.orders)

    def join(self, order: Order) -> None:
        """Put an order at the end of the queue."""
        self.orders.append(order)
        self.ahead.append(self.tail)
        self.tail = 0

    def leave(self, order: Order) -> None:
        """Take an order out wherever it stands; the background round it closes up."""
        at = next(i for i, o in enumerate(self.orders) if o is order)
        del self.orders[at]
        gap = self.ahead.pop(at)
        if at < len(self.ahead):
            self.ahead[at] += gap
        else:
            self.tail += gap

    def lots_ahead(self, order: Order) -> int:
        """Lots that must trade or leave before the order's turn."""
        at = next(i for i, o in enumerate(self.orders) if o is order)
        return sum(self.ahead[: at + 1]) + sum(o.leaves_lots for o in self.orders[:at])

    def front(self) -> tuple[Order | None, int]:
        """Who is next to trade (None: background) and with how many lots."""
        if self.orders and self.ahead[0] == 0:
            return self.orders[0], self.orders[0].leaves_lots
        return None, self.ahead[0] if self.orders else self.tail

    def consume_front(self, qty_lots: int) -> None:
        """Take background from the front; at most what `front` offered."""
        if self.orders:
            self.ahead[0] -= qty_lots
        else:
            self.tail -= qty_lots

    def remove_back(self, qty_lots: int) -> int:
        """Take background from the back, as a cautious queue model has it; returns how much was there."""
        taken = min(qty_lots, self.tail)
        self.tail -= taken
        at = len(self.ahead)
        while taken < qty_lots and at > 0:
            at -= 1
            step = min(qty_lots - taken, self.ahead[at])
            self.ahead[at] -= step
            taken += step
        return taken

    def rotate(self, qty_lots: int) -> list[tuple[Order, int]]:
        """Let a printed trade of qty_lots pass through the queue without changing the background's total.

        Background that it traded moves behind every order (the next diff takes it away there), so orders
        advance; returns what it gives to each order that it reaches. The caller books those fills.
        """
        given = []
        left = qty_lots
        for i, order in enumerate(self.orders):
            step = min(left, self.ahead[i])
            self.ahead[i] -= step
            self.tail += step
            left -= step
            if left == 0:
                break
            fill = min(left, order.leaves_lots)
            given.append((order, fill))
            left -= fill
            if left == 0:
                break
        return given
