"""Targets on the tick grid: what fair value, half-spreads, skew and sizes come to as orders.

Level L stands offset * (1 + spread_growth*L) + spacing*L from fair + skew * (1 + skew_growth*L) and has
size_decay^L of level 0's size. Prices are rounded outwards. Whatever the inputs: a target never reaches the
opposite best price (post-only), levels of a side are at least a tick apart, and our bid is below our ask.
"""

import math
from typing import Final

from mmd.core.quoting.record import ASK, BID, CROSSED, NOT_FINITE, OK
from mmd.core.quoting.skew import side_lots, volatility_skew
from mmd.jit.kernel import Rec, kernel, leaf

PRICE_TICKS_MAX: Final = 2**52
"""Best ask to pass where the book has none; the best bid is 0 there."""
_ROUNDING: Final = 1e-9  # 100 * 0.7 * 0.7 is 48.99999999999999 lots


@leaf
def _half_spread(q: Rec, side: int) -> float:
    """Level-0 half-spread within its bounds."""
    half = max(q.offset[side] * q.spread_multiplier, q.half_spread_min, 0.0)
    return float(min(half, q.half_spread_max))


@leaf
def _spacing(q: Rec, side: int) -> float:
    """Ticks between levels: wider on the side that reduces the inventory, in proportion to it."""
    ratio = q.inventory_ratio if side == ASK else -q.inventory_ratio
    return float(q.level_spacing_ticks * (1.0 + q.spacing_growth * min(max(ratio, 0.0), 1.0)))


@leaf
def _price(q: Rec, side: int, level: int, skew: float, half: float) -> int:
    """Price of a level before it is held against the book: bids rounded down, asks up."""
    centre: float = q.fair + skew * (1.0 + q.skew_growth * level)
    distance: float = half * (1.0 + q.spread_growth * level) + _spacing(q, side) * level
    if side == BID:
        return math.floor(centre - distance)
    return math.ceil(centre + distance)


@leaf
def _fill_side(q: Rec, side: int, skew: float, half: float, best_ticks: int) -> None:
    """Write one side's levels, the first no better than best_ticks, until size or room runs out."""
    lots_exact = side_lots(q, side)
    room = q.room_lots[side]
    limit = best_ticks
    for level in range(q.levels):
        price = _price(q, side, level, skew, half)
        price = min(price, limit) if side == BID else max(price, limit)
        limit = price - 1 if side == BID else price + 1
        lots = min(int(lots_exact + _ROUNDING), room)
        if lots < q.lots_min or price < 1:
            break
        q.px[side, level] = price
        q.sz[side, level] = lots
        q.n[side] = level + 1
        room -= lots
        lots_exact *= q.size_decay


@kernel
def ladder(quote: Rec, best_bid_ticks: int, best_ask_ticks: int) -> int:
    """Write the targets n, px, sz from fair, offset, skew and sizes.

    The bests are the market's without our own orders; 0 and PRICE_TICKS_MAX stand for an empty side.
    Returns OK, CROSSED (best bid not below best ask) or NOT_FINITE; then there are no targets.
    """
    q = quote[0]
    q.n[BID] = 0
    q.n[ASK] = 0
    if best_bid_ticks >= best_ask_ticks:
        return CROSSED
    skew = q.skew * q.skew_multiplier + volatility_skew(q)
    reach = abs(q.fair) + abs(skew) + abs(q.offset[BID]) + abs(q.offset[ASK])
    if not (reach * q.spread_multiplier + reach < PRICE_TICKS_MAX and q.spread_multiplier >= 0.0):
        return NOT_FINITE
    half_bid, half_ask = _half_spread(q, BID), _half_spread(q, ASK)
    bid_best, ask_best = best_ask_ticks - 1, best_bid_ticks + 1
    top_bid = min(_price(q, BID, 0, skew, half_bid), bid_best)
    if top_bid >= max(_price(q, ASK, 0, skew, half_ask), ask_best):
        # Only without any spread do both round to one tick: the side that adds inventory gives way.
        if skew < 0.0:
            bid_best = top_bid - 1
        else:
            ask_best = top_bid + 1
    if q.allow_bid == 1:
        _fill_side(q, BID, skew, half_bid, bid_best)
    if q.allow_ask == 1:
        _fill_side(q, ASK, skew, half_ask, ask_best)
    return OK
