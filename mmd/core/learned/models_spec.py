"""What a session is told about learned models; user-facing meaning and defaults stand in mmd.config_models."""

import msgspec

from mmd.core.learned.bandit_spec import BanditSpec
from mmd.core.learned.demotion import DemotionSpec
from mmd.core.learned.trial_spec import TrialSpec


class ModelsSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Which predictions are made and what they may move. Nothing is predicted where no session said so."""

    enabled: bool = False
    folder: str = ""
    """Of the registry, for a replay to find the models that events name."""
    bar_ns: int = 100_000_000
    horizon_bars: int = 10
    uses_forecast: bool = False
    """The forecast moves fair value."""
    spread_weight: float = 0.0
    """Of the learned half spread in that of the spread model `learned`; 0: none."""
    forecast_rate_bps: float = 0.0
    """Of the mid a second: how fast the forecast moves quotes; 0: at once."""
    spread_rate_bps: float = 0.0
    """The same of the learned half spread."""
    uses_policy: bool = False
    """The Q-learning policy chooses how to quote, once a bar."""
    bandit: BanditSpec | None = None
    """None: risk aversion and impact are as they are measured."""
    is_online: bool = False
    """The forecast is the regression that learns while trading, instead of a network's."""
    watches_drift: bool = False
    """Whether quotes answer where a forecaster's errors change."""
    late_bars: int = 0
    """A prediction whose bar ended longer ago is not used; 0: however old."""
    trials: TrialSpec | None = None
    """None: every block of time is the champion's."""
    demotion: DemotionSpec | None = None
    """None: a champion stays until somebody takes it out."""
