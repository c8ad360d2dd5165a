"""Fair value: microprice plus a bounded forecast."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.quoting import fair_value
from mmd.core.quoting.record import NOT_FINITE, OK, QUOTE
from mmd.jit.kernel import Rec, bind, new

FAIR = bind(fair_value.fair_value, new(QUOTE), 1.0, 1.0, 1.0)
QuoteOf = Callable[..., Rec]


@given(st.floats(1.0, 1e9), st.floats(0.0, 1e4), st.floats(-1e6, 1e6))
def test_forecast_moves_fair_by_at_most_a_quarter_spread(
    microprice: float, spread: float, forecast: float
) -> None:
    """Inside the bound the forecast counts in full, beyond it the bound does."""
    quote = new(QUOTE)
    assert FAIR(quote, microprice, spread, forecast) == OK
    move = max(-spread / 4, min(spread / 4, forecast))
    assert quote["fair"].item() == pytest.approx(microprice + move, rel=1e-15)


@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_a_number_leaves_fair_as_it_was(quote_of: QuoteOf, at: int, bad: float) -> None:
    """The status says that it is old."""
    quote, args = quote_of(fair=5.0), [100.0, 2.0, 0.1]
    args[at] = bad
    assert FAIR(quote, *args) == NOT_FINITE
    assert quote["fair"].item() == 5.0
