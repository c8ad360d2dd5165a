"""What trades say: signed flow, intensity and volume, all forgetting exponentially in engine time."""

import math

from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import Rec, kernel, layout, leaf

TAUS_S = (1.0, 5.0, 30.0)
"""Time constants: a trade weighs exp(-age / tau)."""
_TAU_SLOWEST_S = TAUS_S[2]
VOLUME_TAUS_S = (30.0, 1800.0)
"""Time constants of the recent and of the usual volume."""
_USUAL_S_MIN = 60.0
"""How much time must have been watched before there is a usual volume."""

TRADE_FLOW = layout(
    ("now_ns", "i8"),  # engine time that the numbers below are decayed to
    ("lots_total", "i8"),  # traded since the start, whoever began
    ("trades_per_s", "f8"),
    ("signed_lots", "f8", (3,)),  # bought less sold by aggressors, one per time constant
    ("volume_ns", "i8"),  # time of the last trade
    ("volume_lots", "f8", (2,)),  # by VOLUME_TAUS_S, up to volume_ns
    ("volume_s", "f8", (2,)),  # the time that they were watched for, forgotten as they are
)


@leaf
def decay(f: Rec, now_ns: int) -> None:
    """Let time pass on a record's row; a time before its own leaves it as it is."""
    if now_ns <= f.now_ns:
        return
    age_s = (now_ns - f.now_ns) / NANOS_PER_SECOND
    for i in range(3):
        f.signed_lots[i] *= math.exp(-age_s / TAUS_S[i])
    f.trades_per_s *= math.exp(-age_s / _TAU_SLOWEST_S)
    f.now_ns = now_ns


@kernel
def decay_to(flow: Rec, now_ns: int) -> None:
    """Let engine time pass without a trade."""
    decay(flow[0], now_ns)


@kernel
def on_trade(flow: Rec, market: Rec) -> None:
    """Add a TRADE event at its receive time: buyers' lots count as positive, sellers' as negative."""
    f, m = flow[0], market[0]
    decay(f, m.ts_recv_ns)
    lots = m.sz[0, 0] if m.side == 0 else -m.sz[0, 0]
    f.lots_total += m.sz[0, 0]
    for i in range(3):
        f.signed_lots[i] += lots
    f.trades_per_s += 1.0 / _TAU_SLOWEST_S
    _add_volume(f, float(m.sz[0, 0]), m.ts_recv_ns)


@leaf
def _add_volume(f: Rec, lots: float, now_ns: int) -> None:
    """Count a trade's lots; kept apart from what decays with every frame, of which there are many more."""
    age_s = max(now_ns - f.volume_ns, 0) / NANOS_PER_SECOND if f.volume_ns > 0 else 0.0
    for i in range(2):
        keep = math.exp(-age_s / VOLUME_TAUS_S[i])
        f.volume_lots[i] = keep * f.volume_lots[i] + lots
        f.volume_s[i] = keep * f.volume_s[i] + (1.0 - keep) * VOLUME_TAUS_S[i]
    f.volume_ns = max(f.volume_ns, now_ns)


@kernel
def activity(flow: Rec, now_ns: int) -> float:
    """Recent volume over the usual one, both a second; 1 until there is a usual one."""
    f = flow[0]
    age_s = max(now_ns - f.volume_ns, 0) / NANOS_PER_SECOND if f.volume_ns > 0 else 0.0
    keep, keep_slow = math.exp(-age_s / VOLUME_TAUS_S[0]), math.exp(-age_s / VOLUME_TAUS_S[1])
    recent_s = keep * f.volume_s[0] + (1.0 - keep) * VOLUME_TAUS_S[0]
    usual_s = keep_slow * f.volume_s[1] + (1.0 - keep_slow) * VOLUME_TAUS_S[1]
    if usual_s < _USUAL_S_MIN or not f.volume_lots[1] > 0.0:
        return 1.0
    usual = keep_slow * f.volume_lots[1] / usual_s
    return float(keep * f.volume_lots[0] / recent_s / usual)
