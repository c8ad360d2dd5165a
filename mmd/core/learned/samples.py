"""The sampling clock of predictors: one vector of inputs at the end of each bar of engine time.

A bar is closed by the first event after its end, before that event changes anything, and everything that decays is
decayed to the bar's end and no further. So a sample does not depend on when anybody looked: the daemon with its
timers, a backtest and training on a tape get the same numbers.
"""

import math
from typing import Final

import numpy as np

from mmd.core.learned.schema import N
from mmd.core.market import features as feats
from mmd.core.market.trade_flow import decay
from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import Rec, kernel, layout, leaf

NOT_YET, CLOSED, RESTARTED = 0, 1, 2
"""What `close` did: no bar has ended; one sample was written; the past was forgotten after a long silence."""
BAR_NS: Final = 100_000_000
WARM_BARS: Final = 100
"""Samples after a restart before a prediction may be relied on."""
GAP_BARS_MAX: Final = 600
"""A longer silence says nothing about the market: the clock starts again."""
_RING: Final = 64
_LONG: Final = 50
_VOLUME_KEEP: Final = 0.998
_DAY_S: Final = 86_400.0
_THURSDAY: Final = 3
"""1970-01-01, with Monday as 0."""

SAMPLES = layout(
    ("bar_ns", "i8"),
    ("unix_less_engine_ns", "i8"),
    ("end_ns", "i8"),  # of the bar at hand; 0 = the clock has not started
    ("bars", "i8"),  # closed since the start
    ("lots_before", "i8"),  # traded up to the last bar's end
    ("volume_slow", "f8"),  # slow average of a bar's lots
    ("log_volume", "f8"),  # log(1 + lots) of the last bar
    ("mids", "f8", (_RING,)),  # at the ends of the last bars, ticks
    ("x", "f8", (N,)),
)

_OFI, _FLOW = feats.index("ofi_1s"), feats.index("flow_1s")
_OFI_LEVEL, _RETURN = feats.index("ofi_level_2_5s"), feats.index("return_1s")
_INTENSITY = feats.index("trade_intensity")
_BAR: Final = feats.N


def start(samples: Rec, *, unix_less_engine_ns: int, bar_ns: int = BAR_NS) -> None:
    """Begin with no past; unix_less_engine_ns is what to add to engine time for the time of day."""
    assert bar_ns > 0, f"expected a positive bar, found {bar_ns} ns"
    samples[:] = np.zeros((), samples.dtype)
    samples["bar_ns"], samples["unix_less_engine_ns"] = bar_ns, unix_less_engine_ns


@leaf
def _restart(s: Rec, t: Rec, now_ns: int) -> None:
    """Let the first bar begin now, on the clock's grid, so that all instruments close theirs together."""
    s.end_ns = (now_ns // s.bar_ns + 1) * s.bar_ns
    s.bars = 0
    s.lots_before = t.lots_total
    s.volume_slow = 0.0
    s.log_volume = 0.0


@leaf
def _decayed_features(s: Rec, f: Rec, t: Rec) -> None:
    """The feature vector as of the bar's end: all that forgets has forgotten up to there."""
    feats.pass_time(f, s.end_ns)
    decay(t, s.end_ns)
    for i in range(feats.N):
        s.x[i] = f.x[i]
    s.x[_OFI - 1] = 0.0  # the order flow of the last update alone is old by now
    for i in range(3):
        s.x[_OFI + i] = f.ofi[i]
        s.x[_FLOW + i] = t.signed_lots[i]
        s.x[_RETURN + i] = f.returns[i]
    for k in range(1, 5):
        s.x[_OFI_LEVEL + k - 1] = f.ofi_level[k]
    s.x[_INTENSITY] = t.trades_per_s


@leaf
def _window(s: Rec, bars: int) -> tuple[float, float]:
    """Mean of the last mids and standard deviation of their changes, over as many bars as there are."""
    n = min(bars, s.bars + 1)
    total = squares = 0.0
    for i in range(n):
        at = (s.bars - i) % _RING
        total += s.mids[at]
        if i + 1 < n:
            change = s.mids[at] - s.mids[(s.bars - i - 1) % _RING]
            squares += change * change
    return total / n, math.sqrt(squares / max(n - 1, 1))


@leaf
def _price_inputs(s: Rec, mid: float) -> None:
    """Return, distance from moving averages, volatilities."""
    before = s.mids[(s.bars - 1) % _RING] if s.bars > 0 else mid
    s.mids[s.bars % _RING] = mid
    average_10, sigma_10 = _window(s, 10)
    _, sigma_20 = _window(s, 20)
    average_50, sigma_50 = _window(s, _LONG)
    spread_50 = sigma_50 * math.sqrt(_LONG / 3.0)  # sd of a random walk about its own mean
    s.x[_BAR] = mid - before
    s.x[_BAR + 1] = 1e4 * math.log(mid / before)
    s.x[_BAR + 2] = mid - average_10
    s.x[_BAR + 3] = mid - average_50
    s.x[_BAR + 4] = (mid - average_50) / spread_50 if spread_50 > 0.0 else 0.0
    s.x[_BAR + 5] = sigma_10
    s.x[_BAR + 6] = sigma_20
    s.x[_BAR + 7] = sigma_50


@leaf
def _volume_inputs(s: Rec, lots: int) -> None:
    """The bar's volume, against its slow average and the bar before."""
    log_volume = math.log1p(lots)
    s.volume_slow = _VOLUME_KEEP * s.volume_slow + (1.0 - _VOLUME_KEEP) * lots
    trust = 1.0 - _VOLUME_KEEP ** (s.bars + 1)
    s.x[_BAR + 8] = log_volume
    s.x[_BAR + 9] = log_volume - math.log1p(s.volume_slow / trust)
    s.x[_BAR + 10] = log_volume - s.log_volume
    s.log_volume = log_volume


@leaf
def _calendar_inputs(s: Rec) -> None:
    """Where in its day and week the bar ends, in UTC."""
    unix_s = (s.end_ns + s.unix_less_engine_ns) / NANOS_PER_SECOND
    day = 2.0 * math.pi * (unix_s % _DAY_S) / _DAY_S
    week = 2.0 * math.pi * ((unix_s + _THURSDAY * _DAY_S) % (7 * _DAY_S)) / (7 * _DAY_S)
    s.x[_BAR + 11] = math.sin(day)
    s.x[_BAR + 12] = math.cos(day)
    s.x[_BAR + 13] = math.sin(week)
    s.x[_BAR + 14] = math.cos(week)


@kernel
def close(samples: Rec, features: Rec, flow: Rec, now_ns: int) -> int:
    """Close the bar at hand if it has ended by now, and write its sample to x; call again until NOT_YET.

    To be called before the event of now_ns is applied. A bar in which the book was unknown ends the past.
    Returns: NOT_YET, CLOSED or RESTARTED.
    """
    s, f, t = samples[0], features[0], flow[0]
    if now_ns <= s.end_ns:
        return NOT_YET
    if s.end_ns == 0 or f.primed == 0 or now_ns - s.end_ns > GAP_BARS_MAX * s.bar_ns:
        was_idle = s.bars == 0 and s.end_ns != 0
        _restart(s, t, now_ns)
        return NOT_YET if was_idle else RESTARTED
    _decayed_features(s, f, t)
    _price_inputs(s, f.mid)
    _volume_inputs(s, t.lots_total - s.lots_before)
    _calendar_inputs(s)
    s.lots_before = t.lots_total
    s.end_ns += s.bar_ns
    s.bars += 1
    return CLOSED
