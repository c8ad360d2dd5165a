"""The risk of several instruments together: EWMA covariance of bar returns, correlations, portfolio VaR.

Volatilities are each instrument's own estimate of now, correlations come from a slower EWMA of common bars. So the
portfolio of one instrument has exactly that instrument's VaR, and a jump of one volatility is felt at once.
Bars of seconds would show too little correlation, because venues move one after the other (Epps 1979).
Source: RiskMetrics 1996 (EWMA covariance); Engle 2002 (volatilities and correlations estimated apart).
"""

import math
from collections.abc import Sequence

from mmd.core.inventory.tail_risk import DAY_S, QUANTILE_95
from mmd.core.units import NANOS_PER_SECOND

_GAP_BARS_MAX = 60


class Portfolio:
    """Covariances of the instruments' log returns over common bars.

    Attributes:
        bars: how many were taken in; correlations are 0 before the first.
    """

    def __init__(
        self, count: int, bar_ns: int = 10 * NANOS_PER_SECOND, half_life_bars: float = 90.0
    ) -> None:
        """No bar is known of any of `count` instruments."""
        self.bars = 0
        self._bar_ns = bar_ns
        self._keep = 0.5 ** (1.0 / half_life_bars)
        self._products = [[0.0] * count for _ in range(count)]
        self._weight = 0.0
        self._opened_ns: int | None = None
        self._open: list[float] = []

    def on_mids(self, mids: Sequence[float], now_ns: int) -> bool:
        """Take all mids of now (0 where there is none: then no bar is kept); returns whether a bar was closed."""
        if min(mids) <= 0.0:
            self._opened_ns = None
            return False
        opened_ns = self._opened_ns
        bars = 0 if opened_ns is None else (now_ns - opened_ns) // self._bar_ns
        if opened_ns is None or bars > _GAP_BARS_MAX:
            self._opened_ns, self._open = now_ns, list(mids)
            return False
        if bars == 0:
            return False
        returns = [math.log(mid / before) for mid, before in zip(mids, self._open, strict=True)]
        for i, row in enumerate(self._products):
            for j in range(len(row)):
                row[j] = self._keep * row[j] + returns[i] * returns[j] / bars
        self._weight = self._keep * self._weight + 1.0
        self.bars += 1
        self._opened_ns, self._open = opened_ns + bars * self._bar_ns, list(mids)
        return True

    def covariance(self, i: int, j: int) -> float:
        """Of two instruments' log returns over a bar; 0 before the first."""
        return self._products[i][j] / self._weight if self._weight > 0.0 else 0.0

    def correlation(self, i: int, j: int) -> float:
        """Of two instruments' returns, -1..1; 0 while one of them has not moved."""
        if i == j:
            return 1.0
        scale = math.sqrt(self._products[i][i] * self._products[j][j])
        return min(max(self._products[i][j] / scale, -1.0), 1.0) if scale > 0.0 else 0.0

    def value_at_risk(self, exposures: Sequence[float], sigmas: Sequence[float]) -> float:
        """One-day 95 % VaR of all positions together, in the currency of the exposures.

        Args:
            exposures: worth of each position, negative when short.
            sigmas: volatility of each instrument, log return per square root of a second.
        """
        sizes = [exposure * sigma for exposure, sigma in zip(exposures, sigmas, strict=True)]
        variance = sum(
            self.correlation(i, j) * sizes[i] * sizes[j]
            for i in range(len(sizes))
            for j in range(len(sizes))
        )
        return QUANTILE_95 * math.sqrt(max(variance, 0.0) * DAY_S)
