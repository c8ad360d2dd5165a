"""What our latest fills were worth a while later: an average in which each fill counts a little less than the next."""

from typing import Final

from mmd.core.flow.markout import FILLS_MAX
from mmd.jit.kernel import Rec

HALF_LIFE_FILLS: Final = 20.0
_KEEP: Final = 0.5 ** (1.0 / HALF_LIFE_FILLS)


class RecentMarkout:
    """Mean markout (edge and what the mid did until the horizon) of the fills judged lately, by quantity.

    Attributes:
        fills: how many count, the older ones less than 1 each; never above 1 / (1 - 2^(-1/20)), about 29.
    """

    def __init__(self, markout: Rec, horizon: int) -> None:
        """Follow a MARKOUT record at one of its horizons, given by its index."""
        self.fills = 0.0
        self._markout = markout
        self._horizon = horizon
        self._seen = self._dropped = 0
        self._moved = 0
        self._lots = self._half_ticks = 0.0

    @property
    def ticks(self) -> float | None:
        """Mean markout in ticks, negative when the flow was adverse; None before the first judgement."""
        return self._half_ticks / self._lots / 2.0 if self._lots > 0.0 else None

    def update(self) -> None:
        """Take in what has been judged since the last time; to be called about once a second.

        Fills that are judged between two calls count alike. Those that the record lost are left out.
        """
        m, horizon = self._markout[0], self._horizon
        judged, dropped = int(m["judged"][horizon]), int(m["dropped"][horizon])
        moved = int(m["moved"][:, horizon].sum())
        lost, self._dropped = dropped - self._dropped, dropped
        lots = half_ticks = 0.0
        for at in range(self._seen + lost, judged):
            i = at % FILLS_MAX
            qty = int(m["lots"][i])
            lots += qty
            half_ticks += qty * int(m["sign"][i]) * int(m["before"][i] - m["paid"][i])
        fills = judged - self._seen - lost
        if fills > 0:
            keep = _KEEP**fills
            self.fills = self.fills * keep + (1.0 - keep) / (1.0 - _KEEP)
            self._lots = self._lots * keep + lots
            self._half_ticks = self._half_ticks * keep + half_ticks + (moved - self._moved)
        self._seen, self._moved = judged, moved
