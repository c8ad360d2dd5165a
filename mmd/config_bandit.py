"""The settings of the bandit that tries risk aversion and impact out while trading."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from mmd.config_section import Section
from mmd.core.flow.markout import HORIZONS_NS
from mmd.core.learned.bandit_spec import BanditSpec
from mmd.core.learned.bandits import NEUTRAL, Arm
from mmd.core.units import NANOS_PER_SECOND

_HORIZONS_S = tuple(ns / NANOS_PER_SECOND for ns in HORIZONS_NS)


class BanditSection(Section):
    """A part of `quoting.strategy = "full"`: it chooses among factors on risk aversion and additions to impact."""

    enabled: bool = Field(True, description="false: full goes without")
    rule: Literal["discounted_ucb", "sliding_window_ucb", "thompson", "linucb", "exp3s"] = Field(
        "thompson", description="how arms are preferred"
    )
    arms: tuple[tuple[float, float], ...] = Field(
        ((1.0, 0.0), (0.5, 0.0), (2.0, 0.0), (1.0, 0.2), (1.0, -0.2)),
        min_length=1,
        max_length=16,
        description="factor on gamma (1/4 to 4), addition to xi in bps (within 5); the first is 1, 0",
    )
    hold_s: float = Field(30.0, ge=1, le=3_600, description="how long an arm is held")
    horizon_s: float = Field(5.0, description="of the markouts that rewards are made of")
    memory: int = Field(200, ge=10, le=100_000, description="rewards after which one counts little")

    @field_validator("arms")
    @classmethod
    def _bounded(cls, arms: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        made = [Arm(*arm) for arm in arms]
        if made[0] != NEUTRAL:
            raise ValueError(f"the first arm is {arms[0]}, expected (1, 0): as the model says")
        if len(set(made)) != len(made):
            raise ValueError("an arm stands there twice: expected each once")
        return arms

    @model_validator(mode="after")
    def _consistent(self) -> "BanditSection":
        if self.horizon_s not in _HORIZONS_S:
            known = ", ".join(f"{s:g}" for s in _HORIZONS_S)
            raise ValueError(f"horizon_s is {self.horizon_s:g}, expected one of {known}")
        if self.horizon_s > self.hold_s:
            raise ValueError(
                f"hold_s is {self.hold_s:g}, expected at least horizon_s, {self.horizon_s:g}"
            )
        return self

    def spec(self) -> BanditSpec | None:
        """The engine's form; None where it is off."""
        if not self.enabled:
            return None
        return BanditSpec(
            rule=self.rule,
            arms=tuple(Arm(*arm) for arm in self.arms),
            hold_ns=round(self.hold_s * NANOS_PER_SECOND),
            horizon_ns=round(self.horizon_s * NANOS_PER_SECOND),
            memory=self.memory,
        )
