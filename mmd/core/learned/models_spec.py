"""What a session is told about learned models; user-facing meaning and defaults stand in mmd.config_models."""

import msgspec


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
    uses_policy: bool = False
    """The Q-learning policy chooses how to quote, once a bar."""
    uses_bandit: bool = False
    """The bandit chooses risk aversion and offset."""
