"""Frames in the compiled loop: what `MarketView` makes of them, on a record in place of its attributes."""

from mmd.core.market import book as books
from mmd.core.market import trade_flow
from mmd.core.market.record import DIFF, PARTIAL, SNAPSHOT, TOP, TRADE
from mmd.core.quoting.inputs import observe_others
from mmd.jit.kernel import Rec, leaf


@leaf
def on_grid_ns(ts_ns: int, origin_ns: int, period_ns: int) -> int:
    """The first time on the timers' grid at or after ts_ns."""
    return origin_ns + -((origin_ns - ts_ns) // period_ns) * period_ns


@leaf
def next_timer_ns(q: Rec, ts_ns: int) -> int:
    """The first time at or after ts_ns at which a timer may be."""
    return on_grid_ns(ts_ns, q.timer_origin_ns, q.timer_period_ns)


@leaf
def _view_changed(
    q: Rec, status: int, features: Rec, book: Rec, flow: Rec, vol: Rec, touch: Rec, own: Rec
) -> None:
    """As `MarketView._view_changed`; a moved mid is news for the next timer."""
    if status not in (books.OK, books.CROSSED, books.ONE_SIDED):
        return
    q.changed_ns = q.now_ns
    q.is_dirty = 1
    is_seen = observe_others(features, book, flow, vol, touch, own, q.now_ns) == books.OK
    q.is_crossed = not (is_seen and status == books.OK)
    if q.is_crossed == 0:
        t = touch[0]
        if t.mid_half_ticks != q.mid_half_ticks:
            q.timer_ns = min(q.timer_ns, next_timer_ns(q, q.now_ns))
        q.bid, q.ask, q.mid_half_ticks = t.bid, t.ask, t.mid_half_ticks


@leaf
def _book_changed(
    q: Rec, status: int, features: Rec, book: Rec, flow: Rec, vol: Rec, touch: Rec, own: Rec
) -> None:
    """As `MarketView._book_changed`."""
    if status in (books.GAP, books.CROSSED, books.TOO_MANY):
        q.wants_resync = 1
        q.gaps += status != books.CROSSED
        q.crossed += status == books.CROSSED
    _view_changed(q, status, features, book, flow, vol, touch, own)


@leaf
def apply_frame(  # noqa: PLR0913, PLR0917
    q: Rec,
    kind: int,
    market: Rec,
    features: Rec,
    book: Rec,
    flow: Rec,
    vol: Rec,
    touch: Rec,
    own: Rec,
) -> None:
    """As `Engine.apply_market` and `MarketView.apply`."""
    m = market[0]
    q.now_ns = max(q.now_ns, m.ts_recv_ns)
    q.messages += 1
    if m.ts_event_ns > 0:
        q.lag_ns, q.has_lag = m.ts_recv_ns - m.ts_event_ns, 1
    if kind == DIFF:
        _book_changed(q, books.apply(book, market), features, book, flow, vol, touch, own)
    elif kind == TOP:
        _view_changed(q, books.apply_top(book, market), features, book, flow, vol, touch, own)
    elif kind == TRADE:
        trade_flow.on_trade(flow, market)
        q.last_trade = m.px[0, 0]
    elif kind == PARTIAL:
        result = books.check(book, market)
        q.checks += result != books.NOT_COMPARABLE
        q.mismatches += result == books.MISMATCH
        if result == books.MISMATCH:
            q.wants_resync = 1
    elif kind == SNAPSHOT:
        q.resyncs += q.changed_ns > 0
        q.wants_resync = 0
        _book_changed(q, books.apply(book, market), features, book, flow, vol, touch, own)
