"""Closing a position by taking: slice after slice of immediate-or-cancel orders until nothing tradable is left."""

import math
from typing import NamedTuple

from mmd.core.risk.limits import Bounds
from mmd.core.risk.view import RiskView
from mmd.core.units import Side

_BPS = 1e-4


class Slice(NamedTuple):
    """One order of a flattening."""

    side: Side
    price_ticks: int
    qty_lots: int


def least_lots(bounds: Bounds, price_ticks: int) -> int:
    """The smallest order at a price: of one lot, of the venue's least quantity and least notional."""
    return max(bounds.qty_lots_min, -(-bounds.notional_min // price_ticks), 1)


def limit_price_ticks(view: RiskView, position_lots: int, slippage_bps: float) -> int:
    """How far an order that closes the position may take: through the touch, within filters and collar."""
    if position_lots > 0:
        return max(math.floor(view.bid_ticks * (1.0 - slippage_bps * _BPS)), view.price_low)
    return min(math.ceil(view.ask_ticks * (1.0 + slippage_bps * _BPS)), view.price_high)


def is_flat(view: RiskView, position_lots: int, slippage_bps: float) -> bool:
    """Whether what is held is too little for an order."""
    if position_lots == 0:
        return True
    price_ticks = limit_price_ticks(view, position_lots, slippage_bps)
    return price_ticks > 0 and abs(position_lots) < least_lots(view.bounds, price_ticks)


def next_slice(view: RiskView, position_lots: int, slippage_bps: float) -> Slice | None:
    """The next order towards a flat position; None where it is flat or no order can be made of what is there.

    Its limit price is `slippage_bps` through the opposite best price, within filters and collar. Its size is
    the position within the limits of an order and the funds; what is left is never too little for the next.

    Args:
        view: settled, with a book on both sides.
        position_lots: inventory, positive when long.
        slippage_bps: how far through the touch an order may take.
    """
    bounds = view.bounds
    price_ticks = limit_price_ticks(view, position_lots, slippage_bps)
    if price_ticks <= 0:
        return None
    if position_lots > 0:
        side, funded_lots = Side.SELL, view.base_lots
    else:
        side, funded_lots = Side.BUY, view.quote_ticklots // price_ticks
    held_lots, lots_min = abs(position_lots), least_lots(bounds, price_ticks)
    qty_lots = min(held_lots, funded_lots, bounds.qty_lots_max, bounds.notional_max // price_ticks)
    if 0 < held_lots - qty_lots < lots_min <= qty_lots - lots_min:
        qty_lots -= lots_min
    return None if qty_lots < lots_min else Slice(side, price_ticks, qty_lots)
