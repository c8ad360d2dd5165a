"""What the fills of a stretch of time have earned, once the markout's horizon has passed for the last of them.

A stretch is a half-open range of fills, counted as MARKOUT counts them. Earned is edge and what the mid did until the
horizon, less fees: so a stretch answers for its own fills and not for the inventory that it inherited.
"""

from typing import NamedTuple

from mmd.core.flow.markout import FILLS_MAX
from mmd.jit.kernel import Rec


class Earnings(NamedTuple):
    """Of a stretch."""

    fills: int
    lots: int
    tick_lots: float
    """Markouts, before fees."""


class BlockEarnings:
    """Reads a MARKOUT record at one of its horizons."""

    def __init__(self, markout: Rec, horizon: int) -> None:
        """The horizon is given by its index in HORIZONS_NS."""
        self._markout = markout
        self._horizon = horizon
        self._head = memoryview(markout["head"])

    @property
    def head(self) -> int:
        """Fills ever taken in: where a stretch that begins or ends now does so."""
        return self._head[0]

    def is_judged(self, end: int) -> bool:
        """Whether the horizon has passed for every fill before `end`."""
        return int(self._markout["judged"][0, self._horizon]) >= end

    def of(self, first: int, end: int) -> Earnings | None:
        """What fills first..end-1 earned; all must be judged. None where the record has lost some of them."""
        m, horizon = self._markout[0], self._horizon
        if self.head - first > FILLS_MAX:
            return None
        lots, half_ticks = 0, 0
        for at in range(first, end):
            i = at % FILLS_MAX
            after, qty = int(m["after"][horizon, i]), int(m["lots"][i])
            if after == 0:
                return None
            lots += qty
            half_ticks += qty * int(m["sign"][i]) * (after - int(m["paid"][i]))
        return Earnings(end - first, lots, half_ticks / 2.0)
