"""What the gate's view derives, and when."""

from mmd.core.risk.limits import Bounds
from mmd.core.risk.reasons import RiskReason
from tests.order_events import instrument
from tests.risk_views import hold, limits, view

LOT = 1_000_000


def test_a_view_is_judged_as_it_was_settled():
    """What changes afterwards counts at the next settling."""
    seen = view()
    seen.settle()
    assert seen.refusal is RiskReason.OK
    seen.is_private_up = False
    assert seen.refusal is RiskReason.OK
    seen.settle()
    assert seen.refusal is RiskReason.PRIVATE_DOWN


def test_new_limits_bound_prices_anew():
    """Although no price has moved."""
    seen = view(collar_bps=500.0)
    seen.settle()
    wide = seen.price_low, seen.price_high
    seen.limit(Bounds(instrument(), limits(collar_bps=100.0)))
    seen.settle()
    assert wide[0] < seen.price_low < seen.price_high < wide[1]


def test_room_and_reducible_lots_are_rounded_down():
    """A fraction of a lot helps nobody."""
    seen = view(position_lots_max_long=30, position_lots_max_short=20)
    hold(seen, position_atoms=10 * LOT + 1)
    assert seen.room_lots == (19, 30)
    assert seen.reducible_lots == (-11, 10)
