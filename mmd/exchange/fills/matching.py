"""Fills of our orders against a recorded market: what trades, book changes and arrivals do.

    trade at our price        the queue ahead goes first, then we, up to the print's size
    trade beyond our price    the aggressor would have met us first, up to the print's size
    the other side reaches us an order came to our price: we fill, up to what is displayed and not yet taken
    our order reaches them    it takes what is displayed and not yet taken, or a post-only one is refused
Fills are written to FILLS.out for the caller to fetch; nothing here reads a clock.
"""

from typing import Final

from mmd.core.market import book as books
from mmd.core.market.record import TOP
from mmd.exchange.fills.displayed import (
    best_available,
    settle_taken,
    shown_lots,
    take,
    taken_lots,
)
from mmd.exchange.fills.fifo import lots_ahead
from mmd.exchange.fills.queue_models import ahead_on_arrival, on_level_change
from mmd.exchange.fills.record import (
    ACCEPTED,
    EXPIRED,
    FIFO,
    FULL,
    ID,
    MAKER,
    NOT_SMALLER,
    OUT_MAX,
    PX,
    QTY,
    SIDE,
    SLOTS,
    TS,
    UNKNOWN,
    WOULD_TAKE,
)
from mmd.jit.kernel import Rec, kernel, leaf

_ROUNDING: Final = 1e-9
"""Probabilistic models subtract fractions: this much less than a whole lot is a whole lot."""
GTC, IOC, POST_ONLY = 0, 1, 2
"""Times in force, as the kernels know them."""


@leaf
def _report(f: Rec, order_id: int, side: int, px: int, lots: int, maker: int) -> None:
    """Write a fill down; each ends an order or empties a level, so a frame makes fewer than OUT_MAX."""
    if f.n_out < OUT_MAX:
        row = f.out[f.n_out]
        row[ID], row[SIDE], row[PX], row[QTY], row[MAKER], row[TS] = (
            order_id,
            side,
            px,
            lots,
            maker,
            f.now_ns,
        )
        f.n_out += 1


@leaf
def _copy(f: Rec, side: int, source: int, target: int) -> None:
    f.id[side, target] = f.id[side, source]
    f.px[side, target] = f.px[side, source]
    f.leaves[side, target] = f.leaves[side, source]
    f.ahead[side, target] = f.ahead[side, source]
    f.traded[side, target] = f.traded[side, source]
    f.shown[side, target] = f.shown[side, source]
    f.born[side, target] = f.born[side, source]


@leaf
def _sweep_out(f: Rec, side: int) -> None:
    """Close the gaps that filled orders left."""
    kept = 0
    for slot in range(f.n[side]):
        if f.leaves[side, slot] > 0:
            if kept != slot:
                _copy(f, side, slot, kept)
            kept += 1
    f.n[side] = kept


@leaf
def find(f: Rec, side: int, order_id: int) -> int:
    """Where an order rests; -1 where it does not. f is the row of FILLS."""
    for slot in range(f.n[side]):
        if f.id[side, slot] == order_id:
            return slot
    return -1


@leaf
def _fill(f: Rec, side: int, slot: int, lots: int) -> None:
    """Fill a resting order at its own price."""
    f.leaves[side, slot] -= lots
    _report(f, f.id[side, slot], side, f.px[side, slot], lots, 1)


@leaf
def reached_lots(f: Rec, side: int, slot: int, qty: int, given: int, at_price: bool) -> int:  # noqa: FBT001 - a kernel
    """What of a print of qty lots reaches an order after `given` went to ours before it."""
    left = float(qty - given)
    if at_price:
        ahead = f.ahead[side, slot]
        f.ahead[side, slot] = max(ahead - qty, 0.0)
        f.traded[side, slot] += qty
        left -= ahead
    if left < 1.0 - _ROUNDING:
        return 0
    return int(min(left + _ROUNDING, float(f.leaves[side, slot])))


@kernel
def on_trade(fills: Rec, aggressor: int, px: int, qty: int) -> int:
    """A print of qty lots at px by an aggressor (0 buys, 1 sells); returns the lots that were ours."""
    f = fills[0]
    side, given = 1 - aggressor, 0
    for slot in range(f.n[side]):
        behind = px - f.px[side, slot] if side == 0 else f.px[side, slot] - px
        if behind > 0:
            break
        lots = reached_lots(f, side, slot, qty, given, behind == 0)
        if lots > 0:
            _fill(f, side, slot, lots)
            given += lots
    if given > 0:
        _sweep_out(f, side)
    return given


@kernel
def on_execution(fills: Rec, side: int, px: int, born: int, qty: int) -> int:
    """A recorded order of a side that arrived as number `born` was executed: what of it was ours in truth.

    An order of ours at a better price, or at the same price and there before it, would have been filled first.
    """
    f, given = fills[0], 0
    if born == 0:
        return 0
    for slot in range(f.n[side]):
        behind = px - f.px[side, slot] if side == 0 else f.px[side, slot] - px
        if behind > 0 or given == qty:
            break
        if behind == 0 and f.born[side, slot] > born:
            continue
        lots = min(f.leaves[side, slot], qty - given)
        _fill(f, side, slot, lots)
        given += lots
    if given > 0:
        _sweep_out(f, side)
    return given


@leaf
def _meet(f: Rec, b: Rec, side: int) -> None:
    """Fill orders of a side that the other side has reached, best first."""
    other, any_filled = 1 - side, False
    for slot in range(f.n[side]):
        while f.leaves[side, slot] > 0:
            k = best_available(f, b, other, f.px[side, slot])
            if k < 0:
                break
            px = b.vpx[other, k]
            lots = min(f.leaves[side, slot], b.vsz[other, k] - taken_lots(f, other, px))
            take(f, other, px, lots)
            _fill(f, side, slot, lots)
            any_filled = True
    if any_filled:
        _sweep_out(f, side)


@leaf
def _reaches(f: Rec, b: Rec, side: int) -> bool:
    """Whether the other side's best is at or beyond our best order."""
    if f.n[side] == 0 or b.nview[1 - side] == 0:
        return False
    best = b.vpx[1 - side, 0]
    return bool(best <= f.px[side, 0] if side == 0 else best >= f.px[side, 0])


@kernel
def on_book(fills: Rec, book: Rec, market: Rec) -> int:
    """Apply a SNAPSHOT, DIFF or TOP to the exchange's book and to our orders; returns the book's status."""
    f, b, m = fills[0], book[0], market[0]
    status = books.apply_top(book, market) if m.kind == TOP else books.apply(book, market)
    if status not in (books.OK, books.CROSSED, books.ONE_SIDED):
        f.gaps += status == books.GAP
        return status
    if f.n_taken > 0:
        settle_taken(f, b)
    for side in range(2):
        for slot in range(f.n[side]):
            before, after = f.shown[side, slot], shown_lots(b, side, f.px[side, slot])
            f.shown[side, slot] = after
            if before != after:
                on_level_change(f, side, slot, before, after)
    for side in range(2):
        if _reaches(f, b, side):
            _meet(f, b, side)
    return status


@leaf
def _take_out(f: Rec, b: Rec, order_id: int, side: int, px: int, qty: int) -> int:
    """Take what is there at px or better; returns the lots that are left."""
    other, left = 1 - side, qty
    while left > 0:
        k = best_available(f, b, other, px)
        if k < 0:
            break
        level = b.vpx[other, k]
        lots = min(left, b.vsz[other, k] - taken_lots(f, other, level))
        take(f, other, level, lots)
        _report(f, order_id, side, level, lots, 0)
        left -= lots
    return left


@leaf
def _rest(f: Rec, b: Rec, l3: Rec, order_id: int, side: int, px: int, lots: int) -> None:
    """Join the queue at px."""
    slot = f.n[side]
    while slot > 0 and (f.px[side, slot - 1] < px if side == 0 else f.px[side, slot - 1] > px):
        _copy(f, side, slot - 1, slot)
        slot -= 1
    f.n[side] += 1
    f.arrivals += 1
    shown = shown_lots(b, side, px)
    f.id[side, slot] = order_id
    f.px[side, slot] = px
    f.leaves[side, slot] = lots
    f.traded[side, slot] = 0.0
    f.shown[side, slot] = shown
    f.born[side, slot] = f.arrivals
    if f.model == FIFO:
        f.ahead[side, slot] = lots_ahead(l3, side, px, f.arrivals)
    else:
        f.ahead[side, slot] = ahead_on_arrival(f, max(shown - taken_lots(f, side, px), 0))


@kernel
def place(
    fills: Rec, book: Rec, l3: Rec, order_id: int, side: int, px: int, qty: int, tif: int
) -> int:
    """A limit order arrives; returns ACCEPTED, WOULD_TAKE (a post-only one), FULL, or EXPIRED (rest of an IOC).

    What it takes at once is in FILLS.out before what it returns.
    """
    f, b = fills[0], book[0]
    if f.n[side] == SLOTS:
        return FULL
    if tif == POST_ONLY and best_available(f, b, 1 - side, px) >= 0:
        return WOULD_TAKE
    left = qty if tif == POST_ONLY else _take_out(f, b, order_id, side, px, qty)
    if left == 0:
        return ACCEPTED
    if tif == IOC:
        return EXPIRED
    _rest(f, b, l3, order_id, side, px, left)
    return ACCEPTED


@kernel
def cancel(fills: Rec, side: int, order_id: int) -> int:
    """Take an order out; returns the lots that it had left, 0 if it does not rest."""
    f = fills[0]
    slot = find(f, side, order_id)
    if slot < 0:
        return 0
    left: int = f.leaves[side, slot]
    f.leaves[side, slot] = 0
    _sweep_out(f, side)
    return left


@kernel
def reduce(fills: Rec, side: int, order_id: int, leaves: int) -> int:
    """Shrink an order in its place to `leaves` lots; returns ACCEPTED, NOT_SMALLER or UNKNOWN."""
    f = fills[0]
    slot = find(f, side, order_id)
    if slot < 0:
        return UNKNOWN
    if not 0 < leaves < f.leaves[side, slot]:
        return NOT_SMALLER
    f.leaves[side, slot] = leaves
    return ACCEPTED
