"""Exact L2 book: the venue's sequence rules, and the newest best bid and ask laid over it.

Two pictures are kept of the best levels: the depth book (px, sz, ntop), which follows the venue's sequence
and is what gets checked, and the view (vpx, vsz, nview), which is the same with a newer best bid and ask
laid over it, and is what features and quotes read (fewer than 20 levels where the overlay took some
away). Row 0 is the bids, row 1 the asks, best first.
"""

import numpy as np

from mmd.core.market.level_store import FIELDS, TOP, WINDOW, clear, lots_at, recentre, set_side
from mmd.core.market.record import SNAPSHOT
from mmd.jit.kernel import Rec, kernel, layout, leaf

OK, STALE, GAP, CROSSED, UNSYNCED, ONE_SIDED, TOO_MANY = 0, 1, 2, 3, 4, 5, 6
EQUAL, MISMATCH, NOT_COMPARABLE = 0, 1, 2

_DRIFT_MAX = WINDOW // 4

BOOK = layout(
    ("last", "i8"),  # update id that the depth book stands at
    ("ts_event_ns", "i8"),
    ("synced", "i8"),
    ("overlay_last", "i8"),  # update id of the best bid and ask laid over the view, 0 = none
    ("overlay_px", "i8", (2,)),
    ("overlay_sz", "i8", (2,)),
    ("nview", "i8", (2,)),
    ("vpx", "i8", (2, TOP)),
    ("vsz", "i8", (2, TOP)),
    *FIELDS,
)


@leaf
def _origin_for(bid: int, ask: int, n_bid: int, n_ask: int) -> int:
    """Origin that puts the mid (or the only side's best) in the middle of the window."""
    if n_bid > 0 and n_ask > 0:
        return max((bid + ask) // 2 - WINDOW // 2, 0)
    return max((bid if n_bid > 0 else ask) - WINDOW // 2, 0)


@leaf
def _start(b: Rec, m: Rec) -> None:
    """Empty the book and centre its window on a snapshot's touch."""
    clear(b)
    bid = ask = 0
    for i in range(m.n[0]):
        bid = max(bid, m.px[0, i])
    for i in range(m.n[1]):
        ask = m.px[1, i] if i == 0 else min(ask, m.px[1, i])
    b.origin = _origin_for(bid, ask, m.n[0], m.n[1])


@leaf
def _draw_view(b: Rec) -> None:
    """Redraw the view: the overlay instead of all levels at its price or better, where it is newer."""
    if b.overlay_last <= b.last:
        b.overlay_last = 0
    for side in range(2):
        n = k = 0
        if b.overlay_last != 0:
            price, lots = b.overlay_px[side], b.overlay_sz[side]
            if lots == 0:  # the venue says that this side is empty
                b.nview[side] = 0
                continue
            b.vpx[side, 0] = price
            b.vsz[side, 0] = lots
            n = 1
            while k < b.ntop[side] and (
                b.px[side, k] >= price if side == 0 else b.px[side, k] <= price
            ):
                k += 1
        while n < TOP and k < b.ntop[side]:
            b.vpx[side, n] = b.px[side, k]
            b.vsz[side, n] = b.sz[side, k]
            n += 1
            k += 1
        b.nview[side] = n


@leaf
def _health(n_bid: int, n_ask: int, bid: int, ask: int) -> int:
    """OK, ONE_SIDED or CROSSED."""
    if n_bid == 0 or n_ask == 0:
        return ONE_SIDED
    return CROSSED if bid >= ask else OK


@leaf
def _follow_touch(b: Rec) -> bool:
    """Recentre the window once the touch has drifted a quarter of it; False if that lost a level."""
    if b.ntop[0] == 0 and b.ntop[1] == 0:
        return True
    origin = _origin_for(b.px[0, 0], b.px[1, 0], b.ntop[0], b.ntop[1])
    return abs(origin - b.origin) <= _DRIFT_MAX or recentre(b, origin)


@kernel
def reset(book: Rec) -> None:
    """Forget everything: empty, unsynchronised, no overlay."""
    b = book[0]
    clear(b)
    b.last = b.ts_event_ns = b.synced = b.origin = b.overlay_last = 0
    b.nview[0] = b.nview[1] = 0


@kernel
def apply(book: Rec, market: Rec) -> int:
    """Take over a SNAPSHOT or DIFF event; a gap leaves the book as it was, but unsynchronised.

    Returns:
        OK, CROSSED or ONE_SIDED (applied); STALE, GAP or UNSYNCED (ignored); TOO_MANY (more levels than
        the book has room for: it is unsynchronised and no longer complete).

    Source: Binance spot API, "How to manage a local order book correctly"; futures chain by `pu`.
    """
    b, m = book[0], market[0]
    if m.kind == SNAPSHOT:
        _start(b, m)
        b.synced = 1
    elif b.synced == 0:
        return UNSYNCED
    elif m.last <= b.last:
        return STALE
    elif m.prev > b.last:
        b.synced = 0
        return GAP
    b.last = m.last
    b.ts_event_ns = m.ts_event_ns
    if not (set_side(b, m, 0) and set_side(b, m, 1) and _follow_touch(b)):
        b.synced = 0
        return TOO_MANY
    _draw_view(b)
    return _health(b.ntop[0], b.ntop[1], b.px[0, 0], b.px[1, 0])


@kernel
def apply_top(book: Rec, market: Rec) -> int:
    """Lay a TOP event over the view until the depth book has caught up with it.

    Returns:
        OK, CROSSED or ONE_SIDED (of the view); STALE if the depth book or an earlier top is as new;
        UNSYNCED before a snapshot and after a gap.
    """
    b, m = book[0], market[0]
    if b.synced == 0:
        return UNSYNCED
    if m.last <= b.last or m.last <= b.overlay_last:
        return STALE
    b.overlay_last = m.last
    if m.ts_event_ns > 0:
        b.ts_event_ns = m.ts_event_ns
    for side in range(2):
        b.overlay_px[side] = m.px[side, 0]
        b.overlay_sz[side] = m.sz[side, 0]
    _draw_view(b)
    return _health(b.nview[0], b.nview[1], b.vpx[0, 0], b.vpx[1, 0])


@kernel
def check(book: Rec, market: Rec) -> int:
    """Compare the depth book with a PARTIAL event: the venue's own 20 best levels a side.

    Returns:
        EQUAL, MISMATCH, or NOT_COMPARABLE where the two stand at different update ids.
    """
    b, m = book[0], market[0]
    if b.synced == 0 or m.last != b.last:
        return NOT_COMPARABLE
    for side in range(2):
        if b.ntop[side] != min(m.n[side], TOP):
            return MISMATCH
        for i in range(b.ntop[side]):
            if b.px[side, i] != m.px[side, i] or b.sz[side, i] != m.sz[side, i]:
                return MISMATCH
    return EQUAL


@kernel
def level(book: Rec, side: int, ticks: int) -> int:
    """Lots of the depth book at a price, 0 where there is no level."""
    return lots_at(book[0], side, ticks)


def levels(book: Rec, side: int) -> list[tuple[int, int]]:
    """Every (ticks, lots) of one side of the depth book, best first; slow, for reports and tests."""
    b = book[0]
    lots = b["lots"][side]
    held = np.flatnonzero(lots)
    found = list(zip((held + b["origin"]).tolist(), lots[held].tolist(), strict=True))
    far = b["nfar"][side]
    far_px, far_sz = b["far_px"][side, :far].tolist(), b["far_sz"][side, :far].tolist()
    found += zip(far_px, far_sz, strict=True)
    return sorted(found, reverse=side == 0)
