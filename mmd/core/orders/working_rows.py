"""What an order's life does to the WORKING record, compiled: for loops that carry orders without their Python objects.

The same as `mmd.core.orders.working_orders` and its mirror write for quotes that are sent, acknowledged and ended one
after the other; a test holds one against the other, number by number.
"""

from typing import Final

from mmd.core.orders.order_diff import BUSY, EMPTY, LIVE, PENDING, SLOTS
from mmd.jit.kernel import Rec, leaf

NO_SLOT: Final = -1


@leaf
def slot_of(w: Rec, side: int, order_id: int) -> int:
    """Where an order of a side stands, or NO_SLOT; w is the row of WORKING, here and below."""
    for slot in range(w.n[side]):
        if w.state[side, slot] != EMPTY and w.id[side, slot] == order_id:
            return slot
    return NO_SLOT


@leaf
def is_better(side: int, px: int, than: int) -> bool:
    """Whether a price of a side is more aggressive than another; anything is, than none (0)."""
    return bool(than == 0 or (1 - 2 * side) * (px - than) > 0)


@leaf
def seat(w: Rec, side: int, order_id: int, px: int, lots: int, now_ns: int) -> None:
    """An order was sent: it takes the first free slot, of which there must be one."""
    slot = 0
    while slot < w.n[side] and w.state[side, slot] != EMPTY:
        slot += 1
    w.n[side] = max(w.n[side], slot + 1)
    w.id[side, slot] = order_id
    w.px[side, slot] = px
    w.leaves[side, slot] = lots
    w.state[side, slot] = PENDING
    w.amends[side, slot] = 0
    w.since_ns[side, slot] = now_ns
    w.open_lots[side] += lots
    w.open_orders[side] += 1
    w.open_ticklots[side] += px * lots
    if is_better(side, px, w.best[side]):
        w.best[side] = px


@leaf
def ask_back(w: Rec, side: int, slot: int) -> None:
    """The order in a slot is to leave: nothing more is asked of it, and what it has left may still be filled."""
    w.state[side, slot] = BUSY


@leaf
def acknowledge(w: Rec, side: int, slot: int) -> None:
    """The venue has the order in a slot."""
    if w.state[side, slot] == PENDING:
        w.state[side, slot] = LIVE


@leaf
def vacate(w: Rec, side: int, slot: int) -> None:
    """The order in a slot has left the venue with nothing owed."""
    px, lots = w.px[side, slot], w.leaves[side, slot]
    w.state[side, slot] = EMPTY
    w.open_lots[side] -= lots
    w.open_orders[side] -= 1
    w.open_ticklots[side] -= px * lots
    while w.n[side] > 0 and w.state[side, w.n[side] - 1] == EMPTY:
        w.n[side] -= 1
    if px == w.best[side]:
        best = 0
        for other in range(w.n[side]):
            if w.state[side, other] != EMPTY and is_better(side, w.px[side, other], best):
                best = w.px[side, other]
        w.best[side] = best


@leaf
def has_room(w: Rec, side: int, orders: int) -> bool:
    """Whether so many more orders of a side would find a slot each."""
    return bool(w.open_orders[side] + orders <= SLOTS)
