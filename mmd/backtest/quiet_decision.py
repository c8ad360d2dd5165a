"""A decision in the compiled loop: one that sends nothing, because nothing is wanted or all of it is refused.

Targets, order diff and risk check are the kernels that the maker decides with, on its own records. A decision that
would send anything, or that is not plainly an ordinary one, is left to the engine, which takes it from the start.
"""

from typing import Final

from mmd.backtest.quiet_record import GLFT_MODEL
from mmd.core.flow import markout as markouts
from mmd.core.orders.order_diff import (
    OP,
    PENDING,
    PLACE,
    PX,
    REPLACE,
    SIDE,
    SLOT,
    SZ,
    diff,
    is_held,
)
from mmd.core.quoting.targets import fixed_targets, glft_targets
from mmd.core.risk.order_check import OK as ALLOWED
from mmd.core.risk.order_check import judge, settle_row
from mmd.core.risk.reasons import RiskReason
from mmd.jit.kernel import Rec, kernel, leaf

_OK: Final = 0
_UNKNOWN: Final = -1
_NORMAL: Final = 0
"""Of mmd.core.risk.levels.RiskLevel; the only one at which decisions are taken here."""
_ORDER_RESERVE: Final = int(RiskReason.ORDER_RESERVE)


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
def _actions(  # noqa: PLR0913, PLR0917 - a record a component
    q: Rec,
    now_ns: int,
    features: Rec,
    vol: Rec,
    quote: Rec,
    intensity: Rec,
    table: Rec,
    fixed: Rec,
    working: Rec,
) -> int:
    """Fill working.act as `Maker.decide` would; returns how many actions there are, or _UNKNOWN."""
    if not _is_ordinary(q, vol, now_ns):
        return _UNKNOWN
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
def _settle_gate(q: Rec, v: Rec, w: Rec, now_ns: int) -> None:
    """Tell the risk view the state of the world, as `mmd.core.order_plan.plan` does."""
    v.now_ns = now_ns
    v.hindrance = ALLOWED
    v.bid_ticks, v.ask_ticks, v.last_ticks = q.bid, q.ask, q.last_trade
    v.book_ts_ns = q.changed_ns
    v.is_synced = int(q.mid_half_ticks > 0)
    v.is_private_up = 1
    settle_row(v, w)


@leaf
def _refusal(v: Rec, w: Rec, b: Rec, at: int) -> int:
    """The RiskReason for which an action is refused, or ALLOWED; its tokens are taken then."""
    row = w.act[at]
    side, slot = row[SIDE], row[SLOT]
    order_id, replaces, old_ticks, old_lots = b.last_id + 1, 0, 0, 0
    if row[OP] == REPLACE:
        replaces, old_ticks, old_lots = 1, w.px[side, slot], w.leaves[side, slot]
    return int(
        judge(
            v,
            w,
            b,
            _NORMAL,
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


@leaf
def _is_refused(q: Rec, v: Rec, w: Rec, b: Rec, n: int, now_ns: int) -> bool:
    """Whether the gate refuses every action, and leaves every order where it is; otherwise nothing has happened.

    An order that would pass has taken its tokens by then: the budgets get them back, and the engine asks again.
    """
    if q.can_refuse == 0 or not _asks_for_orders(w, n):
        return False
    _settle_gate(q, v, w, now_ns)
    for at in range(n):
        for i in range(b.n):
            q.full_ns[i], q.full_rest[i] = b.at_ns[i], b.at_rest[i]
        last_id, orders_left = b.last_id, b.orders_left
        reason = _refusal(v, w, b, at)
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
def is_taken(  # noqa: PLR0913, PLR0917 - a record a component
    q: Rec,
    now_ns: int,
    features: Rec,
    vol: Rec,
    quote: Rec,
    intensity: Rec,
    table: Rec,
    fixed: Rec,
    working: Rec,
    risk: Rec,
    budgets: Rec,
) -> bool:
    """Whether a decision at this time sends nothing, and has been taken; as `Maker.decide`."""
    n = _actions(q, now_ns, features, vol, quote, intensity, table, fixed, working)
    w = working[0]
    if n == 0:
        q.is_settled = int(_rests(q, w))
        return True
    if n < 0 or not _is_refused(q, risk[0], w, budgets[0], n, now_ns):
        return False
    q.is_settled = 0
    return True


@leaf
def close_decision(q: Rec, markout: Rec) -> None:
    """A decision that changed nothing has been taken; as `Maker.keep_books`."""
    if q.is_dirty == 1:
        q.is_dirty = 0
        q.marked = q.mid_half_ticks
        markouts.on_mid(markout, q.mid_half_ticks, q.decide_ns)
        if q.logs == 1:
            q.log[q.n_log, 0], q.log[q.n_log, 1] = q.decide_ns, q.mid_half_ticks
            q.n_log += 1


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

    Something was refused or is on its way, or a level rests after a fill and will be wanted when its time is over.
    """
    q = quiet[0]
    n = _actions(q, now_ns, features, vol, quote, intensity, table, fixed, working)
    return int(n == 0 and _rests(q, working[0]))
