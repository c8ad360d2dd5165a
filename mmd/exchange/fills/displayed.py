"""What of the recorded book is still there for us: its view less what we have consumed.

A recording does not know us: it goes on showing what we took. So what we took is remembered, by side and
price, until the recording itself shows less, and is never offered again.
"""

from mmd.core.market.level_store import lots_at
from mmd.exchange.fills.record import TAKEN_MAX
from mmd.jit.kernel import Rec, leaf

_SIDE, _PX, _LOTS = 0, 1, 2


@leaf
def shown_lots(b: Rec, side: int, px: int) -> int:
    """Lots that the newest picture shows at a price: the best bid and ask where they are newer than the book."""
    if b.overlay_last != 0:
        best = b.overlay_px[side]
        if b.overlay_sz[side] == 0:
            return 0
        if px == best:
            lots: int = b.overlay_sz[side]
            return lots
        if (px > best) if side == 0 else (px < best):
            return 0
    return lots_at(b, side, px)


@leaf
def taken_lots(f: Rec, side: int, px: int) -> int:
    """Lots that we consumed of a level and the recording still shows."""
    for i in range(f.n_taken):
        row = f.taken[i]
        if row[_SIDE] == side and row[_PX] == px:
            lots: int = row[_LOTS]
            return lots
    return 0


@leaf
def take(f: Rec, side: int, px: int, lots: int) -> None:
    """Remember that we consumed lots of a level; beyond TAKEN_MAX levels the oldest is forgotten."""
    for i in range(f.n_taken):
        row = f.taken[i]
        if row[_SIDE] == side and row[_PX] == px:
            row[_LOTS] += lots
            return
    if f.n_taken == TAKEN_MAX:
        for i in range(TAKEN_MAX - 1):
            for k in range(3):
                f.taken[i, k] = f.taken[i + 1, k]
        f.n_taken -= 1
    row = f.taken[f.n_taken]
    row[_SIDE], row[_PX], row[_LOTS] = side, px, lots
    f.n_taken += 1


@leaf
def settle_taken(f: Rec, b: Rec) -> None:
    """After a change of the book: what it does not show any more is nobody's to miss."""
    kept = 0
    for i in range(f.n_taken):
        row = f.taken[i]
        lots = min(row[_LOTS], shown_lots(b, row[_SIDE], row[_PX]))
        if lots > 0:
            into = f.taken[kept]
            into[_SIDE], into[_PX], into[_LOTS] = row[_SIDE], row[_PX], lots
            kept += 1
    f.n_taken = kept


@leaf
def best_available(f: Rec, b: Rec, side: int, worst_px: int) -> int:
    """Index in the view of the first level at worst_px or better of which something is left; -1 if none."""
    for k in range(b.nview[side]):
        px = b.vpx[side, k]
        if (px < worst_px) if side == 0 else (px > worst_px):
            return -1
        if b.vsz[side, k] > taken_lots(f, side, px):
            return k
    return -1
