"""The settings of what is done across venues: which price differences count, and whether they are traded on."""

from decimal import Decimal

from pydantic import Field

from mmd.config_section import NS_PER_MS, Section
from mmd.core.spec import ArbitrageSpec


class ArbitrageSection(Section):
    """Arbitrage between instruments of one base asset; money in risk.reporting_currency."""

    enabled: bool = Field(
        True, description="look for opportunities where two instruments share a base asset"
    )
    execute: bool = Field(False, description="trade on them; else they are only found and shown")
    profit_min: Decimal = Field(
        Decimal(10), gt=0, description="least net profit of an opportunity, after all costs"
    )
    age_ms_max: int = Field(
        1_000, gt=0, description="a book that has not changed for longer is not relied on"
    )
    rate_age_ms_max: int = Field(
        10_000, gt=0, description="the same for the book of an instrument that converts currencies"
    )
    latency_prior_ms: float = Field(
        50.0, ge=0, description="round trip of an order before any was measured"
    )
    slippage_share: float = Field(
        1.0,
        ge=0,
        le=10,
        description="how much of the adverse move to be expected while orders are on their way is a cost",
    )
    notional_max: Decimal = Field(
        Decimal(1_000), gt=0, description="most that one execution buys and sells"
    )
    retry_ms: int = Field(
        250,
        ge=0,
        description="wait before the same pair is tried again, after a try or an execution",
    )
    unwind_slippage_bps: float = Field(
        20.0, ge=0, le=1_000, description="how far through the touch undoing a missed leg may take"
    )
    unwind_s_max: float = Field(
        5.0, gt=0, le=3_600, description="after this the rest of a missed leg is left as inventory"
    )

    def spec(self) -> ArbitrageSpec | None:
        """The engine's form; None where nobody is to look."""
        if not self.enabled:
            return None
        return ArbitrageSpec(
            executes=self.execute,
            profit_min=self.profit_min,
            age_ns_max=self.age_ms_max * NS_PER_MS,
            rate_age_ns_max=self.rate_age_ms_max * NS_PER_MS,
            latency_prior_ns=round(self.latency_prior_ms * NS_PER_MS),
            slippage_share=self.slippage_share,
            notional_max=self.notional_max,
            retry_ns=self.retry_ms * NS_PER_MS,
            unwind_slippage_bps=self.unwind_slippage_bps,
            unwind_ns_max=round(self.unwind_s_max * 1_000 * NS_PER_MS),
        )
