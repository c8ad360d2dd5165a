"""From basis points and quote currency to ticks and lots at a price."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.scaling import NO_SCALE, scale_at
from tests.session import instrument, quoting, risk


def test_a_plain_price() -> None:
    """Tick 0.01 and lot 0.001 at 100.00: a basis point is a tick, 100 USDT are 1,000 lots."""
    scale = scale_at(10_000.0, instrument(), quoting(order_notional=100), risk())
    assert scale.ticks_per_bps == 1.0
    assert scale.unit_lots == 1_000
    assert scale.position_lots_max == 10_000
    assert scale.order_lots_max == 5_000
    assert scale.lots_min == 53, "5 USDT and 5 % more, rounded up"


@given(st.floats(100.0, 1e9), st.integers(1, 10**6), st.integers(1, 10**6))
def test_limits_are_never_exceeded_and_minima_always_met(
    mid_ticks: float, order: int, position: int
) -> None:
    """Rounding is always to the safe side."""
    mmd = instrument()
    scale = scale_at(
        mid_ticks,
        mmd,
        quoting(order_notional=order),
        risk(position_notional_max=position, order_notional_max=order),
    )
    lot = mmd.notional_per_ticklot * Decimal(mid_ticks)
    assert scale.position_lots_max * lot <= position
    assert scale.order_lots_max * lot <= order
    assert scale.lots_min * lot >= mmd.notional_min
    assert scale.unit_lots >= scale.lots_min >= 1


def test_the_venues_least_quantity_counts() -> None:
    """Where it is more than the least notional."""
    assert scale_at(10_000.0, instrument(qty_lots_min=500), quoting(), risk()).lots_min == 500
    assert scale_at(10_000.0, instrument(qty_lots_max=70), quoting(), risk()).order_lots_max == 70


@pytest.mark.parametrize(
    ("mid", "holds"),
    [(10_000, True), (10_999, True), (9_001, True), (11_001, False), (8_999, False)],
)
def test_it_holds_for_a_tenth(mid: float, holds: bool) -> None:
    """Up and down."""
    assert scale_at(10_000.0, instrument(), quoting(), risk()).holds_at(mid) is holds


@pytest.mark.parametrize("mid_ticks", [0.5, 3.0, 10_000.0, 123_456.5])
def test_inside_its_range_a_scale_surely_holds(mid_ticks: float) -> None:
    """At both ends, which lie on either side of where it was made."""
    scale = msgspec.structs.replace(NO_SCALE, mid_ticks=mid_ticks)
    low, high = scale.half_ticks_range()
    assert low <= 2 * mid_ticks <= high
    assert scale.holds_at(low / 2)
    assert scale.holds_at(high / 2)
    assert high - low > 0.17 * 2 * mid_ticks - 2, "nearly all of where it holds"
