"""What trades say: signed flow and intensity, both forgetting exponentially in engine time."""

import math

from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import Rec, kernel, layout, leaf

TAUS_S = (1.0, 5.0, 30.0)
"""Time constants: a trade weighs exp(-age / tau)."""
_TAU_SLOWEST_S = TAUS_S[2]

TRADE_FLOW = layout(
    ("now_ns", "i8"),  # engine time that the numbers below are decayed to
    ("trades_per_s", "f8"),
    ("signed_lots", "f8", (3,)),  # bought less sold by aggressors, one per time constant
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
    for i in range(3):
        f.signed_lots[i] += lots
    f.trades_per_s += 1.0 / _TAU_SLOWEST_S
