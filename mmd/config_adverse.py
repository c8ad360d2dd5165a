"""The settings of adverse selection: how fills are judged, and how strongly quotes answer."""

from typing import Final, Literal

from pydantic import Field, model_validator

from mmd.config_section import Section
from mmd.core.flow.adverse_spec import AdverseSpec

WINDOW_MAX: Final = 64
"""As POOL_MAX of `mmd.core.flow.pooled_z`, whose import would load the compiler into processes that need none."""


class AdverseSection(Section):
    """Every fill of our quotes is judged at once, after 30 s and after 600 s. Distances in basis points of mid."""

    enabled: bool = Field(True, description="false: fills are not judged")
    responds: bool = Field(
        True, description="adverse fills make quotes smaller and worse; false: they are only shown"
    )
    mode: Literal["z", "threshold"] = Field(
        "z",
        description="z: moves against volatility, size and clustering against their own percentile; threshold: plain limits",
    )
    z_threshold: float = Field(
        1.8, gt=0, le=10, description="standard deviations against us at which a z-score fires"
    )
    fills_pooled: int = Field(
        30, ge=5, le=WINDOW_MAX, description="last fills that a z-score is made of"
    )
    immediate_bps: float = Field(
        2.0, gt=0, description="move within 30 s against a fill that fires; mode threshold"
    )
    delayed_bps: float = Field(5.0, gt=0, description="the same within 600 s; mode threshold")
    delayed_fills_min: int = Field(
        10, ge=1, description="fills that must be 600 s old before those are judged"
    )
    imbalance_max: float = Field(
        0.7, gt=0, lt=1, description="imbalance of five minutes of trades against a fill that fires"
    )
    imbalance_trades_min: float = Field(
        20.0, ge=0, description="trades of five minutes without which it says nothing"
    )
    size_ratio_max: float = Field(
        0.8, gt=0, le=1, description="share of the quoted size above which a fill fires"
    )
    fills_per_minute_max: int = Field(5, ge=1, description="fills of a minute above which it fires")
    percentile: float = Field(
        0.99,
        ge=0.5,
        lt=1,
        description="of the instrument's own fills, which the last two must exceed as well; mode z",
    )
    tests_min: int = Field(
        2, ge=1, le=5, description="tests that must fire for a fill to be adverse"
    )
    confidence_max: float = Field(
        0.7, gt=0, lt=1, description="mean confidence of the tests above which one is enough"
    )
    response_step: float = Field(
        0.25, gt=0, le=1, description="share of the full response that an adverse fill adds"
    )
    response_halflife_s: float = Field(
        120.0, gt=0, description="time in which the response falls by half"
    )
    size_multiplier_min: float = Field(
        0.7, gt=0, le=1, description="sizes are multiplied by this at full response"
    )
    spread_multiplier_max: float = Field(
        1.5, ge=1, le=10, description="and half spreads by this; glft widens by its own formula"
    )
    impact_bps_max: float = Field(
        10.0, ge=0, description="most that a fill is taken to move the mid against us; glft"
    )

    @model_validator(mode="after")
    def _tells_apart(self) -> "AdverseSection":
        if self.delayed_fills_min > self.fills_pooled:
            raise ValueError(
                f"delayed_fills_min {self.delayed_fills_min} must not exceed fills_pooled {self.fills_pooled}: "
                "a z-score is made of no more"
            )
        return self

    def spec(self) -> AdverseSpec | None:
        """The engine's form; None where fills are not judged."""
        fields = self.model_dump()
        return AdverseSpec(**fields) if fields.pop("enabled") else None
