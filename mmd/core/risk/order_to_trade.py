"""Our own order-to-trade ratio: how many orders of a day may stand against its fills."""

from typing import Final

UNLIMITED: Final = 2**62


class OrderToTrade:
    """Counts new orders (placed or replacing) against fills since the day's start.

    A day begins with `grace` orders and gains `ratio_max` with each fill. Orders that reduce the position are
    counted and never refused.

    Attributes:
        left: orders that may still be sent; what the gate reads and counts down.
        orders, fills: of the day.
    """

    __slots__ = ("_grace", "_ratio_max", "fills", "left", "orders")

    def __init__(self, ratio_max: int, grace: int) -> None:
        """A ratio_max of 0 limits nothing."""
        self._ratio_max = ratio_max
        self._grace = grace
        self.on_new_day()

    @property
    def ratio(self) -> float:
        """Orders per fill; orders alone while there is no fill."""
        return self.orders / max(self.fills, 1)

    @property
    def headroom(self) -> float | None:
        """Share of the allowed orders that is left; None without a limit."""
        if self._ratio_max == 0:
            return None
        return max(self.left, 0) / (self._grace + self.fills * self._ratio_max)

    def on_order(self) -> None:
        """An order was approved."""
        self.orders += 1
        self.left -= 1

    def on_fill(self) -> None:
        """One of our orders traded."""
        self.fills += 1
        self.left += self._ratio_max

    def on_new_day(self) -> None:
        """Count anew."""
        self.orders = self.fills = 0
        self.left = self._grace if self._ratio_max > 0 else UNLIMITED
