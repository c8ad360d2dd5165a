"""Frames, decisions and orders in one compiled loop, for as long as all is ordinary.

This loop applies frames and takes decisions with the very kernels and records that the view is kept and the maker
quotes with, and carries ordinary orders to the exchange and its answers back; a decision that is not plainly an
ordinary one, a fill, a refusal by the exchange is left to the engine. What is commanded is what the engine would have
commanded had it been asked every time: tests compare the two, command by command.
"""

from typing import Final

from mmd.backtest.feed import (
    DUE,
    FILLED,
    NEVER,
    REFILL,
    look_ahead,
    play_exchange,
    play_local,
)
from mmd.backtest.idle_timer import IDLE, is_idle_timer, play_timer
from mmd.backtest.order_trips import is_trail_full, take_trip
from mmd.backtest.quiet_decision import close_decision, is_log_full, is_taken
from mmd.backtest.quiet_record import QUIET
from mmd.backtest.timer_grid import new_timer_ns, next_timer_ns
from mmd.backtest.trips_record import TRIPS
from mmd.core.calm import CALM
from mmd.core.flow.markout import MARKOUT
from mmd.core.orders.order_diff import WORKING
from mmd.core.view_record import VIEW, see
from mmd.exchange.fills.record import FIFO
from mmd.jit.kernel import Rec, kernel, leaf
from mmd.jit.places import record_at
from mmd.tape.frames import BROKEN

DECIDE: Final = 5
"""What `play` stopped for, besides what `feed.advance` stops for: the engine must decide at QUIET.decide_ns."""
LOGGED: Final = 6
"""Or the log of decisions is full and must be fetched."""
TRAILED: Final = 7
"""Or the trail of orders is."""
UNTOLD: Final = 9
"""Or a timer taken here left something that quotes must be told before anything else happens."""
UNUSUAL: Final = 8
"""Or a request has arrived at the exchange that is Python's to take in."""
TAKEN: Final = 0
"""Nothing: the decision was taken in the loop."""


@leaf
def _take_frame(q: Rec, rows: Rec, local: Rec, market: Rec, places: Rec, v: Rec) -> int:
    """Apply the frame that is due, as `Engine.apply_market`; returns its kind, or BROKEN."""
    kind = play_local(rows, local, market)
    if kind != BROKEN:
        q.now_ns = max(q.now_ns, market[0].ts_recv_ns)
        mid_half_ticks = v.mid_half_ticks
        see(places, market, q.now_ns)
        if v.mid_half_ticks != mid_half_ticks:
            q.timer_ns = min(q.timer_ns, next_timer_ns(q, q.now_ns))
        if q.decide_ns == NEVER:
            q.decide_ns = max(q.now_ns, q.busy_ns)
    return int(kind)


@leaf
def _take_decision(q: Rec, v: Rec, t: Rec, places: Rec) -> int:
    """Take the decision that is due, unless it is the engine's (DECIDE), or no room to note it (LOGGED, TRAILED)."""
    now_ns = q.decide_ns
    q.now_ns = max(q.now_ns, now_ns)
    if is_log_full(q):
        return LOGGED
    if is_trail_full(t):
        return TRAILED
    if not is_taken(q, v, places, now_ns):
        return DECIDE
    markout = record_at(places[0].markout, MARKOUT)
    close_decision(q, v, t, record_at(places[0].working, WORKING)[0], markout)
    q.busy_ns = now_ns + q.decision_cost_ns
    q.decide_ns = NEVER
    q.decisions += 1
    q.timer_ns = min(q.timer_ns, next_timer_ns(q, markout[0].due_ns))
    if q.is_settled == 0 and q.is_asleep == 0:
        q.timer_ns = min(q.timer_ns, new_timer_ns(q, now_ns + 1))  # that of now came first
    return TAKEN


@leaf
def _take_timer(q: Rec, v: Rec, places: Rec) -> int:
    """Take the timer that is due, unless it is the engine's (DUE); UNTOLD where it has something to tell."""
    p = places[0]
    i, m, c = (
        record_at(p.idle, IDLE)[0],
        record_at(p.markout, MARKOUT)[0],
        record_at(p.calm, CALM)[0],
    )
    now_ns = q.timer_ns
    is_stale = now_ns - v.changed_ns > c.book_age_ns_max
    if now_ns >= q.until_ns or is_stale != (q.is_asleep == 1):
        return DUE
    if not is_idle_timer(i, v, places, now_ns, q.marked):
        return DUE
    play_timer(i, v, places, now_ns, q.marked)
    stale_ns = v.changed_ns + c.book_age_ns_max + 1
    _follow_timer(q, min(i.stepped_ns + i.step_ns, m.due_ns), stale_ns)
    return UNTOLD if i.is_untold == 1 else TAKEN


@leaf
def _follow_timer(q: Rec, due_ns: int, stale_ns: int) -> None:
    """A decision is due, and the next timer that could bring anything; as `QuietPlayer.on_timer`."""
    now_ns = q.timer_ns
    q.now_ns = max(q.now_ns, now_ns)
    due_ns = min(due_ns, q.sample_ns, q.until_ns)
    if q.is_asleep == 0:
        due_ns = min(due_ns, stale_ns) if q.is_settled == 1 else now_ns
    if q.decide_ns == NEVER and (q.is_asleep == 0 or now_ns >= q.sample_ns):
        q.decide_ns = max(now_ns, q.busy_ns)
    q.last_timer_ns = now_ns
    q.timer_ns = next_timer_ns(q, max(due_ns, now_ns + q.timer_period_ns))


@leaf
def _take_trip(t: Rec, fills: Rec, book: Rec, l3: Rec, places: Rec) -> int:
    """Take the request or answer that arrives, unless it is Python's (UNUSUAL) or there is no room to note it (TRAILED)."""
    if is_trail_full(t):
        return TRAILED
    return TAKEN if take_trip(places, fills, book, l3) else UNUSUAL


@leaf
def _take_exchange(
    rows: Rec, exch: Rec, market: Rec, fills: Rec, exchange_book: Rec, l3: Rec
) -> int:
    """Play what is due at the exchange; returns BROKEN or FILLED where that is what came of it."""
    if play_exchange(rows, exch, market, fills, exchange_book, l3) < 0:
        return BROKEN
    return FILLED if fills[0].n_out > 0 else TAKEN


@kernel
def play(  # noqa: PLR0913, PLR0917 - a kernel
    rows: Rec,
    exch: Rec,
    local: Rec,
    delay: Rec,
    market: Rec,
    fills: Rec,
    exchange_book: Rec,
    l3: Rec,
    places: Rec,
    until_ns: int,
) -> int:
    """Play the tape, and decide after each batch of frames, until something is the engine's business.

    `places` are those of the engine's records, see `mmd.backtest.quiet_player`.

    Returns:
        DECIDE, FILLED, REFILL, LOGGED, TRAILED, UNTOLD, UNUSUAL, BROKEN, or DUE at until_ns or QUIET.timer_ns, whichever
        is first.
    """
    e, c, is_fifo = exch[0], local[0], fills[0].model == FIFO
    q, v = record_at(places[0].quiet, QUIET)[0], record_at(places[0].state, VIEW)[0]
    t = record_at(places[0].trips, TRIPS)[0]
    code = TAKEN
    while code == TAKEN:
        if not look_ahead(rows, exch, local, delay, is_fifo):
            return REFILL
        trip_ns = min(t.entry_due_ns, t.response_due_ns)
        horizon_ns = min(until_ns, q.timer_ns, q.decide_ns, trip_ns)
        is_over = c.due_ns == NEVER and q.decide_ns == NEVER
        if e.due_ns <= min(c.due_ns, horizon_ns):
            code = _take_exchange(rows, exch, market, fills, exchange_book, l3)
        elif c.due_ns <= horizon_ns:
            if _take_frame(q, rows, local, market, places, v) == BROKEN:
                return BROKEN
        elif trip_ns == horizon_ns and not is_over:
            code = _take_trip(t, fills, exchange_book, l3, places)
        elif q.decide_ns < min(until_ns, q.timer_ns):
            code = _take_decision(q, v, t, places)
        elif q.timer_ns < until_ns and not is_over:
            code = _take_timer(q, v, places)
        else:
            return DUE
    return code
