"""The compiled number scan against Decimal: exact, or odd."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.binance_spot import number_scan
from adapters.binance_spot.plain_number import ODD
from mmd.jit.kernel import bind

BUF = np.zeros(128, np.uint8)
price = bind(number_scan.price, BUF, 0, 0, 0)
size = bind(number_scan.size, BUF, 0, 0, 0)
integer = bind(number_scan.integer, BUF, 0)


def put(text: str) -> np.ndarray:
    """The text with a zero byte after it, as the scan sees a frame."""
    raw = text.encode()
    BUF[: len(raw)] = list(raw)
    BUF[len(raw)] = 0
    return BUF


DECIMALS = st.from_regex(r"[0-9]{1,10}(\.[0-9]{0,10})?", fullmatch=True)
GRIDS = st.sampled_from([(0, 1), (2, 1), (2, 5), (8, 1), (0, 10), (3, 25)])


@given(text=DECIMALS, grid=GRIDS)
@example(text="61837.63000000", grid=(2, 1))
@example(text="5", grid=(8, 1))
@example(text="0.00000000", grid=(2, 1))
def test_price_is_the_exact_number_of_ticks_or_odd(text, grid) -> None:
    """Every digit counts; what is no whole tick is not rounded."""
    scale, step = grid
    ticks = Decimal(text) / (Decimal(step).scaleb(-scale))
    value, end = price(put(f'"{text}"'), 0, scale, step)
    if ticks == int(ticks) and len(text.split(".")[0]) + scale <= 18:
        assert (value, end) == (int(ticks), len(text) + 2)
    else:
        assert end == ODD


@given(text=DECIMALS, grid=GRIDS)
@example(text="93.75658700", grid=(5, 1))
@example(text="0.00000001", grid=(5, 1))
def test_size_is_rounded_down_to_lots_but_never_to_nothing(text, grid) -> None:
    """Less than a lot is one lot, nothing is nothing."""
    scale, step = grid
    lots = Decimal(text) / (Decimal(step).scaleb(-scale))
    expected = max(int(lots), int(lots > 0))
    assert size(put(f'"{text}"'), 0, scale, step) == (expected, len(text) + 2)


@pytest.mark.parametrize(
    "text",
    [
        '"-1"',
        '"+1"',
        '"1e5"',
        '" 1"',
        '"1 "',
        '""',
        '".5"',
        '"1',
        "1",
        '"1_0"',
        '"1.2.3"',
        '"12345678901234567"',
        '"0x1"',
    ],
)
def test_other_spellings_are_odd(text) -> None:
    """Sign, exponent, space, no digits, no quotes, too many digits: for the exact path to judge."""
    assert price(put(text), 0, 2, 1)[1] == ODD
    assert size(put(text), 0, 2, 1)[1] == ODD


def test_more_zeros_than_any_venue_writes_are_odd() -> None:
    """Forty characters are enough for a number."""
    assert price(put('"1.' + "0" * 60 + '"'), 0, 2, 1)[1] == ODD


@given(value=st.integers(0, 10**18 - 1))
def test_integer_is_exact(value) -> None:
    """All of up to 18 digits."""
    assert integer(put(f"{value},"), 0) == (value, len(str(value)))


@pytest.mark.parametrize("text", ["01", "-1", "", "1" * 19, '"1"', "x"])
def test_integer_that_json_or_int64_does_not_have_is_odd(text) -> None:
    """Leading zero, sign, nothing, too long, text."""
    assert integer(put(text), 0)[1] == ODD


def test_integer_stops_at_the_first_other_character() -> None:
    """What follows is the caller's."""
    assert integer(put("12.5"), 0) == (12, 2)
