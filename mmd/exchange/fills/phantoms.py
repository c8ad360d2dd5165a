"""Orders that were never placed: pairs of quotes at a grid of distances, each alone in the recorded market.

They follow the queue by the rules of our orders in a backtest (`matching`, `queue_models`), but none takes anything
from another, and each is one lot: what is asked is whether and when the next lot at that price would have traded.
"""

import math
from typing import Final

from mmd.core.instrument import Instrument
from mmd.core.market import book as books
from mmd.core.market.record import TOP
from mmd.exchange.fills.displayed import shown_lots
from mmd.exchange.fills.matching import reached_lots
from mmd.exchange.fills.queue_models import ahead_on_arrival, on_level_change
from mmd.exchange.fills.record import FIFO
from mmd.jit.kernel import I8, Rec, kernel, layout, leaf, new

GRID_MAX: Final = 16
ALIVE_MAX: Final = 64
"""Samples whose quotes may stand at the same time."""
_SLOTS: Final = GRID_MAX * ALIVE_MAX
_BPS: Final = 1e-4

PHANTOMS = layout(
    ("model", "i8"),
    ("exponent", "f8"),
    ("lot_size", "f8"),
    ("life_ns", "i8"),
    ("latency_ns", "i8"),  # from the decision until the quotes stand
    ("n_grid", "i8"),
    ("oldest", "i8"),  # sample whose quotes stand longest
    ("newest", "i8"),  # first sample without quotes yet
    ("half", "f8", (GRID_MAX,)),  # half-spreads, bps of the mid
    ("end_ns", "i8", (ALIVE_MAX,)),  # until when a sample's quotes stand
    ("px", "i8", (2, _SLOTS)),  # ticks
    ("leaves", "i8", (2, _SLOTS)),  # 1 while the order waits
    ("ahead", "f8", (2, _SLOTS)),
    ("traded", "f8", (2, _SLOTS)),
    ("shown", "i8", (2, _SLOTS)),
)
"""Slots are sample * GRID_MAX + place in the grid, in a ring; the names are those that FILLS has."""


def new_phantoms(
    instrument: Instrument,
    half_spreads_bps: tuple[float, ...],
    *,
    model: int,
    life_ns: int,
    latency_ns: int,
    exponent: float = 3.0,
) -> Rec:
    """An empty record; the FIFO model needs orders by id and is for recordings that have them, so not for these."""
    assert model != FIFO, "expected a queue model that needs no order ids"
    assert 0 < len(half_spreads_bps) <= GRID_MAX, f"expected 1 to {GRID_MAX} half-spreads"
    phantoms = new(PHANTOMS)
    phantoms["model"], phantoms["exponent"] = model, exponent
    phantoms["lot_size"] = float(instrument.lot_size)
    phantoms["life_ns"], phantoms["latency_ns"] = life_ns, latency_ns
    phantoms["n_grid"] = len(half_spreads_bps)
    phantoms["half"][0, : len(half_spreads_bps)] = half_spreads_bps
    return phantoms


@leaf
def quote_px(side: int, mid: float, half_bps: float) -> int:
    """Price in ticks of a quote so far from the mid, on the grid and never nearer."""
    if side == 0:
        return math.floor(mid * (1.0 - half_bps * _BPS))
    return math.ceil(mid * (1.0 + half_bps * _BPS))


@leaf
def _would_take(b: Rec, side: int, px: int) -> bool:
    if b.nview[1 - side] == 0:
        return False
    best = b.vpx[1 - side, 0]
    return bool(best <= px if side == 0 else best >= px)


@kernel
def expire(phantoms: Rec, now_ns: int) -> None:
    """Take out the quotes of samples whose time is over."""
    p = phantoms[0]
    while p.oldest < p.newest and p.end_ns[p.oldest % ALIVE_MAX] < now_ns:
        p.oldest += 1


@kernel
def quote(phantoms: Rec, book: Rec, mid: float, decided_ns: int) -> None:
    """Place the next sample's quotes on the book as it is; what would take is refused, as post-only orders are.

    Args:
        phantoms: PHANTOMS record with room for one more sample.
        book: the exchange's book when the quotes arrive.
        mid: what was known at the decision, ticks.
        decided_ns: when that was.
    """
    p, b = phantoms[0], book[0]
    at = p.newest % ALIVE_MAX
    p.end_ns[at] = decided_ns + p.latency_ns + p.life_ns
    for side in range(2):
        for g in range(p.n_grid):
            slot = at * GRID_MAX + g
            px = quote_px(side, mid, p.half[g])
            shown = shown_lots(b, side, px)
            p.px[side, slot] = px
            p.leaves[side, slot] = 0 if _would_take(b, side, px) else 1
            p.traded[side, slot] = 0.0
            p.shown[side, slot] = shown
            p.ahead[side, slot] = ahead_on_arrival(p, shown)
    p.newest += 1


@leaf
def _filled(p: Rec, side: int, slot: int, sample: int, now_ns: int, fill_ns: I8) -> None:
    p.leaves[side, slot] = 0
    fill_ns[sample, side, slot % GRID_MAX] = now_ns


@kernel
def on_print(phantoms: Rec, market: Rec, now_ns: int, fill_ns: I8) -> None:
    """A trade: quotes at better prices and those whose queue it gets through are filled; see `matching.on_trade`."""
    p, m = phantoms[0], market[0]
    side, px, qty = 1 - m.side, m.px[0, 0], m.sz[0, 0]
    for sample in range(p.oldest, p.newest):
        first = sample % ALIVE_MAX * GRID_MAX
        for slot in range(first, first + p.n_grid):
            behind = px - p.px[side, slot] if side == 0 else p.px[side, slot] - px
            if p.leaves[side, slot] == 0 or behind > 0:
                continue
            if reached_lots(p, side, slot, qty, 0, behind == 0) > 0:
                _filled(p, side, slot, sample, now_ns, fill_ns)


@kernel
def on_depth(phantoms: Rec, book: Rec, market: Rec, now_ns: int, fill_ns: I8) -> int:
    """Apply a SNAPSHOT, DIFF or TOP: queues move, quotes that the other side reached are filled.

    Returns: the book's status; see `matching.on_book`.
    """
    p, b, m = phantoms[0], book[0], market[0]
    status = books.apply_top(book, market) if m.kind == TOP else books.apply(book, market)
    if status not in (books.OK, books.CROSSED, books.ONE_SIDED):
        return status
    for sample in range(p.oldest, p.newest):
        first = sample % ALIVE_MAX * GRID_MAX
        for side in range(2):
            for slot in range(first, first + p.n_grid):
                if p.leaves[side, slot] == 0:
                    continue
                before, after = p.shown[side, slot], shown_lots(b, side, p.px[side, slot])
                p.shown[side, slot] = after
                if before != after:
                    on_level_change(p, side, slot, before, after)
                if _would_take(b, side, p.px[side, slot]):
                    _filled(p, side, slot, sample, now_ns, fill_ns)
    return status
