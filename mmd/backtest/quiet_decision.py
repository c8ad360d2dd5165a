"""A decision in the compiled loop: one that sends nothing, or orders of which the loop can take care.

Targets, order diff and risk check are the kernels that the maker decides with, on its own records. A decision that
would send anything else, or that is not plainly an ordinary one, is left to the engine, which takes it from the start.
"""

from typing import Final

from mmd.backtest.order_trips import can_send, send
from mmd.backtest.quiet_record import GLFT_MODEL, LOG_MAX, QUIET
from mmd.backtest.timer_grid import new_timer_ns
from mmd.backtest.trips_record import TRIPS
from mmd.core.calm import CALM, is_inventory_inside, is_market_calm
from mmd.core.flow import markout as markouts
from mmd.core.market.features import FEATURES
from mmd.core.market.volatility import VOLATILITY
from mmd.core.orders.order_diff import (
    OP,
    PENDING,
    PLACE,
    PX,
    REPLACE,
    SIDE,
    SLOT,
    SZ,
    WORKING,
    diff,
    is_held,
)
from mmd.core.quoting.fixed_spread import FIXED
from mmd.core.quoting.glft import GLFT
from mmd.core.quoting.intensity import INTENSITY
from mmd.core.quoting.record import QUOTE
from mmd.core.quoting.targets import fixed_targets, glft_targets
from mmd.core.risk.budgets import BUDGETS
from mmd.core.risk.order_check import OK as ALLOWED
from mmd.core.risk.order_check import RISK, judge, settle_row
from mmd.core.risk.reasons import RiskReason
from mmd.core.view_record import VIEW
from mmd.jit.kernel import Rec, kernel, leaf
from mmd.jit.places import record_at

_OK: Final = 0
_UNKNOWN: Final = -1
_ORDER_RESERVE: Final = int(RiskReason.ORDER_RESERVE)


@leaf
def _is_ordinary(q: Rec, v: Rec, c: Rec, sigma: float, now_ns: int) -> bool:
    """Whether nothing that a decision looks at besides prices can have changed the quote state.

    As `mmd.core.calm.is_calm`, but that the state may be one of caution, which the engine has looked at.
    """
    return bool(
        q.is_quiet == 1
        and now_ns < q.until_ns
        and c.mid_low <= v.mid_half_ticks <= c.mid_high
        and is_inventory_inside(c, q.position_lots)
        and is_market_calm(c, v, sigma, now_ns, q.lag_ns_max)
    )


@leaf
def _sleeps(q: Rec, v: Rec, c: Rec, now_ns: int) -> bool:
    """Whether the book is as stale as when the engine withdrew for it."""
    return bool(
        q.is_asleep == 1
        and now_ns < q.until_ns
        and v.mid_half_ticks > 0
        and v.wants_resync == 0
        and now_ns - v.changed_ns > c.book_age_ns_max
    )


@leaf
def _actions(q: Rec, v: Rec, places: Rec, now_ns: int) -> int:
    """Fill working.act as `Maker` would; returns how many actions there are, or _UNKNOWN."""
    p = places[0]
    c, vol = record_at(p.calm, CALM)[0], record_at(p.vol, VOLATILITY)
    if not _is_ordinary(q, v, c, vol[0].sigma, now_ns):
        return _UNKNOWN
    quote, features = record_at(p.quote, QUOTE), record_at(p.features, FEATURES)
    intensity, working = record_at(p.intensity, INTENSITY), record_at(p.working, WORKING)
    lots, limit, coefficient = q.position_lots, c.limit_lots, c.flow_coefficient
    bid, ask = v.bid_ticks, v.ask_ticks
    if q.model == GLFT_MODEL:
        glft = record_at(p.glft, GLFT)
        status = glft_targets(
            quote, glft, features, vol, intensity, lots, limit, coefficient, bid, ask
        )
    else:
        fixed = record_at(p.fixed, FIXED)
        status = fixed_targets(
            quote, fixed, features, vol, intensity, lots, limit, coefficient, bid, ask
        )
    if status != _OK:
        return _UNKNOWN
    working[0].now_ns = now_ns
    return int(diff(working, quote))


@leaf
def _rests(q: Rec, w: Rec) -> bool:
    """Whether time alone brings no wish, where there is none: a level may rest after a fill, or an order be on its way."""
    if q.is_timed == 1 or is_held(w, 0) or is_held(w, 1):
        return False
    for side in range(2):
        for slot in range(w.n[side]):
            if w.state[side, slot] == PENDING:
                return False
    return True


@leaf
def _settle_gate(r: Rec, v: Rec, w: Rec, now_ns: int) -> None:
    """Tell the risk view r the state of the world, as `mmd.core.order_plan.plan` does."""
    r.now_ns = now_ns
    r.hindrance = ALLOWED
    r.bid_ticks, r.ask_ticks, r.last_ticks = v.bid_ticks, v.ask_ticks, v.last_trade_ticks
    r.book_ts_ns = v.changed_ns
    r.is_synced = r.is_private_up = 1
    settle_row(r, w)


@leaf
def _refusal(r: Rec, w: Rec, b: Rec, level: int, at: int) -> int:
    """The RiskReason for which an action is refused, or ALLOWED; its tokens are taken then."""
    row = w.act[at]
    side, slot = row[SIDE], row[SLOT]
    order_id, replaces, old_ticks, old_lots = b.last_id + 1, 0, 0, 0
    if row[OP] == REPLACE:
        replaces, old_ticks, old_lots = 1, w.px[side, slot], w.leaves[side, slot]
    return int(
        judge(
            r,
            w,
            b,
            level,
            order_id,
            side,
            row[PX],
            row[SZ],
            replaces,
            old_ticks,
            old_lots,
        )
    )


@leaf
def _asks_for_orders(w: Rec, n: int) -> bool:
    """Whether all actions are new orders: cancels and amends are the engine's."""
    for at in range(n):
        op = w.act[at, OP]
        if op not in (PLACE, REPLACE):
            return False
    return True


@leaf
def _count_refusals(q: Rec, w: Rec, n: int) -> None:
    """Keep what `OrderDesk.act` would count."""
    for at in range(n):
        q.reasons[q.verdicts[at]] += 1
        q.skipped += w.act[at, OP] == REPLACE
    q.refused += n
    q.last_number += n


@leaf
def _is_refused(q: Rec, v: Rec, r: Rec, w: Rec, b: Rec, n: int, now_ns: int) -> bool:
    """Whether the gate refuses every action, and leaves every order where it is; otherwise nothing has happened.

    An order that would pass has taken its tokens by then: the budgets get them back, and the engine asks again.
    """
    if not _asks_for_orders(w, n):
        return False
    _settle_gate(r, v, w, now_ns)
    for at in range(n):
        for i in range(b.n):
            q.full_ns[i], q.full_rest[i] = b.at_ns[i], b.at_rest[i]
        last_id, orders_left = b.last_id, b.orders_left
        reason = _refusal(r, w, b, q.level, at)
        if reason == ALLOWED:
            b.last_id, b.orders_left = last_id, orders_left
            for i in range(b.n):
                b.at_ns[i], b.at_rest[i] = q.full_ns[i], q.full_rest[i]
            return False
        if w.act[at, OP] == REPLACE and reason != _ORDER_RESERVE:
            return False
        q.verdicts[at] = reason
    _count_refusals(q, w, n)
    return True


@leaf
def is_taken(q: Rec, v: Rec, places: Rec, now_ns: int) -> bool:
    """Whether a decision at this time could be, and has been, taken here; as `Engine.decide`."""
    p = places[0]
    if _sleeps(q, v, record_at(p.calm, CALM)[0], now_ns):
        return True
    n, w = _actions(q, v, places, now_ns), record_at(p.working, WORKING)[0]
    if n == 0:
        q.is_settled = int(_rests(q, w))
        return True
    if n < 0 or q.can_refuse == 0:
        return False
    r, b = record_at(p.risk, RISK)[0], record_at(p.budgets, BUDGETS)[0]
    t = record_at(p.trips, TRIPS)[0]
    if can_send(t, w, n):
        _settle_gate(r, v, w, now_ns)
        send(q, t, w, r, b, places, now_ns, n)
    elif not _is_refused(q, v, r, w, b, n, now_ns):
        return False
    q.is_settled = 0
    return True


@leaf
def close_decision(q: Rec, v: Rec, t: Rec, w: Rec, markout: Rec) -> None:
    """A decision has been taken here; as `Maker.keep_books`, and as a recorder's `on_decision`."""
    if v.is_dirty == 1:
        v.is_dirty = 0
        q.marked = v.mid_half_ticks
        markouts.on_mid(markout, v.mid_half_ticks, q.decide_ns)
    if q.logs == 1:
        is_sample = q.decide_ns >= q.sample_ns
        row = q.log[q.n_log]
        row[0], row[1], row[4] = q.decide_ns, v.mid_half_ticks, is_sample
        row[2], row[3] = v.bid_ticks, v.ask_ticks
        row[5], row[6], row[7] = t.n_trail, w.best[0], w.best[1]
        q.n_log += 1
        if is_sample:
            q.samples_left -= 1
            q.sample_ns = q.decide_ns - q.decide_ns % q.step_ns + q.step_ns
            q.timer_ns = min(q.timer_ns, new_timer_ns(q, q.sample_ns))


@leaf
def is_log_full(q: Rec) -> bool:
    """Whether what was logged must be fetched before another decision."""
    return bool(q.logs == 1 and (q.n_log == LOG_MAX or q.samples_left == 0))


@kernel
def is_settled(places: Rec, now_ns: int) -> int:
    """Whether what the engine has just decided leaves nothing to be wished for (1), or not yet (0).

    Something was refused or is on its way, or a level rests after a fill and will be wanted when its time is over.
    """
    p = places[0]
    q, v, w = (
        record_at(p.quiet, QUIET)[0],
        record_at(p.state, VIEW)[0],
        record_at(p.working, WORKING)[0],
    )
    return int(_actions(q, v, places, now_ns) == 0 and _rests(q, w))
