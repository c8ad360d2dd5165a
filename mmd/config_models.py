"""The settings of learned models: where they are, which of their predictions are made, how much they count."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from mmd.config_bandit import BanditSection
from mmd.config_quoting import QuotingSection
from mmd.config_section import NS_PER_MS, Section
from mmd.config_trials import TrialsSection
from mmd.core.learned.models_spec import ModelsSpec


class ModelsSection(Section):
    """Learned models. Which of them quotes are made with follows from `quoting.strategy`."""

    folder: Path = Field(
        Path("var/models"), description="the registry: artefacts, and who is champion"
    )
    bar_ms: int = Field(
        100, ge=1, le=3_600_000, description="sampling clock; models of other bars are refused"
    )
    horizon_bars: int = Field(
        10, ge=1, le=10_000, description="which of a network's horizons moves fair value"
    )
    spread_weight: float = Field(
        0.5, ge=0, le=1, description="of the learned half spread against GLFT's; 0: none"
    )
    forecast_bps_per_s: float = Field(
        5.0, ge=0, le=1e6, description="how fast the forecast may move quotes; 0: at once"
    )
    half_spread_bps_per_s: float = Field(
        5.0, ge=0, le=1e6, description="how fast the learned half spread may; 0: at once"
    )
    shadow: bool = Field(
        False, description="predict and score live even where no quote is made with it"
    )
    watch_ms: int = Field(
        200, ge=10, le=60_000, description="how often to look whether another model was promoted"
    )

    backend: Literal["auto", "compiled", "torch_cpu", "torch_cuda"] = Field(
        "auto",
        description="what computes networks; auto: the compiled kernel, a card from 16 instruments on",
    )
    busy_share_max: float = Field(
        0.05,
        gt=0,
        le=1,
        description="of a bar, for all instruments together; a model whose compiled step takes longer is refused",
    )
    late_bars: int = Field(
        3,
        ge=0,
        description="a prediction whose bar ended more bars ago is not used; 0: however old",
    )
    drift: bool = Field(
        True, description="quote wider and smaller, and then without forecast, where errors change"
    )
    bandit: BanditSection = BanditSection()
    trials: TrialsSection = TrialsSection()

    def spec(self, quoting: QuotingSection) -> ModelsSpec:
        """The engine's form; where nothing is predicted it is the plain one, whatever the folder."""
        ensemble = quoting.ensemble
        uses_forecast = ensemble.forecast in ("lstm", "online")
        is_learned = ensemble.spread_model == "learned"
        is_quoting_by_models = uses_forecast or is_learned or ensemble.policy
        if not (self.shadow or is_quoting_by_models):
            return ModelsSpec()
        return ModelsSpec(
            enabled=True,
            folder=str(self.folder),
            bar_ns=self.bar_ms * NS_PER_MS,
            horizon_bars=self.horizon_bars,
            uses_forecast=uses_forecast,
            spread_weight=self.spread_weight if is_learned else 0.0,
            forecast_rate_bps=self.forecast_bps_per_s,
            spread_rate_bps=self.half_spread_bps_per_s,
            uses_policy=ensemble.policy,
            bandit=self.bandit.spec() if ensemble.bandit else None,
            is_online=ensemble.forecast == "online",
            watches_drift=self.drift and is_quoting_by_models,
            late_bars=self.late_bars,
            trials=self.trials.spec() if is_quoting_by_models else None,
            demotion=self.trials.demotion() if is_quoting_by_models else None,
        )
