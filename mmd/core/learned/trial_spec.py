"""What a session is told about trials of models on live quotes."""

from enum import IntEnum

import msgspec


class TrialArm(IntEnum):
    """Who makes the quotes of a block of time."""

    CHAMPION = 0
    CANARY = 1
    """The model that might become champion, at a small size."""
    HOLDOUT = 2
    """The spread model alone: what learning has to beat."""


class TrialSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How they are held; user-facing meaning and defaults stand in mmd.config_trials."""

    block_ns: int = 60_000_000_000
    horizon_ns: int = 5_000_000_000
    """Of the markouts that a block is judged by; one of mmd.core.flow.markout.HORIZONS_NS."""
    holdout_ratio: float = 0.0
    """Share of the blocks."""
    canary_size_ratio: float = 0.05
    """Of the usual order size, at most 0.05."""
    alpha: float = 0.05
    """Chance to call a canary better that is not, however often one looks."""
    pairs_min: int = 30
    drawdown_ratio_max: float = 1.25
    """The canary's largest drawdown over the champion's."""
    reject_ratio_margin: float = 0.01
    """By which its share of refused orders may be above the champion's."""
