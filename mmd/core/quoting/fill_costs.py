"""What fills have cost lately: the adverse move after them, and the share of them that lost money.

Read once a second from the sums that markouts are judged into; each judged fill makes the earlier ones count less.
Without data the cost of adverse selection is a prior, which weighs as much as PRIOR_FILLS fills; measured, it is
capped: after a jump no quote would ever be filled again to show that the jump is over.

Source of prior and cap: 10 and 50 basis points, as the component form of Ho and Stoll is commonly calibrated.
"""

from typing import Final

from mmd.core.flow.markout import HORIZONS_NS
from mmd.core.units import Side
from mmd.jit.kernel import Rec

HORIZON: Final = HORIZONS_NS.index(5_000_000_000)
PRIOR_FILLS: Final = 10.0
HALF_LIFE_FILLS: Final = 100.0
COST_BPS_PRIOR: Final = 10.0
COST_BPS_MAX: Final = 50.0
_SUMS: Final = ("fills", "weight", "moved", "lost")
_BUY, _SELL = int(Side.BUY), int(Side.SELL)


class FillCosts:
    """Discounted sums of one instrument's judged fills.

    Attributes:
        fills: how many count, discounted.
        adverse_ratio: share of fills with a negative markout, shrunk to 0 by PRIOR_FILLS fills.
    """

    __slots__ = ("_lots", "_moved", "_seen", "_sums", "adverse_ratio", "fills")

    def __init__(self, markout: Rec) -> None:
        """`markout` is the MARKOUT record that the instrument's fills are judged in."""
        self._sums = [memoryview(markout[name][0]) for name in _SUMS]
        """By side and horizon."""
        self._seen: tuple[int, ...] = (0, 0, 0, 0)
        self._lots = self._moved = 0.0
        self.fills = self.adverse_ratio = 0.0

    def update(self) -> None:
        """Take in what was judged since the last call."""
        judged = self._sums[0]
        if judged[_BUY, HORIZON] + judged[_SELL, HORIZON] == self._seen[0]:
            return
        now = tuple(by[_BUY, HORIZON] + by[_SELL, HORIZON] for by in self._sums)
        fills, lots, moved, lost = (a - b for a, b in zip(now, self._seen, strict=True))
        self._seen = now
        keep = 0.5 ** (fills / HALF_LIFE_FILLS)
        lost_before = self.adverse_ratio * (self.fills + PRIOR_FILLS)
        self.fills = keep * self.fills + fills
        self._lots = keep * self._lots + lots
        self._moved = keep * self._moved + moved
        self.adverse_ratio = (keep * lost_before + lost) / (self.fills + PRIOR_FILLS)

    def adverse_ticks(self, ticks_per_bps: float) -> float:
        """Cost of adverse selection of a fill, from 0 to COST_BPS_MAX basis points."""
        prior = COST_BPS_PRIOR * ticks_per_bps
        measured = -0.5 * self._moved / self._lots if self._lots > 0.0 else 0.0
        shrunk = (PRIOR_FILLS * prior + self.fills * measured) / (PRIOR_FILLS + self.fills)
        return min(max(shrunk, 0.0), COST_BPS_MAX * ticks_per_bps)
