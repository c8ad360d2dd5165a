"""The ordinary decision in one call, compiled: is it one, targets, order diff, risk check of the first action.

Whatever is out of the ordinary is left to `mmd.core.maker`, which takes the same steps one by one, in Python where
they are made of more than numbers.
"""

from typing import Final

from mmd.core.calm import is_calm
from mmd.core.order_plan import plan
from mmd.core.quoting.record import OK
from mmd.core.quoting.targets import glft_targets
from mmd.core.risk.reasons import RiskReason
from mmd.jit.kernel import Rec, kernel

EXTRAORDINARY: Final = -1
"""What `decide` returns for a decision that has to be taken step by step; nothing was changed but targets."""
_UNHINDERED: Final = int(RiskReason.OK)


@kernel
def decide(  # noqa: PLR0913, PLR0917 - a record a component
    calm: Rec,
    view: Rec,
    features: Rec,
    vol: Rec,
    quote: Rec,
    table: Rec,
    intensity: Rec,
    working: Rec,
    risk: Rec,
    budgets: Rec,
    now_ns: int,
    level: int,
    hindrance: int,
    lag_ns_max: int,
    quoted_lots: int,
    ratio_left: int,
    order_id: int,
    last_id: int,
) -> int:
    """Decide as GLFT quotes, at engine time now_ns; returns how many actions there are, or EXTRAORDINARY.

    Private events are known to be coming. level, hindrance, lag_ns_max and ratio_left are the session's, quoted_lots is
    what is held, order_id the number of the next order and last_id the last that was approved. The outcome is that of
    `mmd.core.order_plan.plan`.
    """
    c, v = calm[0], view[0]
    if not c.mid_low <= v.mid_half_ticks <= c.mid_high:
        return EXTRAORDINARY
    sigma = vol[0].sigma
    if not is_calm(c, v, working[0], sigma, now_ns, level, hindrance, lag_ns_max, quoted_lots):
        return EXTRAORDINARY
    status = glft_targets(
        quote,
        table,
        features,
        vol,
        intensity,
        quoted_lots,
        c.limit_lots,
        c.flow_coefficient,
        v.bid_ticks,
        v.ask_ticks,
    )
    if status != OK:
        return EXTRAORDINARY
    return plan(
        working,
        quote,
        risk,
        budgets,
        view,
        now_ns,
        _UNHINDERED,
        level,
        ratio_left,
        order_id,
        last_id,
    )
