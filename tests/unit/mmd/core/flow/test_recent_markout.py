"""The average of the latest markouts against one made by hand, and that old fills fade."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.flow.markout import HORIZONS_NS, Markouts
from mmd.core.flow.recent_markout import HALF_LIFE_FILLS, RecentMarkout
from mmd.core.units import NANOS_PER_SECOND, Side

SECOND = HORIZONS_NS.index(NANOS_PER_SECOND)


def test_nothing_is_known_before_a_horizon_has_passed() -> None:
    """A fill counts once it is judged, not before."""
    markouts = Markouts()
    recent = RecentMarkout(markouts.record, SECOND)
    markouts.on_mid(20_001, 0)
    markouts.on_fill(Side.BUY, 10_000, 5, 20_001, 0)
    recent.update()
    assert (recent.fills, recent.ticks) == (0.0, None)
    markouts.on_mid(20_007, NANOS_PER_SECOND)
    recent.update()
    assert recent.ticks == 3.5, "bought at 10,000, a second later the mid is 10,003.5"
    recent.update()
    assert (recent.fills, recent.ticks) == (1.0, 3.5)


FILLS = st.lists(
    st.tuples(
        st.sampled_from(list(Side)), st.integers(-4, 4), st.integers(1, 9), st.integers(-6, 6)
    ),
    min_size=1,
    max_size=30,
)


@settings(deadline=None, max_examples=40)
@given(FILLS)
def test_it_is_the_average_weighted_by_lots_and_age(
    fills: list[tuple[Side, int, int, int]],
) -> None:
    """One fill every two seconds, looked at after each has been judged."""
    markouts = Markouts()
    recent = RecentMarkout(markouts.record, SECOND)
    mid, now_ns, lots_sum, value_sum = 20_000, 0, 0.0, 0.0
    markouts.on_mid(mid, now_ns)
    keep = 0.5 ** (1 / HALF_LIFE_FILLS)
    for side, away, lots, move in fills:
        price = mid // 2 + away
        markouts.on_fill(side, price, lots, mid, now_ns)
        mid += move
        now_ns += NANOS_PER_SECOND
        markouts.on_mid(mid, now_ns)
        recent.update()
        now_ns += NANOS_PER_SECOND
        lots_sum = keep * lots_sum + lots
        value_sum = keep * value_sum + lots * side.sign * (mid / 2 - price)
    assert recent.ticks == pytest.approx(value_sum / lots_sum, abs=1e-9)
    assert recent.fills == pytest.approx(sum(keep**i for i in range(len(fills))))
