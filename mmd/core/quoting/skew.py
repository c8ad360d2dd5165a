"""How inventory leans prices and sizes: towards the side that brings it back."""

from mmd.core.quoting.record import BID
from mmd.jit.kernel import Rec, leaf


@leaf
def linear_skew(inventory_ratio: float, ticks_at_limit: float) -> float:
    """Ticks to add to both quotes: 0 when flat, -ticks_at_limit at the long position limit."""
    return -min(max(inventory_ratio, -1.0), 1.0) * ticks_at_limit


@leaf
def volatility_skew(q: Rec) -> float:
    """Ticks to add to both quotes while sigma is above its slow average; 0 at volatility_skew = 0.

    The excess in ticks per sqrt(s), times volatility_skew in sqrt(s), is the extra skew at the position limit.
    """
    if q.volatility_skew == 0.0:
        return 0.0
    return linear_skew(q.inventory_ratio, q.volatility_skew * max(q.sigma - q.sigma_slow, 0.0))


@leaf
def side_lots(q: Rec, side: int) -> float:
    """Level-0 size of a side: long shrinks the bid by the inventory ratio and grows the ask by it."""
    lots = float(q.unit_lots * q.size_multiplier)
    if q.size_skew == 1:
        ratio = min(max(q.inventory_ratio, -1.0), 1.0)
        lots *= 1.0 - ratio if side == BID else 1.0 + ratio
    return max(lots, float(q.lots_min))
