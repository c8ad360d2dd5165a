"""The settings of inventory risk: VaR and its limit, the warning, the age of a position."""

from decimal import Decimal

from pydantic import Field

from mmd.config_section import Section
from mmd.core.inventory.settings import InventorySpec
from mmd.core.units import NANOS_PER_SECOND

_HOUR_NS = 3_600 * NANOS_PER_SECOND


class InventorySection(Section):
    """What inventory risks and what that does to quotes. Money in the quote currency of each instrument."""

    var_max: Decimal | None = Field(
        default=None,
        gt=0,
        description="one-day 95 % value at risk of a position; caps the position limit; unset: no cap",
    )
    bar_s: int = Field(
        10, ge=1, le=3_600, description="length of the bars of tail and correlation estimates"
    )
    tail_samples: int = Field(
        2_048, ge=100, le=100_000, description="bars that the expected shortfall is taken from"
    )
    position_age_max_h: float = Field(
        4.0, ge=0, le=8_760, description="alert when a position is on one side for longer; 0: never"
    )
    warning_ratio: float = Field(
        0.7, gt=0, le=1, description="share of the position limit from which quotes lean harder"
    )
    warning_spread_multiplier: float = Field(
        1.0, ge=1, le=5, description="how much wider quotes are from there on; 1: as before"
    )
    warning_skew_multiplier: float = Field(
        1.0, ge=1, le=5, description="how much larger their inventory skew is; 1: as before"
    )

    def spec(self) -> InventorySpec:
        """The engine's form."""
        fields = self.model_dump()
        return InventorySpec(
            bar_ns=fields.pop("bar_s") * NANOS_PER_SECOND,
            position_age_ns_max=int(fields.pop("position_age_max_h") * _HOUR_NS),
            **fields,
        )
