"""How much an inventory may lose in a day: value at risk and expected shortfall at 95 %, from its volatility.

    VaR = 1.645 |q| S sigma_day          the normal quantile; linear in the position, so that a limit on it caps q
    ES  = m |q| S sigma_day              m = mean of the worst 5 % of standardised returns, against the position

The second is filtered historical simulation: each bar's return is divided by the volatility expected before it, so
that calm and wild times are comparable, the tail's shape is taken from these, and its size from the volatility
of now. Both scale by the square root of time, as if bars were independent; the tail of a bar is fatter than that
of a day, so the shortfall errs on the safe side.
Source: McNeil and Frey 2000 (filtered residuals); Barone-Adesi, Giannopoulos and Vosper 1999; RiskMetrics 1996 (EWMA).
"""

import math
from typing import Final

import numpy as np

from mmd.core.units import NANOS_PER_SECOND

DAY_S: Final = 86_400
QUANTILE_95: Final = 1.645
"""Of the standard normal distribution."""
NORMAL_SHORTFALL_95: Final = 2.063
"""Mean of a standard normal variable beyond that quantile."""
TAIL: Final = 0.05
_SQRT_DAY = math.sqrt(DAY_S)
_GAP_BARS_MAX = 60
_LEARNING_BARS = 20


def value_at_risk(position_base: float, sigma_price: float) -> float:
    """One-day 95 % VaR in quote currency.

    Args:
        position_base: inventory in base currency, of either sign.
        sigma_price: volatility, quote currency per square root of a second.
    """
    return QUANTILE_95 * abs(position_base) * sigma_price * _SQRT_DAY


def position_at_risk_limit(var_max: float, sigma_price: float) -> float:
    """The largest inventory, in base currency, whose VaR is no more than var_max (quote currency)."""
    per_unit = value_at_risk(1.0, sigma_price)
    return var_max / per_unit if per_unit > 0.0 else math.inf


class TailRisk:
    """The shape of an instrument's returns: a ring of standardised bar returns; constant memory.

    Attributes:
        samples: standardised returns in the ring.
        multiples: sigma to multiply for the expected shortfall of a short (0) and of a long position (1).
    """

    def __init__(
        self,
        bar_ns: int = 10 * NANOS_PER_SECOND,
        half_life_bars: float = 30.0,
        capacity: int = 2_048,
        samples_min: int = 100,
    ) -> None:
        """Start with the normal distribution's tail, which holds until samples_min bars are in.

        Args:
            bar_ns: length of a bar.
            half_life_bars: after which a squared return counts half in the volatility that filters the next.
            capacity: bars remembered.
            samples_min: fewer say nothing about a tail.
        """
        self.samples = 0
        self.multiples = (NORMAL_SHORTFALL_95, NORMAL_SHORTFALL_95)
        self._bar_ns = bar_ns
        self._keep = 0.5 ** (1.0 / half_life_bars)
        self._samples_min = samples_min
        self._ring = np.zeros(capacity)
        self._head = 0
        self._opened_ns: int | None = None
        self._open = 0.0
        self._squares = self._weight = 0.0
        self._learnt = 0

    def on_mid(self, mid: float, now_ns: int) -> bool:
        """Take the mid of now (above 0, any unit); returns whether a bar was closed."""
        opened_ns = self._opened_ns
        bars = 0 if opened_ns is None else (now_ns - opened_ns) // self._bar_ns
        if opened_ns is None or bars > _GAP_BARS_MAX:
            self._opened_ns, self._open = now_ns, mid
            return False
        if bars == 0:
            return False
        self._on_return(math.log(mid / self._open) / math.sqrt(bars))
        self._opened_ns, self._open = opened_ns + bars * self._bar_ns, mid
        return True

    def shortfall(self, position_base: float, sigma_price: float) -> float:
        """One-day 95 % expected shortfall in quote currency; arguments as for `value_at_risk`."""
        multiple = self.multiples[position_base > 0.0]
        return multiple * abs(position_base) * sigma_price * _SQRT_DAY

    def _on_return(self, log_return: float) -> None:
        """Standardise by what was expected before, then learn from it."""
        variance = self._squares / self._weight if self._weight > 0.0 else 0.0
        if self._learnt >= _LEARNING_BARS and variance > 0.0:
            self._ring[self._head % self._ring.size] = log_return / math.sqrt(variance)
            self._head += 1
            self.samples = min(self._head, self._ring.size)
            if self.samples >= self._samples_min:
                self.multiples = _tail_means(self._ring[: self.samples])
        self._learnt += 1
        self._squares = self._keep * self._squares + log_return * log_return
        self._weight = self._keep * self._weight + 1.0


def _tail_means(standardised: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float]:
    """Mean of the highest 5 % (what hurts a short position) and of the lowest, its sign turned."""
    ordered = np.sort(standardised)
    n = max(int(TAIL * ordered.size), 1)
    return max(float(ordered[-n:].mean()), 0.0), max(-float(ordered[:n].mean()), 0.0)
