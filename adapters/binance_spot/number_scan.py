"""Numbers and price levels straight from JSON bytes into ticks and lots, exactly.

Only plain decimals are read ("12", "12.30", at most 18 digits in units of the step); for anything else the
functions return ODD instead of the next index, and the frame goes to `exact_decode`. No index is compared
with the end of the frame: a zero byte stands there, which no accepted text contains.
"""

from typing import Any

import numpy as np

from adapters.binance_spot.plain_number import ODD, PLACES, digits_at, plain_number
from mmd.core.market.record import LEVELS_MAX
from mmd.jit.kernel import Rec, kernel, leaf

QUOTE, COMMA, DOT, ZERO, NINE, COLON, OPEN, CLOSE = 34, 44, 46, 48, 57, 58, 91, 93
_DIGITS_MAX = 18
_TEXT_MAX = 40
_POW10 = 10 ** np.arange(_DIGITS_MAX + 1, dtype=np.int64)


@leaf
def _decimal(buf: Any, start: int, scale: int) -> tuple[int, bool, int]:
    """Decimal at buf[start] in units of 10**-scale, rounded down; whether it was; next index or ODD."""
    i: Any = np.uint64(start)  # unsigned: no wraparound check per byte
    value: Any = 0
    one, missing, rounded = np.uint64(1), scale, False
    stop = np.uint64(start + _DIGITS_MAX + 1)
    while i < stop and ZERO <= buf[i] <= NINE:
        value = value * 10 + (np.int64(buf[i]) - ZERO)
        i += one
    whole = np.int64(i) - start
    if whole == 0 or whole + scale > _DIGITS_MAX:
        return 0, False, ODD
    if buf[i] == DOT:
        i += one
        while missing > 0 and ZERO <= buf[i] <= NINE:
            value = value * 10 + (np.int64(buf[i]) - ZERO)
            i += one
            missing -= 1
        stop = np.uint64(start + _TEXT_MAX)
        while buf[i] == ZERO:  # the venue pads every number with zeros: a third of a frame
            i += one
        if i > stop:
            return 0, False, ODD
        while i < stop and ZERO <= buf[i] <= NINE:
            rounded = rounded or buf[i] != ZERO
            i += one
    if missing > 0:
        value *= _POW10[missing]
    end: Any = np.int64(i)
    return value, rounded, end


@leaf
def price(buf: Any, i: int, scale: int, step: int) -> tuple[int, int]:
    """Price in quotes at buf[i] in ticks of step * 10**-scale; the index after it, ODD if off the tick."""
    if buf[i] != QUOTE:
        return 0, ODD
    value, rounded, i = _decimal(buf, i + 1, scale)
    if i == ODD or buf[i] != QUOTE or rounded:
        return 0, ODD
    if step != 1:
        units = value // step
        if units * step != value:
            return 0, ODD
        value = units
    return value, i + 1


@leaf
def size(buf: Any, i: int, scale: int, step: int) -> tuple[int, int]:
    """Size in quotes at buf[i] in whole lots of step * 10**-scale; the index after it or ODD.

    Rounded down, but a size above zero is at least one lot: orders from before a change of the lot size
    may rest for years (BTCUSDT had one of 93.756587 with lots of 0.00001), and they are not ours to refuse.
    """
    if buf[i] != QUOTE:
        return 0, ODD
    value, rounded, i = _decimal(buf, i + 1, scale)
    if i == ODD or buf[i] != QUOTE:
        return 0, ODD
    lots = value // step if step != 1 else value
    if lots == 0 and (rounded or value != 0):
        lots = 1
    return lots, i + 1


@leaf
def integer(buf: Any, start: int) -> tuple[int, int]:
    """JSON integer of at most 18 digits at buf[start], and the index after it or ODD."""
    i: Any = np.uint64(start)
    one = np.uint64(1)
    value: Any = 0
    stop = np.uint64(start + _DIGITS_MAX + 1)
    while i < stop and ZERO <= buf[i] <= NINE:
        value = value * 10 + (np.int64(buf[i]) - ZERO)
        i += one
    end: Any = np.int64(i)
    n = end - start
    if n == 0 or n > _DIGITS_MAX or (n > 1 and buf[start] == ZERO):
        return 0, ODD
    return value, end


@leaf
def _unit(scale: int, step: int) -> int:
    """A step of 10**-scale in 10**-PLACES; 0 where it is finer than that."""
    return step * _POW10[PLACES - scale] if scale <= PLACES else 0


@kernel
def levels(scan: Rec, market: Rec, side: int, row: int, i: int) -> int:
    """Read [["price","size"],...] at raw[i] into one side of a market row, on the grid of that row.

    Args:
        scan: row of a SCAN record.
        market: row of a MARKET record.
        side: 0 bids, 1 asks.
        row: which instrument of the scan's table.
        i: index of the opening bracket.

    Returns:
        The index after the closing bracket, or ODD (also where there are more than LEVELS_MAX).
    """
    buf, grid = scan.raw, scan.grid
    price_scale, price_step = grid[row, 0], grid[row, 1]
    size_scale, size_step = grid[row, 2], grid[row, 3]
    tick, lot = _unit(price_scale, price_step), _unit(size_scale, size_step)
    per_tick, per_lot = 1.0 / max(tick, 1), 1.0 / max(lot, 1)
    price_digits = size_digits = 1
    market.n[side] = n = 0
    i += 1
    if buf[i] == CLOSE:
        return i + 1
    while n < LEVELS_MAX and buf[i] == OPEN and buf[i + 1] == QUOTE:
        price_digits = digits_at(buf, i + 2, price_digits)
        ticks, end = plain_number(buf, i + 2, price_digits, tick, per_tick)
        if end == ODD:
            ticks, end = price(buf, i + 1, price_scale, price_step)
        if end == ODD or buf[end] != COMMA or buf[end + 1] != QUOTE:
            return ODD
        i = end + 1
        size_digits = digits_at(buf, i + 1, size_digits)
        lots, end = plain_number(buf, i + 1, size_digits, lot, per_lot)
        if end == ODD:
            lots, end = size(buf, i, size_scale, size_step)
        if end == ODD or buf[end] != CLOSE:
            return ODD
        market.px[side, n] = ticks
        market.sz[side, n] = lots
        n += 1
        i = end + 2
        if buf[i - 1] == CLOSE:
            market.n[side] = n
            return i
        if buf[i - 1] != COMMA:
            return ODD
    return ODD
