"""Frames and decisions in one compiled loop, for as long as a decision changes nothing.

Most frames move no order. This loop applies frames as `MarketView` does and takes decisions with the very
kernels and records that the maker quotes with; the first decision that would send anything, or that is not
plainly an ordinary one, is left to the engine. What the engine then commands is what it would have commanded had
it been asked every time: tests compare the two, command by command.
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
from mmd.backtest.idle_timer import is_idle_timer, play_timer
from mmd.backtest.quiet_decision import close_decision, is_taken
from mmd.backtest.quiet_record import LOG_MAX
from mmd.backtest.quiet_view import apply_frame, next_timer_ns
from mmd.exchange.fills.record import FIFO
from mmd.jit.kernel import Rec, kernel, leaf
from mmd.tape.frames import BROKEN

DECIDE: Final = 5
"""What `play` stopped for, besides what `feed.advance` stops for: the engine must decide at QUIET.decide_ns."""
LOGGED: Final = 6
"""Or the log of mids is full and must be fetched."""
TAKEN: Final = 0
"""Nothing: the decision was taken in the loop."""


@leaf
def _next_timer_ns(q: Rec, ts_ns: int) -> int:
    """The first time on the timers' grid at or after ts_ns that had no timer yet."""
    due_ns = next_timer_ns(q, ts_ns)
    return due_ns + q.timer_period_ns if due_ns <= q.last_timer_ns else due_ns


@leaf
def _take_frame(  # noqa: PLR0913, PLR0917 - a record a component
    q: Rec,
    rows: Rec,
    local: Rec,
    market: Rec,
    features: Rec,
    book: Rec,
    flow: Rec,
    vol: Rec,
    touch: Rec,
    own: Rec,
) -> int:
    """Apply the frame that is due; returns its kind, or BROKEN."""
    kind = play_local(rows, local, market)
    if kind != BROKEN:
        apply_frame(q, kind, market, features, book, flow, vol, touch, own)
        if q.decide_ns == NEVER:
            q.decide_ns = max(q.now_ns, q.busy_ns)
    return int(kind)


@leaf
def _take_decision(  # noqa: PLR0913, PLR0917 - a record a component
    q: Rec,
    features: Rec,
    vol: Rec,
    quote: Rec,
    intensity: Rec,
    table: Rec,
    fixed: Rec,
    working: Rec,
    risk: Rec,
    budgets: Rec,
    markout: Rec,
) -> int:
    """Take the decision that is due, unless it is the engine's (DECIDE) or there is no room to log it (LOGGED)."""
    now_ns = q.decide_ns
    q.now_ns = max(q.now_ns, now_ns)
    if q.n_log == LOG_MAX:
        return LOGGED
    if not is_taken(
        q, now_ns, features, vol, quote, intensity, table, fixed, working, risk, budgets
    ):
        return DECIDE
    close_decision(q, markout)
    q.busy_ns = now_ns + q.decision_cost_ns
    q.decide_ns = NEVER
    q.decisions += 1
    q.timer_ns = min(q.timer_ns, next_timer_ns(q, markout[0].due_ns))
    if q.is_settled == 0:
        q.timer_ns = min(q.timer_ns, _next_timer_ns(q, now_ns))
    return TAKEN


@leaf
def _take_timer(  # noqa: PLR0913, PLR0917 - a record a component
    q: Rec,
    i: Rec,
    working: Rec,
    quote: Rec,
    intensity: Rec,
    vol: Rec,
    touch: Rec,
    flow: Rec,
    markout: Rec,
    adverse: Rec,
    history: Rec,
    impact: Rec,
) -> bool:
    """Take the timer that is due, unless it is the engine's; returns whether it was taken."""
    now_ns, mid = q.timer_ns, q.mid_half_ticks
    is_stale = now_ns - q.changed_ns > q.stale_ns
    if not is_idle_timer(
        i, now_ns, q.marked, is_stale, working, quote, intensity, markout, adverse
    ):
        return False
    play_timer(
        i,
        now_ns,
        q.marked,
        mid,
        working,
        quote,
        intensity,
        vol,
        touch,
        flow,
        markout,
        adverse,
        history,
        impact,
    )
    _follow_timer(q, i, markout)
    return True


@leaf
def _follow_timer(q: Rec, i: Rec, markout: Rec) -> None:
    """A decision is due, and the next timer that could bring anything; as `QuietPlayer.on_timer`."""
    now_ns = q.timer_ns
    q.now_ns = max(q.now_ns, now_ns)
    due_ns = min(i.stepped_ns + i.step_ns, markout[0].due_ns)
    if i.is_asleep == 0:
        due_ns = min(due_ns, q.changed_ns + q.stale_ns + 1)
    if q.decide_ns == NEVER and (i.is_asleep == 0 or now_ns >= q.sample_ns):
        q.decide_ns = max(now_ns, q.busy_ns)
    due_ns = min(due_ns, q.sample_ns)
    if q.is_settled == 0 and i.is_asleep == 0:
        due_ns = now_ns
    next_ns = max(due_ns, now_ns + q.timer_period_ns) - q.timer_period_ns
    q.last_timer_ns = now_ns
    q.timer_ns = next_timer_ns(q, next_ns + q.timer_period_ns)


@leaf
def _take_exchange(
    rows: Rec, exch: Rec, market: Rec, fills: Rec, exchange_book: Rec, l3: Rec
) -> int:
    """Play what is due at the exchange; returns BROKEN or FILLED where that is what came of it."""
    if play_exchange(rows, exch, market, fills, exchange_book, l3) < 0:
        return BROKEN
    return FILLED if fills[0].n_out > 0 else TAKEN


@kernel
def play(  # noqa: PLR0913, PLR0917 - one loop
    rows: Rec,
    exch: Rec,
    local: Rec,
    delay: Rec,
    market: Rec,
    fills: Rec,
    exchange_book: Rec,
    l3: Rec,
    quiet: Rec,
    features: Rec,
    book: Rec,
    flow: Rec,
    vol: Rec,
    touch: Rec,
    own: Rec,
    quote: Rec,
    intensity: Rec,
    table: Rec,
    fixed: Rec,
    working: Rec,
    risk: Rec,
    budgets: Rec,
    markout: Rec,
    adverse: Rec,
    history: Rec,
    impact: Rec,
    idle: Rec,
    until_ns: int,
) -> int:
    """Play the tape, and decide after each batch of frames, until something is the engine's business.

    Returns:
        DECIDE, FILLED, REFILL, LOGGED, BROKEN, or DUE at until_ns or QUIET.timer_ns, whichever is first.
    """
    e, c, q, i = exch[0], local[0], quiet[0], idle[0]
    is_fifo = fills[0].model == FIFO
    code = TAKEN
    while code == TAKEN:
        if not look_ahead(rows, exch, local, delay, is_fifo):
            return REFILL
        horizon_ns = min(until_ns, q.timer_ns, q.decide_ns)
        if e.due_ns <= min(c.due_ns, horizon_ns):
            code = _take_exchange(rows, exch, market, fills, exchange_book, l3)
        elif c.due_ns <= horizon_ns:
            if _take_frame(q, rows, local, market, features, book, flow, vol, touch, own) == BROKEN:
                return BROKEN
        elif q.decide_ns < min(until_ns, q.timer_ns):
            code = _take_decision(
                q, features, vol, quote, intensity, table, fixed, working, risk, budgets, markout
            )
        elif q.timer_ns < until_ns and (c.due_ns != NEVER or q.decide_ns != NEVER):
            if not _take_timer(
                q, i, working, quote, intensity, vol, touch, flow, markout, adverse, history, impact
            ):
                return DUE
        else:
            return DUE
    return code
