"""Where a book keeps its levels: lots indexed by tick in a window, the levels outside it in a sorted overflow.

A level costs an index in the window and a binary search outside it, so the window follows the touch. The
best levels are collected afresh only when a change reaches them. Row 0 is the bids, row 1 the asks.
"""

from mmd.jit.kernel import Rec, kernel, leaf

WINDOW = 1 << 17
FAR_MAX = 16384
TOP = 20
_BLOCK = 64

FIELDS = (
    ("origin", "i8"),  # tick of window index 0
    ("ntop", "i8", (2,)),
    ("px", "i8", (2, TOP)),  # best levels, best first: ticks
    ("sz", "i8", (2, TOP)),  # and lots
    ("edge", "i8", (2,)),  # window index from which no better level exists in the window
    ("nwin", "i8", (2,)),
    ("nfar", "i8", (2,)),
    ("count", "i8", (2, WINDOW // _BLOCK)),  # levels in each block of 64 ticks
    ("lots", "i8", (2, WINDOW)),
    ("far_px", "i8", (2, FAR_MAX)),  # ascending
    ("far_sz", "i8", (2, FAR_MAX)),
)
"""Part of a record's layout; every function here works on a record that has these fields."""


@leaf
def _find_far(b: Rec, side: int, ticks: int) -> int:
    """Index of the first overflow level at or above ticks."""
    lo, hi = 0, b.nfar[side]
    while lo < hi:
        at = (lo + hi) >> 1
        if b.far_px[side, at] < ticks:
            lo = at + 1
        else:
            hi = at
    return lo


@leaf
def _set_far(b: Rec, side: int, ticks: int, lots: int) -> bool:
    """Set an overflow level; False if there is no room for it."""
    at, n = _find_far(b, side, ticks), b.nfar[side]
    if at < n and b.far_px[side, at] == ticks:
        if lots != 0:
            b.far_sz[side, at] = lots
            return True
        for j in range(at, n - 1):
            b.far_px[side, j] = b.far_px[side, j + 1]
            b.far_sz[side, j] = b.far_sz[side, j + 1]
        b.nfar[side] = n - 1
        return True
    if lots == 0:
        return True
    if n == FAR_MAX:
        return False
    for j in range(n, at, -1):
        b.far_px[side, j] = b.far_px[side, j - 1]
        b.far_sz[side, j] = b.far_sz[side, j - 1]
    b.far_px[side, at] = ticks
    b.far_sz[side, at] = lots
    b.nfar[side] = n + 1
    return True


@leaf
def _set_window(b: Rec, side: int, t: int, lots: int) -> None:
    """Set the level at window index t."""
    change = int(lots != 0) - int(b.lots[side, t] != 0)
    b.count[side, t >> 6] += change
    b.nwin[side] += change
    b.lots[side, t] = lots
    if lots != 0 and ((side == 0 and t > b.edge[0]) or (side == 1 and t < b.edge[1])):
        b.edge[side] = t


@leaf
def _beyond_top(b: Rec, side: int, ticks: int) -> bool:
    """Whether a change at ticks leaves the best levels as they are."""
    if b.ntop[side] < TOP:
        return False
    worst: int = b.px[side, TOP - 1]
    return ticks < worst if side == 0 else ticks > worst


@leaf
def set_side(b: Rec, m: Rec, side: int) -> bool:
    """Take over one side's levels and refresh its best ones; False if the overflow is full."""
    dirty = False
    for i in range(m.n[side]):
        ticks, lots = m.px[side, i], m.sz[side, i]
        t = ticks - b.origin
        if 0 <= t < WINDOW:
            _set_window(b, side, t, lots)
        elif not _set_far(b, side, ticks, lots):
            return False
        dirty = dirty or not _beyond_top(b, side, ticks)
    if dirty:
        _refresh(b, side)
    return True


@leaf
def _window_top(b: Rec, side: int, n: int) -> int:
    """Append the window's levels to the best ones, empty blocks skipped; returns the new count."""
    t, left, step = b.edge[side], b.nwin[side], 2 * side - 1
    first = True
    while left > 0 and n < TOP:
        if b.count[side, t >> 6] == 0:
            t = (t >> 6 << 6) - 1 if side == 0 else (t >> 6 << 6) + _BLOCK
            continue
        lots = b.lots[side, t]
        if lots != 0:
            if first:
                b.edge[side] = t
                first = False
            b.px[side, n] = t + b.origin
            b.sz[side, n] = lots
            n += 1
            left -= 1
        t += step
    if b.nwin[side] == 0:
        b.edge[side] = -1 if side == 0 else WINDOW
    return n


@kernel
def _refresh(b: Rec, side: int) -> None:
    """Collect the best levels: overflow on the better side of the window, the window, the rest."""
    n, step = 0, 2 * side - 1
    k = b.nfar[0] - 1 if side == 0 else 0
    while n < TOP and 0 <= k < b.nfar[side]:
        ticks = b.far_px[side, k]
        if (side == 0 and ticks < b.origin) or (side == 1 and ticks >= b.origin):
            break
        b.px[side, n] = ticks
        b.sz[side, n] = b.far_sz[side, k]
        n += 1
        k += step
    n = _window_top(b, side, n)
    while n < TOP and 0 <= k < b.nfar[side]:
        b.px[side, n] = b.far_px[side, k]
        b.sz[side, n] = b.far_sz[side, k]
        n += 1
        k += step
    b.ntop[side] = n


@leaf
def _evict(b: Rec, side: int, origin: int) -> bool:
    """Shift the window's levels to a new origin, those outside it into the overflow; False if the overflow is full."""
    shift = origin - b.origin
    for step in range(WINDOW // _BLOCK):
        block = step if shift > 0 else WINDOW // _BLOCK - 1 - step
        if b.count[side, block] == 0:
            continue
        for k in range(_BLOCK):
            t = block * _BLOCK + (k if shift > 0 else _BLOCK - 1 - k)
            lots = b.lots[side, t]
            if lots == 0:
                continue
            b.lots[side, t] = 0
            b.count[side, block] -= 1
            b.nwin[side] -= 1
            to = t - shift
            if 0 <= to < WINDOW:
                b.lots[side, to] = lots
                b.count[side, to >> 6] += 1
                b.nwin[side] += 1
            elif not _set_far(b, side, t + b.origin, lots):
                return False
    return True


@kernel
def recentre(b: Rec, origin: int) -> bool:
    """Move the window to a new origin without losing a level; False if the overflow is full."""
    if not (_evict(b, 0, origin) and _evict(b, 1, origin)):
        return False
    b.origin = origin
    for side in range(2):
        b.edge[side] = WINDOW - 1 if side == 0 else 0
        kept = 0
        for k in range(b.nfar[side]):
            t = b.far_px[side, k] - origin
            if 0 <= t < WINDOW:
                _set_window(b, side, t, b.far_sz[side, k])
            else:
                b.far_px[side, kept] = b.far_px[side, k]
                b.far_sz[side, kept] = b.far_sz[side, k]
                kept += 1
        b.nfar[side] = kept
        _refresh(b, side)
    return True


@leaf
def clear(b: Rec) -> None:
    """Remove every level, block by block."""
    for side in range(2):
        for block in range(WINDOW // _BLOCK):
            if b.count[side, block] != 0:
                b.count[side, block] = 0
                for t in range(block * _BLOCK, (block + 1) * _BLOCK):
                    b.lots[side, t] = 0
        b.edge[side] = -1 if side == 0 else WINDOW
        b.nwin[side] = b.nfar[side] = b.ntop[side] = 0


@leaf
def lots_at(b: Rec, side: int, ticks: int) -> int:
    """Lots of one level, 0 where there is none."""
    t = ticks - b.origin
    lots: int = 0
    if 0 <= t < WINDOW:
        lots = b.lots[side, t]
    else:
        at = _find_far(b, side, ticks)
        if at < b.nfar[side] and b.far_px[side, at] == ticks:
            lots = b.far_sz[side, at]
    return lots
