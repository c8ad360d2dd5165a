"""A stretch of fills earns its markouts, and is not told before all of them are judged."""

from mmd.core.flow.block_earnings import BlockEarnings, Earnings
from mmd.core.flow.markout import FILLS_MAX, HORIZONS_NS, Markouts
from mmd.core.units import NANOS_PER_SECOND, Side

S = NANOS_PER_SECOND
HORIZON = HORIZONS_NS.index(S)


def test_a_stretch_earns_what_its_fills_did():
    """Bought 3 lots a tick under the mid that then rose by one; sold 2 at the mid that then stood."""
    markouts = Markouts()
    earnings = BlockEarnings(markouts.record, HORIZON)
    assert (earnings.head, earnings.is_judged(0)) == (0, True)
    assert earnings.of(0, 0) == Earnings(0, 0, 0.0)
    markouts.on_fill(Side.BUY, 99, 3, 200, S)
    markouts.on_mid(202, S + S // 2)
    markouts.on_fill(Side.SELL, 101, 2, 202, 2 * S)
    markouts.on_time(2 * S + S // 2)
    assert (earnings.head, earnings.is_judged(1), earnings.is_judged(2)) == (2, True, False)
    markouts.on_time(3 * S)
    assert earnings.is_judged(2)
    assert earnings.of(0, 1) == Earnings(1, 3, 6.0)
    assert earnings.of(1, 2) == Earnings(1, 2, 0.0)
    assert earnings.of(0, 2) == Earnings(2, 5, 6.0)


def test_what_the_ring_has_lost_is_not_made_up():
    """More fills than it holds since the stretch began."""
    markouts = Markouts()
    earnings = BlockEarnings(markouts.record, HORIZON)
    for k in range(FILLS_MAX + 1):
        markouts.on_fill(Side.BUY, 99, 1, 200, (k + 1) * S)
        markouts.on_time((k + 2) * S)
    assert earnings.of(0, 1) is None
    assert earnings.of(1, 3) == Earnings(2, 2, 2.0)
