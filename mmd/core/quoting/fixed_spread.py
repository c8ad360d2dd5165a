"""The spread model that needs no estimates: one half-spread, and a skew linear in the inventory ratio."""

from mmd.core.quoting.record import ASK, BID, NOT_FINITE, OK
from mmd.core.quoting.skew import linear_skew
from mmd.jit.kernel import Rec, kernel, layout

FIXED = layout(
    ("half_spread_ticks", "f8"),
    ("half_spread_fraction", "f8"),  # of mid, added to the ticks
    ("skew_half_spreads", "f8"),
)


@kernel
def offsets(quote: Rec, fixed: Rec) -> int:
    """Write the same half-spread on both sides and a skew linear in the inventory ratio."""
    q, f = quote[0], fixed[0]
    half = f.half_spread_ticks + f.half_spread_fraction * q.mid
    q.offset[BID] = half
    q.offset[ASK] = half
    q.skew = linear_skew(q.inventory_ratio, f.skew_half_spreads * half)
    finite = -1e300 < half < 1e300 and -1e300 < q.skew < 1e300
    return OK if finite else NOT_FINITE
