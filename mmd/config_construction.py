"""The settings of quote construction: what is built round the spread model's prices, and how orders follow them."""

from pydantic import Field

from mmd.config_section import Section
from mmd.core.quoting.construction import ConstructionSpec


class ConstructionSection(Section):
    """How quotes are built round the model's prices, and how orders follow them."""

    own_orders_removed: bool = Field(
        True,
        description="take our own orders out of the venue's book before features are made of it",
    )
    refresh_levels: bool = Field(
        True,
        description="after a fill take back its level and those before it until quoting.refresh_delay_ms is over; "
        "false: only place nothing new on the side",
    )

    reducing_spacing_multiplier: float = Field(
        1.0,
        ge=1,
        le=10,
        description="how much wider the levels of the side that reduces the inventory stand apart at the position limit",
    )
    volatility_skew: float = Field(
        0.0,
        ge=0,
        le=1e6,
        description="extra skew at the position limit: this many square-root seconds times what volatility is above "
        "its slow average; 0: none",
    )
    volatility_slow_halflife_s: float = Field(
        600.0, gt=0, description="of that average, by which aggressive quotes are judged too"
    )
    age_skew_per_hour: float = Field(
        0.25,
        ge=0,
        le=100,
        description="growth of the skew with each hour that a position is held; 0: none",
    )
    age_skew_multiplier_max: float = Field(
        2.0, ge=1, le=100, description="the skew grows by age no further than this"
    )
    market_spread_bps_min: float = Field(
        0.0, ge=0, description="no quotes while the market's own spread is narrower; 0: off"
    )
    volatility_bps_wide: float = Field(
        0.0,
        ge=0,
        description="quotes are wider and smaller (passive) above this, bps per square-root second; 0: off",
    )
    aggressive: bool = Field(
        False,
        description="quote tighter (quoting.aggressive_spread_multiplier) while our fills earn, volatility is not "
        "above its slow average and little is held",
    )
    aggressive_markout_bps_min: float = Field(
        0.5,
        ge=-100,
        description="what the latest fills must have earned after one second and the maker fee",
    )
    aggressive_fills_min: float = Field(
        20.0, ge=1, le=28, description="how many of them there must be, older ones counting less"
    )
    aggressive_inventory_ratio_max: float = Field(
        0.3, ge=0, le=0.9, description="how much of the position limit may be used then"
    )

    def spec(self) -> ConstructionSpec:
        """The engine's form."""
        return ConstructionSpec(**self.model_dump(exclude={"own_orders_removed"}))
