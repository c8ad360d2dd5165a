"""Limits are checked when configured and compiled to integers once."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.instrument import Kind
from mmd.core.risk.limits import Bounds, RiskLimits
from mmd.errors import ConfigError, InstrumentError
from tests.order_events import instrument
from tests.risk_views import limits


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("qty_lots_max", 0),
        ("notional_quote_max", Decimal(0)),
        ("position_lots_max_long", -1),
        ("open_orders_max", 9),
        ("collar_bps", float("nan")),
        ("stale_book_ns", 0),
        ("loss_quote_max", Decimal(-1)),
        ("rejects_max", 0),
    ],
)
def test_impossible_limits_are_refused(name, value):
    """With the key, the value and the range."""
    with pytest.raises(ConfigError, match=f"{name} is .*expected"):
        limits(**{name: value})


def test_limits_are_frozen():
    """Nothing loosens a limit at run time."""
    with pytest.raises(AttributeError):
        limits().qty_lots_max = 10**9


def test_the_tighter_of_filter_and_limit_counts():
    """Both the venue and the owner have a say."""
    bounds = Bounds(instrument(qty_lots_max=50, orders_open_max=3), limits(qty_lots_max=100))
    assert (bounds.qty_lots_max, bounds.open_orders_max) == (50, 3)
    bounds = Bounds(instrument(notional_max=Decimal(5)), limits(notional_quote_max=Decimal(9)))
    assert bounds.notional_max == 500_000  # 5 USDT in units of 0.001 * 0.01


def test_notional_bounds_are_rounded_to_the_safe_side():
    """A notional limit between two grid values excludes the one beyond it."""
    odd = instrument(notional_min=Decimal("0.000015"))
    bounds = Bounds(odd, limits(notional_quote_max=Decimal("0.000035")))
    assert (bounds.notional_min, bounds.notional_max) == (2, 3)


def test_positions_are_counted_in_atoms():
    """Base-asset commissions make positions that are no whole number of lots."""
    bounds = Bounds(instrument(), limits(position_lots_max_long=7, position_lots_max_short=3))
    assert (bounds.atoms_per_lot, bounds.long_atoms_max, bounds.short_atoms_max) == (
        1_000_000,
        7_000_000,
        3_000_000,
    )


def test_inverse_contracts_are_refused():
    """Their notional is not price times quantity."""
    with pytest.raises(InstrumentError, match="inverse"):
        Bounds(instrument(kind=Kind.INVERSE), limits())


@given(
    st.integers(0, 10**12),
    st.sampled_from(["0.01", "0.00000001", "0.5"]),
    st.sampled_from(["1", "0.00001"]),
)
def test_funds_are_never_overstated(quote_atoms, tick_size, lot_size):
    """What so many quote atoms buy is rounded down, by less than a tick of a lot."""
    grid = instrument(tick_size=Decimal(tick_size), lot_size=Decimal(lot_size))
    ticklots = Bounds(grid, limits()).ticklots(quote_atoms)
    each = grid.notional_per_ticklot * 10**8
    assert ticklots * each <= quote_atoms < (ticklots + 1) * each


def test_limits_need_their_money_named():
    """Loss limits have no default: the owner decides what may be lost."""
    with pytest.raises(TypeError, match="loss_quote_max"):
        RiskLimits(
            qty_lots_max=1,
            notional_quote_max=Decimal(1),
            position_lots_max_long=1,
            position_lots_max_short=1,
            drawdown_quote_max=Decimal(1),
        )
