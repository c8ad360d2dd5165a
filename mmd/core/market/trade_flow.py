"""What trades say: signed flow, intensity and volume, forgetting exponentially; five-minute imbalance; VPIN.

The slower sums are brought up to date by trades alone, so that frames without a trade do not pay for them.
"""

import math
from typing import Final

from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import Rec, kernel, layout, leaf

TAUS_S = (1.0, 5.0, 30.0)
"""Time constants: a trade weighs exp(-age / tau)."""
_TAU_SLOWEST_S = TAUS_S[2]
VOLUME_TAUS_S = (30.0, 1800.0)
"""Time constants of the recent and of the usual volume."""
_USUAL_S_MIN = 60.0
"""How much time must have been watched before there is a usual volume."""
LONG_TAU_S: Final = 300.0
BUCKET_S: Final = 60.0
"""A VPIN bucket holds what is traded in so long on average."""
BUCKETS: Final = 50

TRADE_FLOW = layout(
    ("now_ns", "i8"),  # engine time that the numbers below are decayed to
    ("lots_total", "i8"),  # traded since the start, whoever began
    ("trades_per_s", "f8"),
    ("signed_lots", "f8", (3,)),  # bought less sold by aggressors, one per time constant
    ("volume_ns", "i8"),  # time of the last trade
    ("volume_lots", "f8", (2,)),  # by VOLUME_TAUS_S, up to volume_ns
    ("volume_s", "f8", (2,)),  # the time that they were watched for, forgotten as they are
    ("net_lots", "i8"),  # bought less sold since the start
    ("long_trades", "f8"),  # at LONG_TAU_S, up to volume_ns, as the next
    ("long_lots", "f8", (2,)),  # bought and sold
    ("bucket_room", "f8"),  # lots until the bucket is full; 0 = none was begun
    ("bucket_lots", "f8"),  # what it holds when full
    ("bucket_signed", "f8"),
    ("vpin", "f8"),  # 0 = one-sided never, 1 = always
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


@leaf
def _add_long(f: Rec, side: int, lots: int, now_ns: int) -> None:
    """Count a trade in the five-minute sums; before volume_ns moves on to it."""
    if now_ns > f.volume_ns:
        keep = math.exp((f.volume_ns - now_ns) / (NANOS_PER_SECOND * LONG_TAU_S))
        f.long_lots[0] *= keep
        f.long_lots[1] *= keep
        f.long_trades *= keep
    f.long_lots[side] += lots
    f.long_trades += 1.0


@leaf
def _fill_bucket(f: Rec, sign: int, lots: float) -> None:
    """Volume-synchronised probability of informed trading: mean one-sidedness of buckets of equal volume.

    With the aggressor known there is no need to guess it from prices, and the mean over BUCKETS buckets forgets
    exponentially. Source: Easley, Lopez de Prado, O'Hara (2012), "Flow Toxicity and Liquidity", equation 6. It is a
    diagnostic only: it follows volume as much as information (Andersen and Bondarenko 2014).
    """
    if f.bucket_room > lots:
        f.bucket_room -= lots
        f.bucket_signed += sign * lots
        return
    if f.bucket_lots > 0.0:
        one_sided = abs(f.bucket_signed + sign * f.bucket_room) / f.bucket_lots
        f.vpin += (one_sided - f.vpin) / BUCKETS
        lots -= f.bucket_room
    # The rest fills whole buckets of one side, and begins one of the present average size.
    f.bucket_lots = max((f.long_lots[0] + f.long_lots[1]) / LONG_TAU_S * BUCKET_S, 1.0)
    whole = math.floor(lots / f.bucket_lots)
    f.vpin = 1.0 - (1.0 - f.vpin) * (1.0 - 1.0 / BUCKETS) ** whole
    rest = lots - whole * f.bucket_lots
    f.bucket_signed = sign * rest
    f.bucket_room = f.bucket_lots - rest


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
    f.net_lots += lots
    _add_long(f, m.side, m.sz[0, 0], m.ts_recv_ns)
    _add_volume(f, float(m.sz[0, 0]), m.ts_recv_ns)
    _fill_bucket(f, 1 - 2 * m.side, float(m.sz[0, 0]))


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


@leaf
def imbalance(f: Rec) -> float:
    """Bought less sold over both, at LONG_TAU_S: -1 to 1; 0 before the first trade."""
    total = f.long_lots[0] + f.long_lots[1]
    return float((f.long_lots[0] - f.long_lots[1]) / total) if total > 0.0 else 0.0


def net_imbalance(flow: Rec) -> float:
    """`imbalance` for whoever shows it."""
    bought, sold = (float(lots) for lots in flow["long_lots"][0])
    return (bought - sold) / (bought + sold) if bought + sold > 0.0 else 0.0
