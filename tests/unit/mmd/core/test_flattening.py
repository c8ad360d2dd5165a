"""Slices that close a position: on the right side, through the touch, inside every limit, leaving no dust."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.flattening import is_flat, least_lots, next_slice
from mmd.core.units import Side
from tests.order_events import instrument
from tests.risk_views import hold, view

LOT = 1_000_000


def settled(grid=None, **limits):
    seen = view(grid, **limits)
    seen.settle()
    return seen


def test_a_long_sells_below_the_bid_and_a_short_buys_above_the_ask():
    """By the slippage, rounded away from the touch."""
    assert next_slice(settled(), 10, 50.0) == (Side.SELL, 995, 10)
    assert next_slice(settled(), -10, 50.0) == (Side.BUY, 1008, 10)


def test_the_price_stays_inside_the_collar():
    """However far the slippage would go."""
    seen = settled(collar_bps=100.0)
    assert seen.price_low > 990
    assert next_slice(seen, 10, 5_000.0).price_ticks == seen.price_low
    assert next_slice(seen, -10, 5_000.0).price_ticks == seen.price_high


def test_a_slice_is_no_larger_than_an_order_may_be():
    """By quantity and by notional."""
    assert next_slice(settled(qty_lots_max=40), 100, 0.0).qty_lots == 40
    by_money = settled(notional_quote_max=Decimal("0.2"))
    assert next_slice(by_money, 100, 0.0).qty_lots == 20


def test_no_remainder_is_left_that_is_too_little_for_an_order():
    """The slice before it is smaller instead."""
    seen = settled(instrument(qty_lots_min=5), qty_lots_max=40)
    assert next_slice(seen, 42, 0.0).qty_lots == 35
    assert next_slice(seen, 45, 0.0).qty_lots == 40


def test_funds_are_not_exceeded():
    """Neither base nor quote; with none there is no order."""
    seen = settled()
    hold(seen, base_atoms=7 * LOT, quote_atoms=8 * 10**6 * 1002 // 1000)
    assert next_slice(seen, 10, 0.0).qty_lots == 7
    assert next_slice(seen, -10, 0.0).qty_lots == 8
    hold(seen, base_atoms=0)
    assert next_slice(seen, 10, 0.0) is None


@pytest.mark.parametrize(
    ("lots", "flat"), [(0, True), (4, True), (5, False), (-4, True), (-5, False)]
)
def test_flat_is_less_than_an_order(lots, flat):
    """Of the least quantity or the least notional; no order is made of it."""
    for grid in (instrument(qty_lots_min=5), instrument(notional_min=Decimal("0.0402"))):
        seen = settled(grid)
        assert is_flat(seen, lots, 0.0) == flat
        if lots:
            assert (next_slice(seen, lots, 0.0) is None) == flat


def test_without_a_price_only_nothing_is_flat():
    """What is held cannot be judged."""
    seen = view()
    seen.bid_ticks = seen.ask_ticks = 0
    assert is_flat(seen, 0, 0.0)
    assert not is_flat(seen, 1, 0.0)
    seen.settle()
    assert next_slice(seen, -5, 0.0) is None


@given(
    st.integers(-500, 500).filter(bool), st.integers(1, 20), st.integers(20, 120), st.floats(0, 300)
)
def test_slices_end_flat_and_never_turn_the_position_round(lots, least, most, slippage):
    """Filled in full, one after the other."""
    seen = settled(instrument(qty_lots_min=least), qty_lots_max=most)
    for _ in range(600):
        wanted = next_slice(seen, lots, slippage)
        if wanted is None:
            break
        assert least_lots(seen.bounds, wanted.price_ticks) <= wanted.qty_lots <= most
        assert wanted.qty_lots <= abs(lots)
        assert wanted.side is (Side.SELL if lots > 0 else Side.BUY)
        lots += wanted.side.sign * wanted.qty_lots
    assert is_flat(seen, lots, slippage)
