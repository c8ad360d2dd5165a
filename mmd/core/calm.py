"""Whether a decision is an ordinary one, compiled: nothing speaks against quoting, as when all was looked at last.

So it is nearly always. `mmd.core.quote_judge` looks at everything where it is not, and keeps the CALM record.
"""

from typing import Final

from mmd.core.risk.levels import RiskLevel
from mmd.core.risk.reasons import RiskReason
from mmd.jit.kernel import Rec, kernel, layout, leaf

_NORMAL: Final = int(RiskLevel.NORMAL)
_UNHINDERED: Final = int(RiskReason.OK)

CALM = layout(
    ("is_calm", "i8"),  # whether nothing spoke against quoting then, and no setter was called since
    ("mid_low", "i8"),  # half ticks between which the scale surely holds
    ("mid_high", "i8"),
    ("book_age_ns_max", "i8"),
    ("limit_lots", "i8"),  # the most that may be held either way
    ("sigma_max", "f8"),
    ("sigma_wide", "f8"),
    ("spread_ticks_min", "f8"),  # 0 = off
    ("inventory_ratio_max", "f8"),
    ("flow_coefficient", "f8"),  # of the quote, see mmd.core.quoting.inputs.prepare
    ("uses_trees", "i8"),  # whether the learned half spread has a say in the quotes
)


@leaf
def is_market_calm(c: Rec, v: Rec, sigma: float, now_ns: int, lag_ns_max: int) -> bool:
    """Whether nothing in the market speaks against quoting: book, volatility, lag, spread; rows of CALM and VIEW."""
    return bool(
        v.wants_resync == 0
        and v.is_crossed == 0
        and now_ns - v.changed_ns <= c.book_age_ns_max
        and sigma <= c.sigma_max
        and sigma <= c.sigma_wide
        and (v.has_lag == 0 or v.lag_ns <= lag_ns_max)
        and (c.spread_ticks_min <= 0.0 or v.ask_ticks - v.bid_ticks >= c.spread_ticks_min)
    )


@leaf
def is_inventory_inside(c: Rec, quoted_lots: int) -> bool:
    """Whether the inventory leaves both sides to be quoted; a row of CALM."""
    ratio = quoted_lots / max(c.limit_lots, 1)
    return bool(-c.inventory_ratio_max <= ratio <= c.inventory_ratio_max)


@leaf
def is_calm(  # noqa: PLR0913, PLR0917 - a table
    c: Rec,
    v: Rec,
    w: Rec,
    sigma: float,
    now_ns: int,
    level: int,
    hindrance: int,
    lag_ns_max: int,
    quoted_lots: int,
) -> bool:
    """Whether a look at everything would find nothing again: what changes without a setter being called.

    c, v and w are rows of CALM, VIEW and WORKING; private events are known to be coming.
    """
    return bool(
        c.is_calm == 1
        and level == _NORMAL
        and hindrance == _UNHINDERED
        and v.is_up == 1
        and w.unknown_count == 0
        and is_inventory_inside(c, quoted_lots)
        and is_market_calm(c, v, sigma, now_ns, lag_ns_max)
    )


@kernel
def stays_calm(  # noqa: PLR0913, PLR0917 - a kernel
    calm: Rec,
    view: Rec,
    working: Rec,
    vol: Rec,
    now_ns: int,
    level: int,
    hindrance: int,
    lag_ns_max: int,
    quoted_lots: int,
) -> int:
    """`is_calm` of records: 1 or 0."""
    return int(
        is_calm(
            calm[0],
            view[0],
            working[0],
            vol[0].sigma,
            now_ns,
            level,
            hindrance,
            lag_ns_max,
            quoted_lots,
        )
    )
