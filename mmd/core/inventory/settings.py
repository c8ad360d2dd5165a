"""How inventory risk is measured, what it does to quotes, and how it is hedged, as a session's spec carries it."""

from decimal import Decimal

import msgspec

from mmd.core.units import NANOS_PER_SECOND


class InventorySpec(msgspec.Struct, frozen=True, kw_only=True):
    """User-facing meaning and defaults stand in mmd.config_inventory; the defaults here change nothing."""

    var_max: Decimal | None = None
    """One-day 95 % VaR in each instrument's quote currency that caps its position; None is no cap."""
    bar_ns: int = 10 * NANOS_PER_SECOND
    tail_samples: int = 2_048
    position_age_ns_max: int = 0
    """0 is no alert."""
    warning_ratio: float = 0.7
    warning_spread_multiplier: float = 1.0
    warning_skew_multiplier: float = 1.0


class HedgeSpec(msgspec.Struct, frozen=True, kw_only=True):
    """User-facing meaning and defaults stand in mmd.config_hedge; the defaults here hedge nothing."""

    route: str = "none"
    """none, same (the instrument itself), named (those of `instruments`), best (all of these)."""
    instruments: tuple[str, ...] = ()
    """venue:SYMBOL of each instrument that others may be hedged with."""
    algorithm: str = "ioc"
    """ioc, passive_then_cross or twap."""
    critical_ratio: float = 0.9
    target_ratio: float = 0.3
    var_equity_ratio: float = 0.05
    """0 is off."""
    notional_min: Decimal = Decimal(10)
    beta: float = 1.0
    """Notional of hedge for one of inventory, on another instrument."""
    cap_bps: float = 20.0
    deadline_ns: int = 30 * NANOS_PER_SECOND
    retry_ns: int = NANOS_PER_SECOND // 4
    passive_ns: int = 10 * NANOS_PER_SECOND
    twap_slices: int = 6
    twap_ns: int = 20 * NANOS_PER_SECOND

    @property
    def is_on(self) -> bool:
        """Whether anything is hedged."""
        return self.route != "none"
