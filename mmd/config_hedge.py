"""The settings of hedging: when, on what, and how."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from mmd.config_section import NS_PER_MS, Section
from mmd.core.inventory.settings import HedgeSpec
from mmd.core.units import NANOS_PER_SECOND

InstrumentName = Annotated[str, StringConstraints(pattern=r"^[^:\s]+:[^:\s]+$")]


class HedgeSection(Section):
    """What happens when inventory becomes critical. Money in quote currency."""

    route: Literal["none", "same", "named", "best"] = Field(
        "none",
        description="none: never hedge; same: on the instrument itself; named: on one of `instruments`; "
        "best: on the cheapest of all these",
    )
    instruments: tuple[InstrumentName, ...] = Field(
        (), description="venue:SYMBOL of each instrument that others may be hedged on"
    )
    algorithm: Literal["ioc", "passive_then_cross", "twap"] = Field(
        "ioc",
        description="take at once; rest at the best price, then take; take in equal slices",
    )
    critical_ratio: float = Field(
        0.9, gt=0, le=1, description="share of the position limit above which is hedged"
    )
    target_ratio: float = Field(
        0.3, ge=0, lt=1, description="share of the position limit down to which is hedged"
    )
    var_equity_ratio: float = Field(
        0.05,
        ge=0,
        le=1,
        description="hedge also where a position's one-day VaR exceeds this share of the equity; 0: never",
    )
    notional_min: Decimal = Field(Decimal(10), ge=0, description="the smallest hedge")
    beta: float = Field(
        1.0,
        gt=0,
        le=10,
        description="notional of hedge for one of inventory, on another instrument",
    )
    cap_bps: float = Field(
        20.0, ge=0, le=1_000, description="how far through the touch a hedge may take"
    )
    deadline_s: float = Field(
        30.0,
        gt=0,
        le=3_600,
        description="alert where a hedge takes longer; from then on it crosses",
    )
    retry_ms: int = Field(250, ge=10, description="pause between two orders of a hedge")
    passive_s: float = Field(
        10.0, ge=0, le=3_600, description="passive_then_cross: patience before it takes"
    )
    twap_slices: int = Field(6, ge=1, le=1_000, description="twap: into how many orders it is cut")
    twap_s: float = Field(20.0, gt=0, le=3_600, description="twap: over which time these are sent")

    @model_validator(mode="after")
    def _consistent(self) -> "HedgeSection":
        if self.target_ratio >= self.critical_ratio:
            raise ValueError(
                f"target_ratio {self.target_ratio} must be below critical_ratio {self.critical_ratio}"
            )
        if self.route == "named" and not self.instruments:
            raise ValueError('route = "named" needs instruments, e.g. ["binance:BTCUSDT"]')
        return self

    def spec(self) -> HedgeSpec:
        """The engine's form: nanoseconds for the rest of times, everything else as it stands."""
        fields = self.model_dump()
        for key in ("deadline", "passive", "twap"):
            fields[f"{key}_ns"] = int(fields.pop(f"{key}_s") * NANOS_PER_SECOND)
        fields["retry_ns"] = fields.pop("retry_ms") * NS_PER_MS
        return HedgeSpec(**fields)
