"""Decimals of the sandbox: texts of integers and back, and what it says to texts that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.binance_spot.sandbox_errors import ApiError
from adapters.binance_spot.sandbox_numbers import WireNumbers, atoms_of_text, text_of_atoms
from tests.session import instrument


@given(st.integers(0, 10**18))
def test_amounts_survive_the_way_there_and_back(atoms):
    """Eight decimals, exact; a rebate is the same with a sign."""
    text = text_of_atoms(atoms)
    assert atoms_of_text(text, "quantity") == atoms
    assert text.partition(".")[2].isdigit()
    assert len(text.partition(".")[2]) == 8
    assert text_of_atoms(-atoms) == (f"-{text}" if atoms else text)


@pytest.mark.parametrize(
    ("text", "code"), [("", -1102), ("1e3", -1100), ("-1", -1100), ("0.000000001", -1111)]
)
def test_what_is_no_amount_has_the_code_of_the_venue(text, code):
    """Missing, malformed, too fine."""
    with pytest.raises(ApiError) as refused:
        atoms_of_text(text, "quantity")
    assert refused.value.code == code


def test_prices_are_remembered_but_not_for_ever(monkeypatch):
    """A market that wanders does not fill the memory."""
    monkeypatch.setattr("adapters.binance_spot.sandbox_numbers._CACHED_MAX", 3)
    numbers = WireNumbers(instrument())
    assert [numbers.price(ticks) for ticks in (1, 2, 3, 4, 1)] == [
        "0.01000000",
        "0.02000000",
        "0.03000000",
        "0.04000000",
        "0.01000000",
    ]
    assert len(numbers._prices) <= 3
