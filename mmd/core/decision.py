"""The ordinary decision in one call, compiled: is it one, targets, order diff, risk check of the first action.

Whatever is out of the ordinary is left to `mmd.core.maker`, which takes the same steps one by one, in Python where
they are made of more than numbers.
"""

from typing import Final

from mmd.core.calm import CALM, is_calm
from mmd.core.market.features import FEATURES
from mmd.core.market.volatility import VOLATILITY
from mmd.core.order_plan import plan
from mmd.core.orders.order_diff import WORKING
from mmd.core.quoting import glft, learned_spread
from mmd.core.quoting.glft import GLFT
from mmd.core.quoting.inputs import prepare
from mmd.core.quoting.intensity import INTENSITY
from mmd.core.quoting.ladder import ladder
from mmd.core.quoting.record import OK, QUOTE
from mmd.core.risk.budgets import BUDGETS
from mmd.core.risk.order_check import RISK
from mmd.core.risk.reasons import RiskReason
from mmd.core.view_record import VIEW
from mmd.jit.kernel import Rec, kernel
from mmd.jit.places import record_at

EXTRAORDINARY: Final = -1
"""What `decide` returns for a decision that has to be taken step by step; nothing was changed but targets."""
_UNHINDERED: Final = int(RiskReason.OK)


@kernel
def decide(
    places: Rec,
    now_ns: int,
    level: int,
    hindrance: int,
    lag_ns_max: int,
    quoted_lots: int,
    order_id: int,
) -> int:
    """Decide as GLFT quotes, with or without trees; returns how many actions there are, or EXTRAORDINARY.

    now_ns is engine time. Private events are known to be coming. level, hindrance and lag_ns_max are the session's,
    quoted_lots is what is held, order_id the number of the order if there is to be one. The outcome is that of
    `mmd.core.order_plan.plan`.
    """
    p = places[0]
    view, working = record_at(p.state, VIEW), record_at(p.working, WORKING)
    features, vol = record_at(p.features, FEATURES), record_at(p.vol, VOLATILITY)
    quote = record_at(p.quote, QUOTE)
    c, v = record_at(p.calm, CALM)[0], view[0]
    if not c.mid_low <= v.mid_half_ticks <= c.mid_high:
        return EXTRAORDINARY
    sigma = vol[0].sigma
    if not is_calm(c, v, working[0], sigma, now_ns, level, hindrance, lag_ns_max, quoted_lots):
        return EXTRAORDINARY
    intensity, flow = record_at(p.intensity, INTENSITY), c.flow_coefficient
    status = prepare(quote, features, vol, intensity, quoted_lots, c.limit_lots, flow)
    if status == OK:
        table = record_at(p.table, GLFT)
        if c.uses_trees == 1:
            status = learned_spread.offsets(quote, table)
        else:
            status = glft.offsets(quote, table)
    if status != OK or ladder(quote, v.bid_ticks, v.ask_ticks) != OK:
        return EXTRAORDINARY
    return plan(
        working,
        quote,
        record_at(p.risk, RISK),
        record_at(p.budgets, BUDGETS),
        view,
        now_ns,
        _UNHINDERED,
        level,
        order_id,
    )
