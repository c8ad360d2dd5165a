"""Fair value: the microprice, moved a little by one forecast.

There is one source of the forecast, named in the configuration; several that measure the same thing are never
added. The clip bounds what a wrong forecast can cost: a quarter of the market's spread.
"""

import math
from typing import Final

from mmd.core.quoting.record import NOT_FINITE, OK
from mmd.jit.kernel import Rec, kernel

CLIP_SPREADS: Final = 0.25


@kernel
def fair_value(
    quote: Rec, microprice_ticks: float, spread_ticks: float, forecast_ticks: float
) -> int:
    """Write quote.fair = microprice + forecast, the forecast clipped to a quarter spread either way.

    Returns OK, or NOT_FINITE (and quote.fair as it was).
    """
    if not math.isfinite(microprice_ticks + spread_ticks + forecast_ticks):
        return NOT_FINITE
    bound = CLIP_SPREADS * max(spread_ticks, 0.0)
    quote[0].fair = microprice_ticks + min(max(forecast_ticks, -bound), bound)
    return OK
