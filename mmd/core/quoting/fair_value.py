"""Fair value: the microprice, moved a little by one forecast.

There is one source of the forecast, named in the configuration; several that measure the same thing are never
added. The clip bounds what a wrong forecast can cost: a quarter of the market's spread.
"""

import math
from enum import StrEnum
from typing import Final

import msgspec

from mmd.core.quoting.record import NOT_FINITE, OK
from mmd.errors import ConfigError
from mmd.jit.kernel import Rec, kernel

CLIP_SPREADS: Final = 0.25


class ForecastSource(StrEnum):
    """Where the expected move of the mid comes from."""

    NONE = "none"
    FLOW = "flow"


class FairValueSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Forecast source, and the ticks that the mid is expected to move per unit of order-flow imbalance."""

    source: ForecastSource = ForecastSource.NONE
    flow_coefficient: float = 0.0

    def __post_init__(self) -> None:
        """Raises: ConfigError."""
        if not math.isfinite(self.flow_coefficient):
            raise ConfigError(
                f"flow_coefficient is {self.flow_coefficient}, expected a finite number of ticks: fit it again"
            )


def forecast_coefficient(settings: FairValueSettings) -> float:
    """Ticks of forecast per unit of the flow feature; 0 where the source is none."""
    return settings.flow_coefficient if settings.source is ForecastSource.FLOW else 0.0


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
