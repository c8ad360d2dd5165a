"""Working orders against the wanted ladder: the smallest set of actions that turns one into the other.

Per side, best first:
    1. an order at a target's price is kept, then one within the tolerance of a target that found none;
       price matters before level, so after a one-tick move what still sits at a wanted price keeps its
       place in the queue whatever its level was
    2. a kept order with more left than wanted is amended down (which keeps its place) while amends last
    3. orders and targets left over are paired as replacements; surplus orders are cancelled, surplus
       targets placed
Orders waiting for their acknowledgement count as kept but cannot be changed; BUSY ones (being cancelled,
or unknown) take no part: what they may still fill is the risk gate's business.

After a fill its level rests (`hold`): orders of the side at its price or better are cancelled, and no order is placed
or moved there before the time is over. Orders behind it stay, and may serve what was a better level before.
"""

from typing import Final

from mmd.core.quoting.record import LEVELS_MAX
from mmd.errors import ConfigError
from mmd.jit.kernel import Rec, kernel, layout, leaf, new

SLOTS: Final = 16
"""Working orders a side that take part."""
EMPTY, LIVE, PENDING, BUSY = 0, 1, 2, 3
"""What a slot holds: nothing, an order that may be changed, one that counts but may not, one that is leaving."""
PLACE, CANCEL, REPLACE, AMEND = 1, 2, 3, 4
OP, SIDE, LEVEL, SLOT, PX, SZ = range(6)
"""Columns of an action. LEVEL counts from 0, -1 for a cancel; SLOT is -1 for a place.

SZ is lots: of the new order, or for AMEND what shall be left (the unfilled part).
"""
_ACTIONS_MAX = 2 * (SLOTS + LEVELS_MAX)
_FREE = -1
_RESTS = -2
_NO_DISTANCE = 2**62

WORKING = layout(
    ("now_ns", "i8"),  # engine time; the requote interval and holds read it
    ("tolerance_ticks", "i8"),
    ("amends_max", "i8"),  # amends that the venue allows an order; 0 = none
    ("requote_ns", "i8"),  # an order younger than this is not moved towards the touch
    (
        "holds_levels",
        "i8",
    ),  # 1 = a hold is about the levels up to the fill's; 0 = nothing new is placed on the side
    ("size_keep_ratio_min", "f8"),
    ("size_keep_ratio_max", "f8"),
    ("held_until_ns", "i8", (2,)),
    ("held_px", "i8", (2,)),  # at this price or better nothing stands until then
    ("held_level", "i8", (2,)),  # up to this one nothing is placed or moved until then
    ("n", "i8", (2,)),  # slots in use: all beyond are EMPTY
    ("id", "i8", (2, SLOTS)),  # of the order
    ("px", "i8", (2, SLOTS)),  # ticks
    ("leaves", "i8", (2, SLOTS)),  # lots
    ("state", "i8", (2, SLOTS)),
    ("amends", "i8", (2, SLOTS)),  # amends already made
    ("since_ns", "i8", (2, SLOTS)),  # when the order got its price and size
    ("want", "i8", (2, SLOTS)),  # out: level that the order serves, below 0 = none
    ("served", "i8", (2, LEVELS_MAX)),  # out: 1 if an order serves the level or none may
    ("act", "i8", (_ACTIONS_MAX, 6)),  # out
    # Sums over all open orders, with a slot or without; read by mmd.core.risk.order_check
    ("open_lots", "i8", (2,)),
    ("open_orders", "i8", (2,)),
    ("open_ticklots", "i8", (2,)),
    ("best", "i8", (2,)),  # the most aggressive price of each side, 0 = none
    ("unknown_count", "i8"),
)


def new_working(
    *,
    tolerance_ticks: int = 0,
    size_keep_ratio_min: float = 0.5,
    size_keep_ratio_max: float = 1.5,
    amends_max: int = 0,
    requote_ns: int = 0,
    holds_levels: bool = False,
) -> Rec:
    """Empty WORKING record.

    Args:
        tolerance_ticks: how far from a target's price an order may stay.
        size_keep_ratio_min: an order is kept while it has this share of the target's size left, 0..1.
        size_keep_ratio_max: where it cannot be amended, it is kept up to this multiple of the size, >= 1.
        amends_max: amends (down, keeping priority) that the venue allows an order; 0 where it has none.
        requote_ns: how long an order rests before it may be moved towards the touch.
        holds_levels: whether `hold` cancels, and spares the levels behind the fill's.

    Raises:
        ConfigError: a value out of its range.
    """
    if tolerance_ticks < 0 or requote_ns < 0 or amends_max < 0:
        raise ConfigError(
            f"tolerance_ticks {tolerance_ticks}, requote_ns {requote_ns} and amends_max {amends_max} "
            "must be 0 or more: change them in the settings"
        )
    if not 0.0 <= size_keep_ratio_min <= 1.0 <= size_keep_ratio_max:
        raise ConfigError(
            f"expected size_keep_ratio_min <= 1 <= size_keep_ratio_max, found {size_keep_ratio_min} "
            f"and {size_keep_ratio_max}: change them in the settings"
        )
    working = new(WORKING)
    working["tolerance_ticks"] = tolerance_ticks
    working["size_keep_ratio_min"] = size_keep_ratio_min
    working["size_keep_ratio_max"] = size_keep_ratio_max
    working["amends_max"] = amends_max
    working["requote_ns"] = requote_ns
    working["holds_levels"] = holds_levels
    return working


@kernel
def hold(working: Rec, quote: Rec, side: int, price_ticks: int, now_ns: int, until_ns: int) -> None:
    """An order was filled: let its level, and those before it, rest until a time.

    Its level is the last whose target stood at its price or better. Where the side rests already, both fills count.
    """
    w, t = working[0], quote[0]
    towards, level = 1 - 2 * side, 0
    for i in range(1, t.n[side]):
        if towards * (t.px[side, i] - price_ticks) >= 0:
            level = i
    if now_ns < w.held_until_ns[side]:
        level = max(level, w.held_level[side])
        if towards * (w.held_px[side] - price_ticks) < 0:
            price_ticks = w.held_px[side]
    w.held_until_ns[side] = max(until_ns, w.held_until_ns[side])
    w.held_px[side] = price_ticks
    w.held_level[side] = level


@leaf
def is_held(w: Rec, side: int) -> bool:
    """Whether a level of the side rests at w.now_ns."""
    return bool(w.now_ns < w.held_until_ns[side])


@leaf
def _is_ahead(w: Rec, side: int, price_ticks: int) -> bool:
    """Whether a price is the held one or better."""
    return bool((1 - 2 * side) * (price_ticks - w.held_px[side]) >= 0)


@leaf
def _let_go(w: Rec, side: int) -> None:
    """Leave every order free to serve any level, but for those of a level that rests."""
    rests = w.holds_levels == 1 and is_held(w, side)
    for slot in range(w.n[side]):
        is_resting = rests and _is_ahead(w, side, w.px[side, slot])
        w.want[side, slot] = _RESTS if is_resting else _FREE


@leaf
def _withhold(w: Rec, t: Rec, side: int) -> None:
    """Let no order be placed at, or moved to, a level that rests."""
    if w.holds_levels == 1 and is_held(w, side):
        for level in range(t.n[side]):
            if level <= w.held_level[side] or _is_ahead(w, side, t.px[side, level]):
                w.served[side, level] = 1


@leaf
def _is_available(w: Rec, side: int, slot: int) -> bool:
    """Whether the slot holds an order that may serve a target and serves none yet."""
    state = w.state[side, slot]
    is_candidate = state == LIVE or state == PENDING  # noqa: PLR1714 - no tuples in kernels
    return bool(is_candidate and w.want[side, slot] == _FREE)


@leaf
def _fits(w: Rec, side: int, slot: int, lots: int) -> bool:
    """Whether the order can serve a target of this size without losing its place."""
    if w.state[side, slot] == PENDING:
        return True
    left = w.leaves[side, slot]
    if left > lots:
        may_amend = w.amends[side, slot] < w.amends_max
        return bool(may_amend or left <= w.size_keep_ratio_max * lots)
    return bool(left >= w.size_keep_ratio_min * lots)


@leaf
def _match(w: Rec, t: Rec, side: int, tolerance: int) -> None:
    """Give every unserved target, best first, the nearest free order within tolerance that fits."""
    for level in range(t.n[side]):
        if w.served[side, level] != 0:
            continue
        found, distance_min = _FREE, _NO_DISTANCE
        for slot in range(w.n[side]):
            if not _is_available(w, side, slot):
                continue
            distance = abs(w.px[side, slot] - t.px[side, level])
            if (
                distance <= tolerance
                and distance < distance_min
                and _fits(w, side, slot, t.sz[side, level])
            ):
                found, distance_min = slot, distance
        if found != _FREE:
            w.want[side, found] = level
            w.served[side, level] = 1


@leaf
def _pair(w: Rec, t: Rec, side: int) -> None:
    """Pair orders and targets that are left over, both best first."""
    towards = 1 - 2 * side
    for level in range(t.n[side]):
        if w.served[side, level] != 0:
            continue
        found = _FREE
        for slot in range(w.n[side]):
            if not _is_available(w, side, slot):
                continue
            if found == _FREE or towards * (w.px[side, slot] - w.px[side, found]) > 0:
                found = slot
        if found == _FREE:
            break
        w.want[side, found] = level
        w.served[side, level] = 1


@leaf
def _emit(w: Rec, n: int, op: int, side: int, level: int, slot: int, px: int, sz: int) -> int:
    """Append an action; returns how many there are now."""
    row = w.act[n]
    row[OP], row[SIDE], row[LEVEL], row[SLOT], row[PX], row[SZ] = op, side, level, slot, px, sz
    return n + 1


@leaf
def _retreats(w: Rec, t: Rec, side: int, slot: int) -> bool:
    """Whether serving its target takes the order away from the touch (or makes it smaller in place)."""
    level = w.want[side, slot]
    step = (1 - 2 * side) * (t.px[side, level] - w.px[side, slot])
    return bool(step < 0 or (step == 0 and t.sz[side, level] < w.leaves[side, slot]))


@leaf
def _is_kept(w: Rec, t: Rec, side: int, slot: int) -> bool:
    """Whether the order was matched by price and size, as opposed to paired for replacement."""
    level = w.want[side, slot]
    near = abs(w.px[side, slot] - t.px[side, level]) <= w.tolerance_ticks
    return near and _fits(w, side, slot, t.sz[side, level])


@leaf
def _shrink(w: Rec, t: Rec, side: int, n: int) -> int:
    """Cancels and amends of a side."""
    for slot in range(w.n[side]):
        if w.state[side, slot] != LIVE:
            continue
        level = w.want[side, slot]
        if level < 0:
            n = _emit(w, n, CANCEL, side, -1, slot, w.px[side, slot], w.leaves[side, slot])
        elif _is_kept(w, t, side, slot):
            lots = t.sz[side, level]
            if w.leaves[side, slot] > lots and w.amends[side, slot] < w.amends_max:
                n = _emit(w, n, AMEND, side, level, slot, w.px[side, slot], lots)
    return n


@leaf
def _replace(w: Rec, t: Rec, side: int, n: int, retreating: bool) -> int:  # noqa: FBT001 - a kernel
    """Replacements of a side that move away from the touch, or the others."""
    for slot in range(w.n[side]):
        level = w.want[side, slot]
        if w.state[side, slot] != LIVE or level < 0 or _is_kept(w, t, side, slot):
            continue
        if _retreats(w, t, side, slot) != retreating:
            continue
        is_due = w.now_ns - w.since_ns[side, slot] >= w.requote_ns
        # Economy never holds back the only side that is quoted, where that reduces the inventory.
        reduces_alone = t.n[1 - side] == 0 and (1 - 2 * side) * t.inventory_ratio < 0.0
        if retreating or is_due or reduces_alone:
            n = _emit(w, n, REPLACE, side, level, slot, t.px[side, level], t.sz[side, level])
    return n


@leaf
def _place(w: Rec, t: Rec, side: int, n: int) -> int:
    """New orders of a side."""
    if w.holds_levels == 0 and is_held(w, side):
        return n
    for level in range(t.n[side]):
        if w.served[side, level] == 0:
            n = _emit(w, n, PLACE, side, level, -1, t.px[side, level], t.sz[side, level])
    return n


@kernel
def diff(working: Rec, quote: Rec) -> int:
    """Fill working.act; returns how many rows are set.

    Risk-reducing actions come first: cancels and amends, replacements moving away from the touch, then
    the other replacements, then new orders. Among the first two the side that adds to the inventory comes first,
    among the others the side that reduces it. Of quote only inventory_ratio, n, px and sz are read: positive sizes,
    prices distinct and best first.
    """
    w, t = working[0], quote[0]
    for side in range(2):
        _let_go(w, side)
        for level in range(t.n[side]):
            w.served[side, level] = 0
        _match(w, t, side, 0)
        _match(w, t, side, w.tolerance_ticks)
        _withhold(w, t, side)
        _pair(w, t, side)
    n = 0
    adding, reducing = int(t.inventory_ratio < 0.0), int(t.inventory_ratio > 0.0)
    for i in range(2):
        n = _shrink(w, t, i ^ adding, n)
    for i in range(2):
        n = _replace(w, t, i ^ adding, n, True)  # noqa: FBT003 - numba takes no keywords
    for i in range(2):
        n = _replace(w, t, i ^ reducing, n, False)  # noqa: FBT003
    for i in range(2):
        n = _place(w, t, i ^ reducing, n)
    return n
