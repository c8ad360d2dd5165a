"""From targets to orders that may be sent, compiled: the order diff, and the risk check of what it asks for.

One call finds the actions and judges the first, because the first is the one that the wire waits for. Each of the
others is judged by itself, after what precedes it has been sent and counts.
"""

from typing import Final

from mmd.core.orders.order_diff import LEVEL, OP, PLACE, PX, REPLACE, SIDE, SLOT, SZ, diff
from mmd.core.risk.order_check import judge, settle_row
from mmd.jit.kernel import Rec, kernel, leaf

OTHER: Final = -1
"""Verdict on a cancel or an amend: the gate judges those when it is asked."""


@leaf
def _judge_action(v: Rec, w: Rec, b: Rec, at: int, level: int, order_id: int) -> None:
    """Leave an action in v, with the verdict on it and the id of the order that it is about."""
    row = w.act[at]
    op, side, slot = row[OP], row[SIDE], row[SLOT]
    v.op, v.side, v.rung, v.slot, v.px, v.sz = op, side, row[LEVEL], slot, row[PX], row[SZ]
    v.order_id, v.old_id = order_id, 0
    if op == PLACE:
        v.verdict = judge(v, w, b, level, order_id, side, row[PX], row[SZ], 0, 0, 0)
        b.verdicts[v.verdict] += 1
        return
    v.old_id = w.id[side, slot]
    if op == REPLACE:
        old_ticks, old_lots = w.px[side, slot], w.leaves[side, slot]
        v.verdict = judge(v, w, b, level, order_id, side, row[PX], row[SZ], 1, old_ticks, old_lots)
        b.verdicts[v.verdict] += 1
    else:
        v.verdict = OTHER


@kernel
def plan(  # noqa: PLR0913, PLR0917 - a kernel
    working: Rec,
    quote: Rec,
    risk: Rec,
    budgets: Rec,
    view: Rec,
    now_ns: int,
    hindrance: int,
    level: int,
    order_id: int,
) -> int:
    """Fill working.act from the targets, settle the risk view and judge the first action; returns how many there are.

    The risk view takes over the state of the world out of the VIEW record; private events are known to be coming.
    Without any action it takes over nothing but time and hindrance. The outcome stands in risk.verdict and what
    follows it. level is the session's; order_id is the number of the order if there is to be one.
    """
    w, v, m = working[0], risk[0], view[0]
    w.now_ns = v.now_ns = now_ns
    v.hindrance = hindrance
    n = diff(working, quote)
    if n > 0:
        v.bid_ticks, v.ask_ticks, v.last_ticks = m.bid_ticks, m.ask_ticks, m.last_trade_ticks
        v.book_ts_ns = m.changed_ns
        v.is_synced = int(
            m.is_up == 1 and m.wants_resync == 0 and m.is_crossed == 0 and m.mid_half_ticks > 0
        )
        v.is_private_up = 1
        settle_row(v, w)
        _judge_action(v, w, budgets[0], 0, level, order_id)
    return n


@kernel
def judge_action(
    working: Rec,
    risk: Rec,
    budgets: Rec,
    at: int,
    level: int,
    order_id: int,
) -> None:
    """Judge action number `at` of the plan; args and outcome as for `plan`."""
    _judge_action(risk[0], working[0], budgets[0], at, level, order_id)
