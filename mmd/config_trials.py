"""The settings of trials of models on live quotes: the hold-out, canaries, who is promoted and who is demoted."""

from typing import Literal

from pydantic import Field, field_validator

from mmd.config_section import Section
from mmd.core.flow.markout import HORIZONS_NS
from mmd.core.learned.demotion import DemotionSpec
from mmd.core.learned.trial_spec import TrialSpec
from mmd.core.units import NANOS_PER_SECOND

_HORIZONS_S = tuple(ns / NANOS_PER_SECOND for ns in HORIZONS_NS)


class TrialsSection(Section):
    """Time is cut into blocks, each of which is quoted by champion, canary or the spread model alone, by lot."""

    block_s: float = Field(60.0, ge=1, le=86_400, description="length of a block")
    horizon_s: float = Field(5.0, description="of the markouts that blocks are judged by")
    holdout_ratio: float = Field(
        0.05,
        ge=0,
        le=0.5,
        description="share of blocks that the spread model quotes alone; 0: none",
    )
    canary_size_ratio: float = Field(
        0.05, gt=0, le=0.05, description="of the usual order size, in a canary's blocks"
    )
    alpha: float = Field(
        0.05, gt=0, lt=0.5, description="chance to call a canary better that is not, at any time"
    )
    pairs_min: int = Field(30, ge=10, description="pairs of blocks before anything is said")
    drawdown_ratio_max: float = Field(
        1.25, ge=1, description="largest drawdown of a canary over the champion's"
    )
    reject_ratio_margin: float = Field(
        0.01, ge=0, le=1, description="by which its share of refused orders may be higher"
    )
    promote: Literal["manual", "auto"] = Field(
        "manual", description="auto: a canary that was found better becomes champion by itself"
    )
    demote: bool = Field(True, description="take out a champion that fails, drifts or loses")
    faults_max: int = Field(10, ge=1, description="bars with a fault within ten minutes")
    markout_threshold: float = Field(
        10.0, gt=0, description="CUSUM of markouts below the hold-out's, standard deviations"
    )

    @field_validator("horizon_s")
    @classmethod
    def _known(cls, horizon_s: float) -> float:
        if horizon_s not in _HORIZONS_S:
            known = ", ".join(f"{s:g}" for s in _HORIZONS_S)
            raise ValueError(f"horizon_s is {horizon_s:g}, expected one of {known}")
        return horizon_s

    def spec(self) -> TrialSpec:
        """The engine's form."""
        return TrialSpec(
            block_ns=round(self.block_s * NANOS_PER_SECOND),
            horizon_ns=self._horizon_ns,
            holdout_ratio=self.holdout_ratio,
            canary_size_ratio=self.canary_size_ratio,
            alpha=self.alpha,
            pairs_min=self.pairs_min,
            drawdown_ratio_max=self.drawdown_ratio_max,
            reject_ratio_margin=self.reject_ratio_margin,
        )

    def demotion(self) -> DemotionSpec | None:
        """The engine's form; None where nobody is taken out."""
        if not self.demote:
            return None
        return DemotionSpec(
            faults_max=self.faults_max,
            threshold=self.markout_threshold,
            horizon_ns=self._horizon_ns,
        )

    @property
    def _horizon_ns(self) -> int:
        return round(self.horizon_s * NANOS_PER_SECOND)
