"""The true queue: every recorded order by id, so that what stands ahead of ours is known and not estimated.

Orders are kept in an open-addressing table. An order that arrived before ours at our price and side is ahead
of it; the execution of one that arrived later means that we would have been filled first.
"""

from typing import Final

from mmd.jit.kernel import Rec, kernel, layout, leaf

CAPACITY: Final = 1 << 17
_MASK: Final = CAPACITY - 1
_LOAD_MAX: Final = CAPACITY * 3 // 4
ADD, MODIFY, DELETE, EXECUTE = 0, 1, 2, 3
OK: Final = 0
NO_ROOM: Final = -1

L3 = layout(
    ("n", "i8"),
    ("used", "i8", (CAPACITY,)),
    ("id", "i8", (CAPACITY,)),
    ("side", "i8", (CAPACITY,)),
    ("px", "i8", (CAPACITY,)),
    ("lots", "i8", (CAPACITY,)),
    ("born", "i8", (CAPACITY,)),  # arrivals when it got its place in the queue
)


@leaf
def _home(order_id: int) -> int:
    """Where the search for an order begins; the product stays below 2**62."""
    return (((order_id ^ (order_id >> 31)) & 0x7FFFFFFF) * 0x5BD1E995 >> 20) & _MASK


@leaf
def _slot(t: Rec, order_id: int) -> int:
    """Where an order is, or where it belongs."""
    at = _home(order_id)
    while t.used[at] != 0 and t.id[at] != order_id:
        at = (at + 1) & _MASK
    return at


@leaf
def _remove(t: Rec, at: int) -> None:
    """Empty a place and move up what the probing would not find any more."""
    t.used[at] = 0
    t.n -= 1
    hole, probe = at, (at + 1) & _MASK
    while t.used[probe] != 0:
        home = _home(t.id[probe])
        if (probe - home) & _MASK >= (probe - hole) & _MASK:
            t.id[hole], t.side[hole], t.px[hole] = t.id[probe], t.side[probe], t.px[probe]
            t.lots[hole], t.born[hole] = t.lots[probe], t.born[probe]
            t.used[hole], t.used[probe] = 1, 0
            hole = probe
        probe = (probe + 1) & _MASK


@kernel
def lots_ahead(l3: Rec, side: int, px: int, born: int) -> float:
    """Lots of all orders at a level that came before; reads the whole table."""
    t, total = l3[0], 0
    used, price, sides, came, lots = t.used, t.px, t.side, t.born, t.lots
    for at in range(CAPACITY):
        if used[at] != 0 and price[at] == px and sides[at] == side and came[at] < born:
            total += lots[at]
    return float(total)


@leaf
def _leave(f: Rec, side: int, px: int, born: int, lots: int) -> None:
    """Lots that came at `born` are gone from a level: our later orders there move up."""
    for slot in range(f.n[side]):
        if f.px[side, slot] == px and f.born[side, slot] > born:
            f.ahead[side, slot] = max(f.ahead[side, slot] - lots, 0.0)


@leaf
def _put(f: Rec, t: Rec, at: int, order_id: int, side: int, px: int, lots: int) -> None:
    f.arrivals += 1
    t.n += t.used[at] == 0
    t.used[at] = 1
    t.id[at], t.side[at], t.px[at], t.lots[at] = order_id, side, px, lots
    t.born[at] = f.arrivals


@kernel
def on_order_event(
    fills: Rec, l3: Rec, op: int, order_id: int, side: int, px: int, qty: int
) -> int:
    """A recorded order comes, changes, leaves or is executed; our queue places follow.

    Less at the same price keeps an order's place; more, or another price, takes it to the end. What is not
    known is passed over: it came before the recording.

    Returns:
        Of an execution, the arrival number of the order (0 where it is not known), else OK; NO_ROOM beyond
        three quarters of CAPACITY.
    """
    f, t = fills[0], l3[0]
    at = _slot(t, order_id)
    if op == ADD or (op == MODIFY and t.used[at] == 0):
        if t.n >= _LOAD_MAX:
            return NO_ROOM
        _put(f, t, at, order_id, side, px, qty)
        return OK
    if t.used[at] == 0:
        return OK
    if op == MODIFY and (t.px[at] != px or qty > t.lots[at]):
        _leave(f, t.side[at], t.px[at], t.born[at], t.lots[at])
        _put(f, t, at, order_id, side, px, qty)
        return OK
    born: int = t.born[at] if op == EXECUTE else OK
    gone = t.lots[at] - qty if op == MODIFY else min(qty, t.lots[at])
    _leave(f, t.side[at], t.px[at], t.born[at], gone)
    t.lots[at] -= gone
    if t.lots[at] == 0:
        _remove(t, at)
    return born
