"""When an exposure must be hedged, and how much of it may stay: two pure functions of what is known on the timer.

Critical is an exposure above critical_ratio of the position limit, or one whose VaR exceeds a share of the
equity. It is brought down to target_ratio of the limit; where VaR is the reason, to the same proportion of the VaR that
is allowed. Between the two nothing happens, so that a hedge is not followed by the next at once.
"""

from mmd.core.inventory.settings import HedgeSpec


def is_critical(exposure_lots: int, limit_lots: int, var_ratio: float, spec: HedgeSpec) -> bool:
    """Whether a hedge must begin.

    Args:
        exposure_lots: inventory and its hedges together.
        limit_lots: position limit of now.
        var_ratio: one-day VaR over equity, 0 where that is not known.
        spec: thresholds.
    """
    if exposure_lots == 0:
        return False
    return abs(exposure_lots) > spec.critical_ratio * limit_lots or _is_var_over(var_ratio, spec)


def kept_lots(exposure_lots: int, limit_lots: int, var_ratio: float, spec: HedgeSpec) -> int:
    """The exposure, without its sign, down to which is hedged; arguments as for `is_critical`."""
    kept = spec.target_ratio * limit_lots
    if _is_var_over(var_ratio, spec):
        share = spec.var_equity_ratio / var_ratio * spec.target_ratio / spec.critical_ratio
        kept = min(kept, abs(exposure_lots) * share)
    return int(kept)


def _is_var_over(var_ratio: float, spec: HedgeSpec) -> bool:
    return 0.0 < spec.var_equity_ratio < var_ratio
