"""Decimal texts: exact steps, greatest common grids, and what is no number."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.tape.importers.decimals import GridFinder, GridNumbers, units
from tests.session import instrument


@pytest.mark.parametrize(
    ("text", "scale", "expected"),
    [
        ("1.5", 2, 150),
        ("0.00100000", 3, 1),
        ("12", 0, 12),
        ("1e-05", 8, 1_000),
        ("2.5E+3", 1, 25_000),
        ("-1.5", 1, -15),
        (" 7 ", 0, 7),
        (".5", 1, 5),
    ],
)
def test_texts_become_units(text: str, scale: int, expected: int) -> None:
    """Zeros, exponents and signs in every spelling."""
    assert units(text, scale) == expected


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "nan", "inf", "1e400", "0x10", "1,5", "٣"])
def test_what_is_no_number_is_refused(text: str) -> None:
    """Whatever float() would have made of it."""
    with pytest.raises(ValueError, match="expected a decimal number"):
        units(text, 8)


def test_what_is_finer_is_refused() -> None:
    """Nothing is rounded."""
    with pytest.raises(ValueError, match=r"expected at most 2 decimals, found '1\.234'"):
        units("1.234", 2)


@given(st.integers(1, 10**6), st.integers(0, 8), st.lists(st.integers(0, 10**9), min_size=1))
def test_the_grid_found_divides_every_number(step: int, scale: int, counts: list[int]) -> None:
    """It is the coarsest: counted on it the numbers have no common divisor, and they come back."""
    size = Decimal(step).scaleb(-scale)
    texts = [f"{n * size:f}" for n in counts]
    finder = GridFinder()
    for text in texts:
        finder.ticks(text)
        finder.lots(text)
    assert finder.tick == finder.lot
    on_grid = GridNumbers(instrument(tick_size=finder.tick, lot_size=finder.lot))
    steps = [on_grid.ticks(text) for text in texts]
    assert [n * finder.tick for n in steps] == [Decimal(text) for text in texts]
    if any(counts):
        other = GridFinder()
        for n in steps:
            other.ticks(str(n))
        assert other.tick == 1


@pytest.mark.parametrize("text", ["100.005", "100.0000001", "0.015"])
def test_off_the_grid_is_refused(text: str) -> None:
    """With the grid and the number; again when it is met again."""
    numbers = GridNumbers(instrument())
    for _ in range(2):
        with pytest.raises(ValueError, match=r"expected a multiple of tick 0\.01, found " + text):
            numbers.ticks(text)
    assert numbers.ticks("100.01") == 10_001
