"""The feature vector that predictors read: what the book's view, the trades and the past minute say.

Sums over the past forget exponentially in engine time: an event weighs exp(-age / tau), tau = 1, 5, 30 s.
"""

import math

import numpy as np

from mmd.core.market.microprice import size_weighted
from mmd.core.market.trade_flow import TAUS_S, decay
from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import Rec, kernel, layout, leaf

OK, NO_TOUCH = 0, 1
_DEPTH = 5

NAMES = (
    ("spread", "ticks"),
    ("imbalance_1", "ratio"),
    ("imbalance_5", "ratio"),
    ("imbalance_10", "ratio"),
    ("microprice_less_mid", "ticks"),
    ("ofi", "lots"),
    ("ofi_1s", "lots"),
    ("ofi_5s", "lots"),
    ("ofi_30s", "lots"),
    ("ofi_level_2_5s", "lots"),
    ("ofi_level_3_5s", "lots"),
    ("ofi_level_4_5s", "lots"),
    ("ofi_level_5_5s", "lots"),
    ("depth_slope_bid", "lots/tick"),
    ("depth_slope_ask", "lots/tick"),
    ("flow_1s", "lots"),
    ("flow_5s", "lots"),
    ("flow_30s", "lots"),
    ("trade_intensity", "trades/s"),
    ("sigma", "ticks/sqrt(s)"),
    ("return_1s", "ticks"),
    ("return_5s", "ticks"),
    ("return_30s", "ticks"),
    ("log_depth_bid_1", "log(1+lots)"),
    ("log_depth_ask_1", "log(1+lots)"),
    ("log_depth_bid_5", "log(1+lots)"),
    ("log_depth_ask_5", "log(1+lots)"),
)
"""(name, unit) of each element of `x`, in order."""
N = len(NAMES)


def index(name: str) -> int:
    """Where a feature stands in `x`. Raises: ValueError if there is no such feature."""
    return [known for known, _ in NAMES].index(name)


# Kernels take these as constants; where a feature has several taus, levels or sides they follow in order.
_SPREAD, _IMBALANCE, _MICROPRICE = (
    index("spread"),
    index("imbalance_1"),
    index("microprice_less_mid"),
)
_OFI, _OFI_DECAYED, _OFI_LEVEL = index("ofi"), index("ofi_1s"), index("ofi_level_2_5s")
_SLOPE, _FLOW, _INTENSITY = index("depth_slope_bid"), index("flow_1s"), index("trade_intensity")
_SIGMA, _RETURN = index("sigma"), index("return_1s")
_LOG_DEPTH_1, _LOG_DEPTH_5 = index("log_depth_bid_1"), index("log_depth_bid_5")

FEATURES = layout(
    ("now_ns", "i8"),
    ("primed", "i8"),  # whether the levels below are the last update's
    ("mid", "f8"),  # ticks
    (
        "centre",
        "f8",
    ),  # ticks: what fair value starts from; written by mmd.core.quoting.inputs.observe
    ("prev_n", "i8", (2,)),
    ("prev_px", "i8", (2, _DEPTH)),
    ("prev_sz", "i8", (2, _DEPTH)),
    ("ofi", "f8", (3,)),
    ("ofi_level", "f8", (_DEPTH,)),  # at tau = 5 s; element 0 is not used
    ("returns", "f8", (3,)),
    ("x", "f8", (N,)),
)


@leaf
def _level_ofi(f: Rec, b: Rec, k: int) -> float:
    """Order flow imbalance of the k-th levels since the last update, in lots; 0 where one is missing.

    Source: Cont, Kukanov, Stoikov 2014, "The price impact of order book events", eq. 10.
    """
    if min(f.prev_n[0], f.prev_n[1], b.nview[0], b.nview[1]) <= k:
        return 0.0
    flow = 0
    if b.vpx[0, k] >= f.prev_px[0, k]:
        flow += b.vsz[0, k]
    if b.vpx[0, k] <= f.prev_px[0, k]:
        flow -= f.prev_sz[0, k]
    if b.vpx[1, k] <= f.prev_px[1, k]:
        flow -= b.vsz[1, k]
    if b.vpx[1, k] >= f.prev_px[1, k]:
        flow += f.prev_sz[1, k]
    return float(flow)


@leaf
def pass_time(f: Rec, now_ns: int) -> None:
    """Let the decaying sums forget up to now."""
    if now_ns <= f.now_ns:
        return
    age_s = (now_ns - f.now_ns) / NANOS_PER_SECOND
    for i in range(3):
        keep = math.exp(-age_s / TAUS_S[i])
        f.ofi[i] *= keep
        f.returns[i] *= keep
        if i == 1:
            for k in range(1, _DEPTH):
                f.ofi_level[k] *= keep
    f.now_ns = now_ns


@leaf
def _remember(f: Rec, b: Rec) -> None:
    """Keep the best levels for the next update's flows."""
    for side in range(2):
        f.prev_n[side] = min(b.nview[side], _DEPTH)
        for k in range(f.prev_n[side]):
            f.prev_px[side, k] = b.vpx[side, k]
            f.prev_sz[side, k] = b.vsz[side, k]


@leaf
def _depth_features(x: Rec, b: Rec, mid: float) -> None:
    """Imbalances, slopes and log depths: all that the view says by itself."""
    lots_1, lots_5, lots_10 = (0.0, 0.0), (0.0, 0.0), (0.0, 0.0)
    for side in range(2):
        total = five = 0.0
        n = min(b.nview[side], 10)
        for k in range(n):
            total += b.vsz[side, k]
            if k < _DEPTH:
                five = total
        best = float(b.vsz[side, 0])
        lots_1 = (lots_1[1], best)
        lots_5 = (lots_5[1], five)
        lots_10 = (lots_10[1], total)
        x[_SLOPE + side] = total / max(abs(b.vpx[side, n - 1] - mid), 0.5)
        x[_LOG_DEPTH_1 + side] = math.log1p(best)
        x[_LOG_DEPTH_5 + side] = math.log1p(five)
    x[_IMBALANCE] = (lots_1[0] - lots_1[1]) / (lots_1[0] + lots_1[1])
    x[_IMBALANCE + 1] = (lots_5[0] - lots_5[1]) / (lots_5[0] + lots_5[1])
    x[_IMBALANCE + 2] = (lots_10[0] - lots_10[1]) / (lots_10[0] + lots_10[1])


@kernel
def update(features: Rec, book: Rec, flow: Rec, vol: Rec, now_ns: int) -> int:
    """Bring x up to date after a change of the book's view; the trade flow is decayed to now as well.

    Returns:
        OK, or NO_TOUCH where the book is unsynchronised or a side of it is empty: x stays as it was, and
        the next update measures no flow and no return across the hole.
    """
    f, b, t = features[0], book[0], flow[0]
    pass_time(f, now_ns)
    decay(t, now_ns)
    if b.synced == 0 or b.nview[0] == 0 or b.nview[1] == 0:
        f.primed = 0
        return NO_TOUCH
    bid, ask = float(b.vpx[0, 0]), float(b.vpx[1, 0])
    mid, x = 0.5 * (bid + ask), f.x
    x[_OFI] = 0.0
    if f.primed != 0:
        x[_OFI] = _level_ofi(f, b, 0)
        for k in range(1, _DEPTH):
            f.ofi_level[k] += _level_ofi(f, b, k)
        for i in range(3):
            f.ofi[i] += x[_OFI]
            f.returns[i] += mid - f.mid
    _remember(f, b)
    f.mid = mid
    f.primed = 1
    _depth_features(x, b, mid)
    x[_SPREAD] = ask - bid
    x[_MICROPRICE] = size_weighted(bid, ask, float(b.vsz[0, 0]), float(b.vsz[1, 0])) - mid
    for i in range(3):
        x[_OFI_DECAYED + i] = f.ofi[i]
        x[_FLOW + i] = t.signed_lots[i]
        x[_RETURN + i] = f.returns[i]
    for k in range(1, _DEPTH):
        x[_OFI_LEVEL + k - 1] = f.ofi_level[k]
    x[_INTENSITY] = t.trades_per_s
    x[_SIGMA] = vol[0].sigma
    return OK


def reset(features: Rec) -> None:
    """Forget everything, e.g. after the instrument's tick has changed."""
    features[:] = np.zeros((), features.dtype)
