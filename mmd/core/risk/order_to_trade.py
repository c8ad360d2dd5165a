"""Our own order-to-trade ratio: how many orders of a day may stand against its fills."""

from typing import Final

UNLIMITED: Final = 2**62


class OrderToTrade:
    """Counts new orders (placed or replacing) against fills since the day's start.

    A day begins with `grace` orders and gains `ratio_max` with each fill. Orders that reduce the position are
    counted and never refused.

    Attributes:
        fills: of the day.
    """

    __slots__ = ("_allowed", "_grace", "_left", "_ratio_max", "fills")

    def __init__(self, ratio_max: int, grace: int) -> None:
        """A ratio_max of 0 limits nothing."""
        self._ratio_max = ratio_max
        self._grace = grace
        self._allowed = grace if ratio_max > 0 else UNLIMITED
        self._left = memoryview(bytearray(8)).cast("q")
        self.on_new_day()

    def count_in(self, left: "memoryview[int]") -> None:
        """From now on keep `left` where the gate's checks read it and count it down."""
        left[0] = self.left
        self._left = left

    @property
    def left(self) -> int:
        """Orders that may still be sent."""
        return self._left[0]

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

    @property
    def orders(self) -> int:
        """Of the day, those that were approved."""
        return self._allowed + self.fills * self._ratio_max - self.left

    def on_order(self) -> None:
        """An order was approved."""
        self._left[0] -= 1

    def on_fill(self) -> None:
        """One of our orders traded."""
        self.fills += 1
        self._left[0] += self._ratio_max

    def on_new_day(self) -> None:
        """Count anew."""
        self.fills = 0
        self._left[0] = self._allowed
