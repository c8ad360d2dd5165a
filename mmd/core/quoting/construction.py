"""How quotes are built round the spread model's prices and how orders follow them, as a session's spec carries it."""

import msgspec


class ConstructionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """User-facing meaning and defaults stand in mmd.config_construction; the defaults here change nothing."""

    refresh_levels: bool = False
    """Whether after a fill its level and those before it are cancelled; else the side only gets no new orders."""
    reducing_spacing_multiplier: float = 1.0
    volatility_skew: float = 0.0
    """Square root of seconds."""
    volatility_slow_halflife_s: float = 600.0
    age_skew_per_hour: float = 0.0
    age_skew_multiplier_max: float = 1.0
    market_spread_bps_min: float = 0.0
    """0 is off, as in the next."""
    volatility_bps_wide: float = 0.0
    aggressive: bool = False
    aggressive_markout_bps_min: float = 0.0
    aggressive_fills_min: float = 20.0
    aggressive_inventory_ratio_max: float = 0.3
