"""The times at which a backtest's timers may be: every so often from the session's start."""

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
def new_timer_ns(q: Rec, ts_ns: int) -> int:
    """The same, if it had no timer yet; else the one after it."""
    due_ns = next_timer_ns(q, ts_ns)
    return due_ns + q.timer_period_ns if due_ns <= q.last_timer_ns else due_ns
