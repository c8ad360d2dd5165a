"""A tape played twice in one virtual time: first at the exchange, then, a feed delay later, at the daemon.

Two cursors walk over the same rows. The exchange's applies frames to the exchange's book and to our orders; the
daemon's hands them over as they arrive. Rows are kept from the slower cursor on, so memory does not depend on
the tape's length but on how much is in flight.
"""

from typing import Final

from mmd.core.market.record import PARTIAL, TRADE
from mmd.exchange.fills import fifo, matching
from mmd.exchange.fills.latency import arrival_ns
from mmd.exchange.fills.record import FIFO
from mmd.jit.kernel import Rec, kernel, layout, leaf
from mmd.tape.format import OFF_BOOK, ORDER_ADD, ORDER_EXECUTE
from mmd.tape.frames import BROKEN, CURSOR_FIELDS, next_frame

NEVER: Final = 2**62
DUE, FRAME, FILLED, REFILL = 1, 2, 3, 4
"""What `advance` stopped for, besides BROKEN: the time, a frame at the daemon, a fill of ours, more rows wanted."""

FEED = layout(
    *CURSOR_FIELDS,
    ("by_event", "i8"),  # 1: the exchange's time is the venue's event time, 0: our receive time
    ("is_final", "i8"),  # 1: no rows follow those at hand
    ("clock_ns", "i8"),  # exchange time of the frame at `at`, never going back
    ("due_ns", "i8"),  # when it is played here; 0 = not looked at yet, NEVER = there is none
    ("frames", "i8"),
    ("book_frames", "i8"),
)


@leaf
def _peek(rows: Rec, c: Rec, wants_orders: bool) -> bool:  # noqa: FBT001 - a kernel
    """Find the next frame (or order row) and its exchange time; False at the end of the rows at hand."""
    while c.at < c.stop and rows[c.at].kind > PARTIAL and not wants_orders:
        c.at += 1
    if c.at >= c.stop:
        return False
    row = rows[c.at]
    stated = row.ts_event_ns if c.by_event == 1 else row.ts_recv_ns
    c.clock_ns = max(c.clock_ns, stated)
    return True


@leaf
def _play_order(rows: Rec, c: Rec, fills: Rec, l3: Rec) -> int:
    """An order row reaches the exchange's queue; returns a status of the queue."""
    row = rows[c.at]
    c.at += 1
    born = fifo.on_order_event(
        fills, l3, row.kind - ORDER_ADD, row.order_id, row.side, row.price_ticks, row.qty_lots
    )
    if row.kind == ORDER_EXECUTE and born > 0:
        matching.on_execution(fills, row.side, row.price_ticks, born, row.qty_lots)
    return min(born, 0)


@leaf
def play_exchange(rows: Rec, exch: Rec, market: Rec, fills: Rec, book: Rec, l3: Rec) -> int:
    """Play the next frame at the exchange; returns 0, or BROKEN."""
    c, f, m = exch[0], fills[0], market[0]
    f.now_ns = c.due_ns
    c.due_ns = 0
    if rows[c.at].kind > PARTIAL:
        return _play_order(rows, c, fills, l3)
    kind = next_frame(rows, exch, market)
    if kind == BROKEN:
        return BROKEN
    c.frames += 1
    if kind == TRADE:
        if f.model != FIFO and rows[c.begin]["flags"] & OFF_BOOK == 0:
            matching.on_trade(fills, m.side, m.px[0, 0], m.sz[0, 0])
    elif kind != PARTIAL:
        c.book_frames += 1
        matching.on_book(fills, book, market)
    return 0


@leaf
def look_ahead(rows: Rec, exch: Rec, local: Rec, delay: Rec, is_fifo: bool) -> bool:  # noqa: FBT001
    """Know when both cursors' next frames are due; False if the exchange needs more rows first."""
    e, c = exch[0], local[0]
    if e.due_ns == 0:
        if _peek(rows, e, is_fifo):
            e.due_ns = max(e.clock_ns, 1)
        elif e.is_final == 1:
            e.due_ns = NEVER
        else:
            return False
    if c.due_ns == 0:
        if _peek(rows, c, False):  # noqa: FBT003 - numba takes no keywords
            sent_ns = max(c.clock_ns, rows[c.at].ts_recv_ns) if c.by_event == 1 else c.clock_ns
            c.due_ns = max(arrival_ns(delay[0], sent_ns), 1)
        elif c.is_final == 1:
            c.due_ns = NEVER
        else:
            return False
    return True


@leaf
def play_local(rows: Rec, local: Rec, market: Rec) -> int:
    """Fill market with the next frame as it arrives at the daemon; returns its kind, or BROKEN.

    Its times are those of the virtual clock, so that a lag is the simulated delay and not two real clocks' error.
    """
    c, m = local[0], market[0]
    kind = next_frame(rows, local, market)
    m.ts_recv_ns = c.due_ns
    if m.ts_event_ns > 0:
        m.ts_event_ns = c.clock_ns
    c.due_ns = 0
    c.frames += 1
    return kind


@kernel
def advance(  # noqa: PLR0913, PLR0917 - a record a component
    rows: Rec,
    exch: Rec,
    local: Rec,
    delay: Rec,
    market: Rec,
    fills: Rec,
    book: Rec,
    l3: Rec,
    until_ns: int,
) -> int:
    """Play both cursors in order of time up to until_ns, the exchange first where they are equal.

    Args:
        rows: shape (n,), dtype ROW.
        exch: FEED record of the exchange.
        local: FEED record of the daemon.
        delay: LATENCY record of the feed.
        market: MARKET record; holds the daemon's frame where FRAME is returned.
        fills: FILLS record of a FillExchange.
        book: its BOOK record.
        l3: its L3 record.
        until_ns: play nothing that is due later.

    Returns:
        FRAME, FILLED, REFILL, BROKEN, or DUE when nothing else is due by until_ns.
    """
    e, c, f = exch[0], local[0], fills[0]
    is_fifo = f.model == FIFO
    while True:
        if not look_ahead(rows, exch, local, delay, is_fifo):
            return REFILL
        if e.due_ns <= min(c.due_ns, until_ns):
            if play_exchange(rows, exch, market, fills, book, l3) < 0:
                return BROKEN
            if f.n_out > 0:
                return FILLED
        elif c.due_ns <= until_ns:
            return FRAME if play_local(rows, local, market) != BROKEN else BROKEN
        else:
            return DUE
