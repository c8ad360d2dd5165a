"""Volatility, jumps and the information in trades, from mid prices."""

from typing import NamedTuple

import numpy as np

from mmd.calibration.observed_market import PAUSE_NS, Floats, Ints, Observed, Orders, Quotes
from mmd.core.units import NANOS_PER_SECOND

_JUMP_SIGMAS = 5.0
_RELEASES = 1.0 - np.exp(-np.geomspace(0.02, 16.0, 60))


class Diffusion(NamedTuple):
    """Mid price moves: a Gaussian part and jumps."""

    sigma_ticks: float
    """Standard deviation of the Gaussian part in one second."""
    jump_rate: float
    """Jumps a second."""
    jump_ticks: float
    """Their mean size."""


class Information(NamedTuple):
    """What market orders tell: a fraction phi is followed by a move J that is released at rate v a second."""

    phi: float
    jump_ticks: float
    release: float


def sampled_mid(quotes: Quotes, period_ns: int) -> tuple[Floats, Ints]:
    """Mid in ticks each period, and the index of the stretch between pauses that each sample lies in."""
    times = np.arange(quotes.ts_ns[0] + 1, quotes.ts_ns[-1], period_ns, dtype=np.int64)
    at = quotes.at(times)
    is_pause = np.diff(quotes.ts_ns, prepend=quotes.ts_ns[:1]) > PAUSE_NS
    stretch = np.cumsum(is_pause, dtype=np.int64)
    idle = times - quotes.ts_ns[at] > PAUSE_NS
    kept = at[~idle]
    return quotes.mid[kept], stretch[kept]


def moves(quotes: Quotes, lag_ns: int, period_ns: int | None = None) -> Floats:
    """Mid changes over a lag, not across pauses; sampled each period (default: the lag)."""
    period = lag_ns if period_ns is None else period_ns
    mid, stretch = sampled_mid(quotes, period)
    step = max(round(lag_ns / period), 1)
    same = stretch[step:] == stretch[:-step]
    found: Floats = (mid[step:] - mid[:-step])[same]
    return found


def fit_diffusion(quotes: Quotes, lag_s: float) -> Diffusion:
    """Split the variance over a lag into a Gaussian part and moves above five robust deviations.

    The Gaussian part is what is left of the realised variance; its scale is first taken from the mean
    absolute move of neighbours (bipower variation).
    Source: Barndorff-Nielsen and Shephard, "Power and bipower variation with stochastic volatility and
    jumps" (2004), equation 7.
    """
    change = moves(quotes, round(lag_s * NANOS_PER_SECOND))
    if len(change) < 3:
        return Diffusion(1.0, 0.0, 0.0)
    size = np.abs(change)
    robust = np.sqrt(np.pi / 2.0 * np.mean(size[1:] * size[:-1]))
    is_jump = size > _JUMP_SIGMAS * max(robust, 0.5)
    calm = change[~is_jump]
    jumps = size[is_jump]
    return Diffusion(
        float(np.sqrt(np.mean(calm**2) / lag_s)),
        float(len(jumps) / (len(change) * lag_s)),
        float(jumps.mean()) if len(jumps) else 0.0,
    )


def response(observed: Observed, lags_s: Floats) -> Floats:
    """Mean signed mid move after market orders, from just before them, by lag, in ticks."""
    return np.array([_signed(observed.quotes, observed.orders, lag).mean() for lag in lags_s])


def fit_information(observed: Observed, lag_s: float) -> Information:
    """Fit phi J (1 - (1 - v)^h) to the response up to lag_s.

    phi is the excess of market orders that the price follows over those it goes against at lag_s: those
    without information are followed by either alike.
    """
    lags = np.geomspace(min(0.2, lag_s / 10.0), lag_s, 12)
    curve = response(observed, lags)
    after = _signed(observed.quotes, observed.orders, lag_s)
    phi = float(np.clip((after > 0).mean() - (after < 0).mean(), 0.01, 0.9))
    best = (np.inf, 0.0, 0.5)
    for release in _RELEASES:
        shape = 1.0 - (1.0 - release) ** lags
        size = max(float(shape @ curve / (shape @ shape)), 0.0)
        error = float(((curve - size * shape) ** 2).sum())
        best = min(best, (error, size, float(release)))
    return Information(phi, best[1] / phi, best[2])


def _signed(quotes: Quotes, orders: Orders, lag_s: float) -> Floats:
    """Mid moves in the direction of each market order, where both ends are observed."""
    before = quotes.at(orders.ts_ns)
    lag_ns = round(lag_s * NANOS_PER_SECOND)
    after = quotes.at(orders.ts_ns + lag_ns)
    kept = (before >= 0) & (orders.ts_ns + lag_ns <= quotes.ts_ns[-1])
    kept &= orders.ts_ns + lag_ns - quotes.ts_ns[after] <= PAUSE_NS
    mid = quotes.mid
    found = (mid[after[kept]] - mid[before[kept]]) * orders.side[kept]
    return found if len(found) else np.zeros(1)
