"""The money unit makes every amount whole."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.instrument import Kind
from mmd.core.inventory.money import Money
from mmd.errors import InstrumentError
from tests.order_events import instrument

GRIDS = st.tuples(
    st.sampled_from(["0.01", "0.5", "0.00000001", "1", "0.0025", "10"]),
    st.sampled_from(["0.00001", "1", "0.1", "1000"]),
)


def grid(tick_and_lot):
    tick_size, lot_size = tick_and_lot
    return instrument(tick_size=Decimal(tick_size), lot_size=Decimal(lot_size))


@given(GRIDS, st.integers(-(10**9), 10**9), st.integers(1, 10**9))
def test_values_are_exact(tick_and_lot, atoms, half_ticks):
    """Any number of atoms at any half tick is a whole number of units, equal to the fraction it stands for."""
    tick_size, _ = tick_and_lot
    money = Money(grid(tick_and_lot))
    unit = Fraction(1, 10**8 * money.per_quote_atom)
    exact = Fraction(atoms, 10**8) * half_ticks * Fraction(tick_size) / 2
    assert money.value(atoms, half_ticks) * unit == exact


@given(GRIDS, st.integers(1, 10**6), st.integers(1, 10**6))
def test_notional_is_price_times_quantity(tick_and_lot, lots, ticks):
    """As Decimal arithmetic has it."""
    rules = grid(tick_and_lot)
    money = Money(rules)
    assert money.decimal(money.notional(lots, ticks)) == rules.price(ticks) * rules.qty(lots)


def test_the_example_of_the_docstring():
    """A tick of 0.01 makes units of 5e-11 quote."""
    money = Money(instrument(tick_size=Decimal("0.01")))
    assert (money.per_atom_half_tick, money.per_quote_atom) == (1, 200)
    assert money.decimal(1) == Decimal("5e-11")


def test_quote_atoms_are_rounded_down():
    """A loss is never shown smaller than it is."""
    money = Money(instrument(tick_size=Decimal("0.01")))
    assert [money.quote_atoms(units) for units in (399, 400, -1)] == [1, 2, -1]


@pytest.mark.parametrize("odd", [{"kind": Kind.INVERSE}, {"contract_size": Decimal(100)}])
def test_other_contracts_are_refused(odd):
    """Their PnL is not price times base quantity."""
    with pytest.raises(InstrumentError, match="price \\* quantity"):
        Money(instrument(**odd))
