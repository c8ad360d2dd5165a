"""The spread model that leans from the optimum towards what trees have learned to earn most, within bounds.

half = clip((1 - w) * GLFT + w * learned, 0.8 * GLFT, 1.5 * GLFT) on each side; the skew is GLFT's. Where there is no
learned half spread, or it weighs nothing, it is GLFT to the bit.
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
    q = quote[0]
    if status != OK or not (q.learned_half > 0.0 and q.learned_weight > 0.0):
        return status
    for side in range(2):
        optimal = q.offset[side]
        if optimal > 0.0:
            mixed = (1.0 - q.learned_weight) * optimal + q.learned_weight * q.learned_half
            q.offset[side] = min(max(mixed, NARROWEST * optimal), WIDEST * optimal)
    return OK
