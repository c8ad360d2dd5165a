"""The five tests of a fill for adverse selection, and the verdict that they add up to.

    immediate    the mid 30 s after our last fills: z-score of the pool, or this fill's own move in bps
    delayed      the same after 600 s, once there are enough fills
    imbalance    trades of five minutes went against us: sellers while we bought
    size         the fill took most of what we quoted
    clustering   many fills in a minute

Each has a strength, its statistic over its limit: it fires above 1, and its confidence is half of it, at most 1. A test
that has too little to go by takes no part. A fill is adverse if `tests_min` tests fire, or if the mean confidence of
those that do exceeds `confidence_max`: one that is sure is enough. (Were silent tests averaged in, a pool of fills that
lost five standard deviations would pass as long as trades and sizes look ordinary.)
"""

import math
from typing import Final

from mmd.core.flow import rolling_percentile
from mmd.core.flow.markout import FILLS_MAX
from mmd.core.market.trade_flow import LONG_TAU_S, imbalance
from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import Rec, leaf

NAMES: Final = ("immediate", "delayed", "imbalance", "size", "clustering")
TESTS: Final = len(NAMES)
IMMEDIATE, DELAYED, IMBALANCE, SIZE, CLUSTERING = range(TESTS)
POOLED_MIN: Final = 5
"""Fills behind a z-score: fewer have the tails of single moves."""
ABSENT: Final = -1e9
"""The strength of a test that takes no part."""
RATIO_BINS: Final = 100
_SIZE_ROW, _CLUSTER_ROW = 0, 1
_BPS: Final = 1e-4

FIELDS: Final = (
    ("by_z", "i8"),  # 1: mode "z", 0: mode "threshold"
    ("z_limit", "f8"),
    ("moved_bps_limit", "f8", (2,)),  # immediate, delayed
    ("delayed_fills_min", "i8"),
    ("imbalance_limit", "f8"),
    ("imbalance_trades_min", "f8"),
    ("size_ratio_limit", "f8"),
    ("fills_per_minute_limit", "f8"),
    ("percentile", "f8"),
    ("tests_min", "i8"),
    ("confidence_limit", "f8"),
    ("strength", "f8", (TESTS, FILLS_MAX)),  # by fill, as in the MARKOUT ring
)
"""Of a record that these leaves work on; see `layout`."""


@leaf
def imbalance_strength(a: Rec, flow: Rec, sign: int, now_ns: int) -> float:
    """How far the trades of five minutes lean against a fill: 1 at the limit."""
    age_s = max(now_ns - flow.volume_ns, 0) / NANOS_PER_SECOND
    if flow.long_trades * math.exp(-age_s / LONG_TAU_S) < a.imbalance_trades_min:
        return ABSENT
    return float(-sign * imbalance(flow) / a.imbalance_limit)


@leaf
def _strength_above_own(a: Rec, row: int, value: int, unit: float, limit: float) -> float:
    """A count of units over its limit; in mode z also over the instrument's own percentile."""
    if a.by_z == 1:
        usual = rolling_percentile.percentile(a, row, a.percentile)
        rolling_percentile.add(a, row, value)
        if usual < 0:
            return ABSENT
        limit = max(limit, usual * unit)
    return float(value * unit / limit)


@leaf
def size_strength(a: Rec, qty_lots: int, quoted_lots: int) -> float:
    """The share of the quoted size that a fill took, over its limit."""
    share = int(RATIO_BINS * min(qty_lots / max(quoted_lots, 1), 1.0))
    return _strength_above_own(a, _SIZE_ROW, share, 1.0 / RATIO_BINS, a.size_ratio_limit)


@leaf
def clustering_strength(a: Rec, fills_in_minute: int) -> float:
    """Our fills of the last minute, this one included, over their limit."""
    return _strength_above_own(a, _CLUSTER_ROW, fills_in_minute, 1.0, a.fills_per_minute_limit)


@leaf
def z_strength(a: Rec, k: int, fills_min: int) -> float:
    """How far the pool's z-score is below 0, over its limit."""
    return ABSENT if a.pool_n[k] < fills_min else float(-a.pool_z[k] / a.z_limit)


@leaf
def moved_strength(a: Rec, k: int, moved: int, mid: int) -> float:
    """How far the mid went against this fill, in bps over the limit; moved and mid share a unit."""
    return float(-moved / (mid * _BPS) / a.moved_bps_limit[k])


@leaf
def verdict(a: Rec, i: int) -> tuple[int, float]:
    """From a fill's strengths: the tests that fire as bits, and the mean confidence of those if adverse, else 0."""
    fired = count = 0
    total = 0.0
    for test in range(TESTS):
        strength = a.strength[test, i]
        if strength > 1.0:
            fired |= 1 << test
            count += 1
            total += min(0.5 * strength, 1.0)
    is_adverse = count >= a.tests_min or total > a.confidence_limit * count
    return fired, total / count if is_adverse else 0.0
