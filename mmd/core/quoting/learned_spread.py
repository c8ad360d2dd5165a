"""The spread model that leans from the optimum towards what trees have learned to earn most, within bounds.

half = clip((1 - w) * GLFT(0) + w * learned, 0.8 * GLFT(0), 1.5 * GLFT(0)) on each side, GLFT(0) being the optimum of
whoever holds nothing; what the optimum changes with inventory is added as it is, and the skew is GLFT's. A bound on
GLFT(q) itself would stretch that part too, and more inventory could then raise a bid. Where there is no learned half
spread, or it weighs nothing, it is GLFT to the bit.
"""

from typing import Final

from mmd.core.quoting import glft
from mmd.core.quoting.record import OK
from mmd.jit.kernel import Rec, kernel

NARROWEST: Final = 0.8
WIDEST: Final = 1.5


@kernel
def offsets(quote: Rec, table: Rec) -> int:
    """Write quote.offset and quote.skew; returns as `glft.offsets` does."""
    status = glft.offsets(quote, table)
    q, t = quote[0], table[0]
    if status != OK or not (q.learned_half > 0.0 and q.learned_weight > 0.0):
        return status
    for side in range(2):
        optimal = glft.flat_half(q, t, side)
        mixed = (1.0 - q.learned_weight) * optimal + q.learned_weight * q.learned_half
        q.offset[side] += min(max(mixed, NARROWEST * optimal), WIDEST * optimal) - optimal
    return OK
