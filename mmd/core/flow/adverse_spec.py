"""How fills are judged for adverse selection and what follows: a part of the session's spec."""

import msgspec


class AdverseSpec(msgspec.Struct, frozen=True, kw_only=True):
    """User-facing meaning and defaults of each stand in mmd.config_adverse."""

    mode: str
    """"z": markouts by their z-score, size and clustering by their percentile; "threshold": all by plain limits."""
    responds: bool
    """False: judge and show, change no quote."""
    z_threshold: float
    fills_pooled: int
    immediate_bps: float
    delayed_bps: float
    delayed_fills_min: int
    imbalance_max: float
    imbalance_trades_min: float
    size_ratio_max: float
    fills_per_minute_max: int
    percentile: float
    tests_min: int
    confidence_max: float
    response_step: float
    response_halflife_s: float
    size_multiplier_min: float
    spread_multiplier_max: float
    impact_bps_max: float
