"""Risk-adjusted performance of a PnL curve: Sharpe, Sortino, drawdown."""

from typing import Final, NamedTuple

import msgspec
import numpy as np

from mmd.analytics.bootstrap import Interval, statistic_interval
from mmd.analytics.columns import Floats, Ints
from mmd.core.units import NANOS_PER_SECOND

BAR_S: Final = 60
_YEAR_S: Final = 365 * 86_400
"""Crypto venues trade every second of the year."""


class Ratio(msgspec.Struct, frozen=True):
    """A ratio of mean to risk per bar of PnL, annualised.

    Attributes:
        annualised: with its bootstrap interval; its count is the number of bars.
        standard_error: of the annualised estimate; None where no formula is used.
        bar_s: length of a bar.
        annual_factor: what the ratio per bar was multiplied with: sqrt(bars in 365 days).
    """

    annualised: Interval
    standard_error: float | None
    bar_s: int
    annual_factor: float


class Drawdown(NamedTuple):
    """The largest fall of an equity curve from its peak so far."""

    amount: float
    """Quote currency, at least 0."""
    peak_ns: int
    trough_ns: int


def pnl_bars(ts_ns: Ints, equity: Floats, bar_s: int = BAR_S) -> Floats:
    """PnL of each whole bar from the first sample on; equity at a boundary is the last one known there.

    Args:
        ts_ns: ascending.
        equity: quote currency.
        bar_s: 60 to 300 is usual.
    """
    if len(ts_ns) == 0:
        return np.zeros(0)
    bar_ns = bar_s * NANOS_PER_SECOND
    bars = int(ts_ns[-1] - ts_ns[0]) // bar_ns
    edges_ns = ts_ns[0] + bar_ns * np.arange(bars + 1)
    at = ts_ns.searchsorted(edges_ns, side="right") - 1
    made: Floats = np.diff(equity[at])
    return made


def sharpe(bars: Floats, rng: np.random.Generator, bar_s: int = BAR_S) -> Ratio:
    """Mean over standard deviation of PnL bars, annualised by sqrt(bars in 365 days).

    The same for PnL and for returns on any fixed capital. The standard error holds for independent bars,
    sqrt((1 + SR^2 / 2) / n) per bar; the interval does not need them to be.

    Source: Lo (2002), The Statistics of Sharpe Ratios, Financial Analysts Journal 58, equation 9.
    """
    factor = float(np.sqrt(_YEAR_S / bar_s))
    found = statistic_interval(bars, lambda b: factor * _over(b.mean(1), b.std(1, ddof=1)), rng)
    error = None
    if found.estimate is not None:
        per_bar = found.estimate / factor
        error = factor * float(np.sqrt((1.0 + 0.5 * per_bar**2) / len(bars)))
    return Ratio(found, error, bar_s, factor)


def sortino(bars: Floats, rng: np.random.Generator, bar_s: int = BAR_S) -> Ratio:
    """Mean over downside deviation, sqrt(mean(min(bar, 0)^2)), annualised as Sharpe is.

    None where no bar lost. Source: Sortino & van der Meer (1991), J. Portfolio Management 17, target 0.
    """
    factor = float(np.sqrt(_YEAR_S / bar_s))

    def ratio(b: Floats) -> Floats:
        return factor * _over(b.mean(1), np.sqrt((np.minimum(b, 0.0) ** 2).mean(1)))

    return Ratio(statistic_interval(bars, ratio, rng), None, bar_s, factor)


def underwater(equity: Floats) -> Floats:
    """Equity less its peak so far: 0 or negative."""
    below: Floats = equity - np.maximum.accumulate(equity)
    return below


def max_drawdown(ts_ns: Ints, equity: Floats) -> Drawdown | None:
    """The largest fall from a peak, on equity marked at mid, as sampled; None without samples."""
    if len(equity) == 0:
        return None
    below = underwater(equity)
    trough = int(below.argmin())
    peak = int(equity[: trough + 1].argmax())
    return Drawdown(abs(float(below[trough])), int(ts_ns[peak]), int(ts_ns[trough]))


def _over(above: Floats, below: Floats) -> Floats:
    """A quotient that is NaN where the divisor is 0: no risk was seen, so nothing can be said."""
    quotient: Floats = np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0.0)
    return quotient
