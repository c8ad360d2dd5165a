"""Decimal text ↔ integer units, against Decimal."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.binance_spot.decimal_grid import ATOMS, DecimalGrid, InstrumentGrids, signed_atoms
from mmd.errors import CodecError, InstrumentError
from tests.session import instrument

GRIDS = [(2, 1), (0, 1), (0, 10), (2, 25), (8, 1), (3, 5), (12, 7)]


@given(st.sampled_from(GRIDS), st.integers(0, 2**53), st.integers(0, 8))
def test_round_trip_with_any_number_of_trailing_zeros(grid, units: int, zeros: int):
    """What is written reads back, as the venue pads it or not, and equals exact decimal arithmetic."""
    scale, step = grid
    codec = DecimalGrid(scale, step, "a test")
    text = codec.text(units)
    assert Decimal(text) == Decimal(units * step).scaleb(-scale)
    padded = f"{text}{'0' * zeros}" if "." in text else f"{text}.{'0' * zeros}"
    assert codec.units(text) == codec.units(padded) == units


@given(st.sampled_from(GRIDS), st.decimals("0", "1000", places=13))
def test_units_agree_with_decimal_or_refuse(grid, value: Decimal):
    """A value is converted exactly if it is on the grid, and refused otherwise."""
    scale, step = grid
    exact = value.scaleb(scale) / step
    codec = DecimalGrid(scale, step, "a test")
    if exact == int(exact):
        assert codec.units(f"{value:f}") == int(exact)
    else:
        with pytest.raises(CodecError, match="not a whole number of steps"):
            codec.units(f"{value:f}")


@pytest.mark.parametrize(
    "text", ["", ".", ".5", "1e3", "-1", "+1", " 1", "1_0", "1,0", "NaN", "\uff11", "1.2.3"]
)
def test_anything_but_a_plain_decimal_is_refused(text: str):
    """No exponent, sign, blank, separator or foreign digit."""
    with pytest.raises(CodecError, match=r"expected a decimal|not a whole number"):
        DecimalGrid(2, 1, "a price").units(text)


def test_atoms_may_be_negative_only_for_rebates():
    """Fees may be rebates; balances may not."""
    assert signed_atoms("-0.00000012") == -12
    assert signed_atoms("1.5") == 150_000_000
    with pytest.raises(CodecError):
        ATOMS.units("-1")


def test_more_decimals_than_the_digits_have_room_for_are_refused() -> None:
    """By the instrument's name, when its grids are made."""
    with pytest.raises(InstrumentError, match="FINEUSDT: expected at most 18 decimals"):
        InstrumentGrids(instrument(symbol="FINEUSDT", tick_size=Decimal("1e-19")))
