"""Exact conversions between what venues write and what the engine counts in."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.instrument import Grid
from mmd.errors import InstrumentError
from tests.session import instrument

STEPS = st.builds(
    lambda m, e: Decimal(m).scaleb(-e), st.sampled_from([1, 2, 5, 25]), st.integers(0, 8)
)


@given(STEPS, STEPS, st.integers(-(10**9), 10**9), st.integers(0, 10**9))
def test_ticks_and_lots_come_back_exactly(
    tick: Decimal, lot: Decimal, ticks: int, lots: int
) -> None:
    """For any grid: count → decimal → count."""
    odd = instrument(tick_size=tick, lot_size=lot)
    assert odd.ticks(odd.price(ticks)) == ticks
    assert odd.lots(odd.qty(lots)) == lots


@given(STEPS, STEPS)
def test_the_integer_grid_is_the_step(tick: Decimal, lot: Decimal) -> None:
    """step * 10**-scale, for the compiled scan."""
    grid = instrument(tick_size=tick, lot_size=lot).grid
    assert Decimal(grid.price_step).scaleb(-grid.price_scale) == tick
    assert Decimal(grid.size_step).scaleb(-grid.size_scale) == lot
    assert grid.price_scale >= 0 <= grid.size_scale


def test_grids_above_one_have_no_scale() -> None:
    """A step of ten is ten units."""
    assert instrument(tick_size=Decimal(10), lot_size=Decimal("0.050")).grid == Grid(0, 10, 2, 5)


def test_off_the_grid_is_refused_by_name() -> None:
    """What, how much, and which step it is off."""
    mmd = instrument()
    with pytest.raises(
        InstrumentError, match=r"MMDUSDT price 100\.005 is not a whole number of tick 0\.01"
    ):
        mmd.ticks(Decimal("100.005"))
    with pytest.raises(
        InstrumentError, match=r"MMDUSDT quantity 0\.0001 is not a whole number of lot 0\.001"
    ):
        mmd.lots(Decimal("0.0001"))


@pytest.mark.parametrize("step", ["0", "-0.01", "NaN", "Infinity"])
def test_a_step_must_be_positive_and_finite(step: str) -> None:
    """A grid of anything else is none."""
    with pytest.raises(InstrumentError, match="expected a positive step"):
        _ = instrument(tick_size=Decimal(step)).grid


def test_atoms_and_notional_of_a_lot() -> None:
    """1e-8 of base; quote currency in a lot at a tick, contract size included."""
    assert instrument().atoms_per_lot == 100_000
    assert instrument(contract_size=Decimal(10)).notional_per_ticklot == Decimal("0.0001")
    with pytest.raises(InstrumentError, match="atom"):
        _ = instrument(lot_size=Decimal("1e-9")).atoms_per_lot
