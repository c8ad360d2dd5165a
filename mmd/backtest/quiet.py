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
from mmd.backtest.quiet_view import apply_frame, next_timer_ns
from mmd.core.flow import markout as markouts
from mmd.core.orders.order_diff import diff, is_held
from mmd.core.quoting.targets import fixed_targets, glft_targets
from mmd.exchange.fills.record import FIFO
from mmd.jit.kernel import Rec, kernel, layout, leaf
from mmd.tape.frames import BROKEN

DECIDE: Final = 5
"""What `play` stopped for, besides what `feed.advance` stops for: the engine must decide at QUIET.decide_ns."""
LOGGED: Final = 6
"""Or the log of mids is full and must be fetched."""
TAKEN: Final = -1
"""Nothing: the decision was taken in the loop."""
GLFT_MODEL, FIXED_MODEL = 0, 1
LOG_MAX: Final = 1024
_OK: Final = 0

QUIET = layout(
    # Set from the engine before the loop runs
    ("is_quiet", "i8"),  # whether a decision may be taken here
    ("model", "i8"),
    ("position_lots", "i8"),
    ("limit_lots", "i8"),
    ("flow_coefficient", "f8"),
    ("sigma_max", "f8"),
    ("spread_min", "f8"),  # ticks of the market's own spread
    ("mid_low", "f8"),  # half ticks between which the scale is known to hold
    ("mid_high", "f8"),
    ("lag_ns_max", "i8"),
    ("stale_ns", "i8"),
    ("decision_cost_ns", "i8"),
    ("timer_period_ns", "i8"),
    ("timer_origin_ns", "i8"),
    # The view's attributes, and what the loop made of them
    ("now_ns", "i8"),
    ("changed_ns", "i8"),
    ("lag_ns", "i8"),
    ("has_lag", "i8"),
    ("bid", "i8"),
    ("ask", "i8"),
    ("mid_half_ticks", "i8"),
    ("marked", "i8"),  # mid at the last decision taken here, 0 = none since the last look
    ("last_trade", "i8"),
    ("wants_resync", "i8"),
    ("is_crossed", "i8"),
    ("is_dirty", "i8"),
    ("messages", "i8"),
    ("gaps", "i8"),
    ("crossed", "i8"),
    ("resyncs", "i8"),
    ("checks", "i8"),
    ("mismatches", "i8"),
    # Time
    ("decide_ns", "i8"),  # NEVER = no decision is due
    ("busy_ns", "i8"),  # the last one is through at
    ("last_timer_ns", "i8"),
    ("timer_ns", "i8"),  # when the next timer is due; brought forward by what it must see
    ("decisions", "i8"),  # taken here
    # For whoever watches
    ("sample_ns", "i8"),  # decisions from here on are the engine's, so that they are seen
    ("logs", "i8"),  # whether mids are logged
    ("n_log", "i8"),
    ("log", "i8", (LOG_MAX, 2)),  # time and mid of decisions taken here, where it was news
)


@leaf
def _is_ordinary(q: Rec, vol: Rec, now_ns: int) -> bool:
    """Whether nothing that a decision looks at besides prices can have changed the quote state."""
    return bool(
        q.is_quiet == 1
        and now_ns < q.sample_ns
        and q.wants_resync == 0
        and q.is_crossed == 0
        and q.mid_low <= q.mid_half_ticks <= q.mid_high
        and now_ns - q.changed_ns <= q.stale_ns
        and vol[0].sigma <= q.sigma_max
        and q.ask - q.bid >= q.spread_min
        and (q.has_lag == 0 or q.lag_ns <= q.lag_ns_max)
    )


@leaf
def _wants_nothing(  # noqa: PLR0913, PLR0917 - a record a component
    q: Rec,
    now_ns: int,
    features: Rec,
    vol: Rec,
    quote: Rec,
    intensity: Rec,
    table: Rec,
    fixed: Rec,
    working: Rec,
) -> bool:
    """Whether a decision at this time would find every order where it should be; as `Maker.decide`."""
    if not _is_ordinary(q, vol, now_ns):
        return False
    lots, limit, coefficient = q.position_lots, q.limit_lots, q.flow_coefficient
    if q.model == GLFT_MODEL:
        status = glft_targets(
            quote, table, features, vol, intensity, lots, limit, coefficient, q.bid, q.ask
        )
    else:
        status = fixed_targets(
            quote, fixed, features, vol, intensity, lots, limit, coefficient, q.bid, q.ask
        )
    if status != _OK:
        return False
    working[0].now_ns = now_ns
    return bool(diff(working, quote) == 0)


@leaf
def _close_decision(q: Rec, markout: Rec) -> None:
    """A decision that changed nothing has been taken; as `Maker.keep_books`."""
    if q.is_dirty == 1:
        q.is_dirty = 0
        q.marked = q.mid_half_ticks
        markouts.on_mid(markout, q.mid_half_ticks, q.decide_ns)
        if q.logs == 1:
            q.log[q.n_log, 0], q.log[q.n_log, 1] = q.decide_ns, q.mid_half_ticks
            q.n_log += 1
    q.busy_ns = q.decide_ns + q.decision_cost_ns
    q.decide_ns = NEVER
    q.decisions += 1
    q.timer_ns = min(q.timer_ns, next_timer_ns(q, markout[0].due_ns))


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
    markout: Rec,
) -> int:
    """Take the decision that is due, unless it is the engine's (DECIDE) or there is no room to log it (LOGGED)."""
    q.now_ns = max(q.now_ns, q.decide_ns)
    if q.n_log == LOG_MAX:
        return LOGGED
    if not _wants_nothing(q, q.decide_ns, features, vol, quote, intensity, table, fixed, working):
        return DECIDE
    _close_decision(q, markout)
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
    next_ns = max(due_ns, now_ns + q.timer_period_ns) - q.timer_period_ns
    q.last_timer_ns = now_ns
    q.timer_ns = next_timer_ns(q, next_ns + q.timer_period_ns)


@kernel
def is_settled(  # noqa: PLR0913, PLR0917
    quiet: Rec,
    features: Rec,
    vol: Rec,
    quote: Rec,
    intensity: Rec,
    table: Rec,
    fixed: Rec,
    working: Rec,
    now_ns: int,
) -> int:
    """Whether what the engine has just decided leaves nothing to be wished for (1), or not yet (0).

    Something was refused, or a level rests after a fill and will be wanted when its time is over.
    """
    q, w = quiet[0], working[0]
    if not _wants_nothing(q, now_ns, features, vol, quote, intensity, table, fixed, working):
        return 0
    return int(not is_held(w, 0) and not is_held(w, 1))


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
    e, c, f, q, i = exch[0], local[0], fills[0], quiet[0], idle[0]
    is_fifo = f.model == FIFO
    while True:
        if not look_ahead(rows, exch, local, delay, is_fifo):
            return REFILL
        horizon_ns = min(until_ns, q.timer_ns, q.decide_ns)
        if e.due_ns <= min(c.due_ns, horizon_ns):
            if play_exchange(rows, exch, market, fills, exchange_book, l3) < 0:
                return BROKEN
            if f.n_out > 0:
                return FILLED
        elif c.due_ns <= horizon_ns:
            if _take_frame(q, rows, local, market, features, book, flow, vol, touch, own) == BROKEN:
                return BROKEN
        elif q.decide_ns < min(until_ns, q.timer_ns):
            code = _take_decision(
                q, features, vol, quote, intensity, table, fixed, working, markout
            )
            if code != TAKEN:
                return code
        elif q.timer_ns < until_ns and (c.due_ns != NEVER or q.decide_ns != NEVER):
            if not _take_timer(
                q, i, working, quote, intensity, vol, touch, flow, markout, adverse, history, impact
            ):
                return DUE
        else:
            return DUE
