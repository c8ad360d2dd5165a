"""The spread model that widens with what traders watch: volatility, adverse fills, inventory and activity.

half spread = width * sigma*sqrt(life) * (1 + adverse ratio) * (1 + inventory_widening*|inventory ratio|) * activity
where sigma*sqrt(life) is how far the mid moves while a quote is expected to stand. That time is
1/(lambda_bid + lambda_ask) at the distance 1/k at which A*exp(-k*delta) earns most, so e/(A_bid + A_ask), unless one
is set. The activity is recent volume over its slow average, to a power and within bounds. The skew is linear in
the inventory ratio. A rule, not an optimum: it widens with inventory on purpose, which the optimal models do not.
"""

import math
from typing import Final

from mmd.core.quoting.record import ASK, BID, NOT_FINITE, OK, OUT_OF_RANGE
from mmd.core.quoting.skew import linear_skew
from mmd.jit.kernel import Rec, kernel, layout, leaf

LIFE_S_MAX: Final = 300.0
ACTIVITY_MIN: Final = 0.5
ACTIVITY_MAX: Final = 2.0

DYNAMIC = layout(
    ("width", "f8"),  # half spread in expected moves
    ("life_s", "f8"),  # 0: by the fill intensity
    ("inventory_widening", "f8"),
    ("activity_exponent", "f8"),  # above 0 widens in bursts of volume, below 0 narrows
    ("skew_half_spreads", "f8"),
)


@leaf
def expected_life_s(q: Rec) -> float:
    """Seconds until either quote is filled at its most profitable distance."""
    rate = q.rate[BID] + q.rate[ASK]
    return float(min(math.e / rate, LIFE_S_MAX)) if rate > 0.0 else LIFE_S_MAX


@kernel
def offsets(quote: Rec, dynamic: Rec) -> int:
    """Write quote.offset, the same on both sides, and quote.skew.

    Returns OK, OUT_OF_RANGE (an input is NaN or of the wrong sign) or NOT_FINITE.
    """
    q, d = quote[0], dynamic[0]
    measured = q.adverse_ratio + q.inventory_ratio + q.rate[BID] + q.rate[ASK]
    if not (q.sigma >= 0.0 and q.activity > 0.0 and math.isfinite(measured)):
        return OUT_OF_RANGE
    life_s = d.life_s if d.life_s > 0.0 else expected_life_s(q)
    half = d.width * q.sigma * math.sqrt(life_s)
    half *= 1.0 + min(max(q.adverse_ratio, 0.0), 1.0)
    half *= 1.0 + d.inventory_widening * min(abs(q.inventory_ratio), 1.0)
    half *= min(max(q.activity**d.activity_exponent, ACTIVITY_MIN), ACTIVITY_MAX)
    q.offset[BID] = half
    q.offset[ASK] = half
    q.skew = linear_skew(q.inventory_ratio, d.skew_half_spreads * half)
    return OK if -1e300 < q.skew < 1e300 and half < 1e300 else NOT_FINITE
