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
_NO_DISTANCE = 2**62

WORKING = layout(
    ("now_ns", "i8"),  # engine time; only the requote interval reads it
    ("tolerance_ticks", "i8"),
    ("amends_max", "i8"),  # amends that the venue allows an order; 0 = none
    ("requote_ns", "i8"),  # an order younger than this is not moved towards the touch
    ("size_keep_ratio_min", "f8"),
    ("size_keep_ratio_max", "f8"),
    ("n", "i8", (2,)),  # slots in use: all beyond are EMPTY
    ("px", "i8", (2, SLOTS)),  # ticks
    ("leaves", "i8", (2, SLOTS)),  # lots
    ("state", "i8", (2, SLOTS)),
    ("amends", "i8", (2, SLOTS)),  # amends already made
    ("since_ns", "i8", (2, SLOTS)),  # when the order got its price and size
    ("want", "i8", (2, SLOTS)),  # out: level that the order serves, -1 = none
    ("served", "i8", (2, LEVELS_MAX)),  # out: 1 if an order serves the level
    ("act", "i8", (_ACTIONS_MAX, 6)),  # out
)


def new_working(
    *,
    tolerance_ticks: int = 0,
    size_keep_ratio_min: float = 0.5,
    size_keep_ratio_max: float = 1.5,
    amends_max: int = 0,
    requote_ns: int = 0,
) -> Rec:
    """Empty WORKING record.

    Args:
        tolerance_ticks: how far from a target's price an order may stay.
        size_keep_ratio_min: an order is kept while it has this share of the target's size left, 0..1.
        size_keep_ratio_max: where it cannot be amended, it is kept up to this multiple of the size, >= 1.
        amends_max: amends (down, keeping priority) that the venue allows an order; 0 where it has none.
        requote_ns: how long an order rests before it may be moved towards the touch.

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
    return working


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
        if level == _FREE:
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
        if w.state[side, slot] != LIVE or level == _FREE or _is_kept(w, t, side, slot):
            continue
        if _retreats(w, t, side, slot) != retreating:
            continue
        if retreating or w.now_ns - w.since_ns[side, slot] >= w.requote_ns:
            n = _emit(w, n, REPLACE, side, level, slot, t.px[side, level], t.sz[side, level])
    return n


@leaf
def _place(w: Rec, t: Rec, side: int, n: int) -> int:
    """New orders of a side."""
    for level in range(t.n[side]):
        if w.served[side, level] == 0:
            n = _emit(w, n, PLACE, side, level, -1, t.px[side, level], t.sz[side, level])
    return n


@kernel
def diff(working: Rec, quote: Rec) -> int:
    """Fill working.act; returns how many rows are set.

    Risk-reducing actions come first: cancels and amends, replacements moving away from the touch, then
    the other replacements, then new orders. Of quote only n, px and sz are read: positive sizes, prices
    distinct and best first.
    """
    w, t = working[0], quote[0]
    for side in range(2):
        for slot in range(w.n[side]):
            w.want[side, slot] = _FREE
        for level in range(t.n[side]):
            w.served[side, level] = 0
        _match(w, t, side, 0)
        _match(w, t, side, w.tolerance_ticks)
        _pair(w, t, side)
    n = 0
    for side in range(2):
        n = _shrink(w, t, side, n)
    for side in range(2):
        n = _replace(w, t, side, n, True)  # noqa: FBT003 - numba takes no keywords
    for side in range(2):
        n = _replace(w, t, side, n, False)  # noqa: FBT003
    for side in range(2):
        n = _place(w, t, side, n)
    return n
