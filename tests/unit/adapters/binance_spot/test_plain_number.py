"""What is read eight bytes at a time is what is read digit by digit, or is left to that."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.binance_spot import plain_number
from adapters.binance_spot.plain_number import ODD, PLACES
from mmd.jit.kernel import bind, kernel

AT = 9
"""Where the digits begin."""
BUF = np.zeros(128, np.uint8)


@kernel
def _read(buf, guess: int, unit: int) -> tuple[int, int]:
    digits = plain_number.digits_at(buf, AT, guess)
    return plain_number.plain_number(buf, AT, digits, unit, 1.0 / max(unit, 1))


READ = bind(_read, BUF, 0, 0)


def read(text: str, guess: int, unit: int) -> tuple[int, int]:
    """A quoted number between others, as in a frame."""
    raw = f'["5.00",{text}"],'.encode()
    BUF[:] = 0
    BUF[: len(raw)] = list(raw)
    return READ(BUF, guess, unit)


@given(
    whole=st.integers(0, 9_999_999),
    places=st.integers(0, 10**8 - 1) | st.integers(0, 99).map(lambda n: n * 10**6),
    unit=st.sampled_from([1, 5, 10**3, 10**6, 25 * 10**5, 10**8, 10**10]),
    guess=st.integers(1, 7),
)
@example(whole=9_999_999, places=99_999_999, unit=1, guess=1)
@example(whole=0, places=0, unit=10**6, guess=7)
def test_a_whole_multiple_is_read_exactly_and_nothing_else(whole, places, unit, guess) -> None:
    """Whatever was guessed of where the point is."""
    text = f"{whole}.{places:08d}"
    units = Decimal(text).scaleb(PLACES) / unit
    found = read(f'"{text}', guess, unit)
    if units == int(units):
        assert found == (int(units), AT + len(text) + 1)
    else:
        assert found[1] == ODD


@pytest.mark.parametrize(
    "text",
    [
        "12345678.00000000",
        "1.0",
        "1.000000000",
        "1",
        "1e5.0000000",
        "1.0000:000",
        "-1.00000000",
        ".00000000",
    ],
)
def test_other_spellings_are_left_to_the_scan(text: str) -> None:
    """Too long, too short, or not of digits."""
    assert read(f'"{text}', 1, 1)[1] == ODD


def test_a_step_finer_than_the_places_is_none() -> None:
    """Its unit is 0; of the numbers only nothing is a multiple of that."""
    assert read('"5.00000000', 1, 0)[1] == ODD
    assert read('"0.00000000', 1, 0)[0] == 0
