"""Inventory, volatility and size skew: signs, bounds and mirrors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.quoting import skew
from mmd.core.quoting.record import QUOTE, QuoteSettings, new_quote
from mmd.jit.kernel import Rec, bind, kernel, new


@kernel
def _volatility_skew(quote: Rec) -> float:
    return skew.volatility_skew(quote[0])


@kernel
def _side_lots(quote: Rec, side: int) -> float:
    return skew.side_lots(quote[0], side)


LINEAR = bind(skew.linear_skew, 1.0, 1.0)
VOLATILITY = bind(_volatility_skew, new(QUOTE))
SIDE_LOTS = bind(_side_lots, new(QUOTE), 0)
ratios = st.floats(-2.0, 2.0)


@given(ratios, st.floats(0.0, 100.0))
def test_linear_skew_is_odd_and_bounded(ratio: float, ticks: float) -> None:
    """Long lowers, short raises, and past the limit it goes no further."""
    value = LINEAR(ratio, ticks)
    assert value == -LINEAR(-ratio, ticks)
    assert abs(value) <= ticks
    assert value * ratio <= 0.0
    if abs(ratio) <= 1.0:
        assert value == pytest.approx(-ratio * ticks)


def test_volatility_skew_counts_only_the_excess() -> None:
    """2 sqrt(s) times an excess of 1.5 ticks/sqrt(s) at half the limit: -1.5 ticks."""
    quote = new_quote(QuoteSettings(unit_lots=1, volatility_skew=2.0))
    quote["inventory_ratio"], quote["sigma"], quote["sigma_slow"] = 0.5, 2.5, 1.0
    assert VOLATILITY(quote) == pytest.approx(-1.5)
    quote["sigma"] = 0.9
    assert VOLATILITY(quote) == 0.0
    quote["sigma"], quote["volatility_skew"] = np.nan, 0.0
    assert VOLATILITY(quote) == 0.0


@given(ratios, st.integers(1, 1000))
def test_size_skew_is_mirrored_and_never_below_the_minimum(ratio: float, unit: int) -> None:
    """Long shrinks the bid by as much as it grows the ask; short the other way round."""
    quote = new_quote(QuoteSettings(unit_lots=unit))
    quote["inventory_ratio"] = ratio
    bid, ask = SIDE_LOTS(quote, 0), SIDE_LOTS(quote, 1)
    bounded = max(-1.0, min(1.0, ratio))
    assert bid == pytest.approx(max(unit * (1 - bounded), 1.0))
    assert ask == pytest.approx(max(unit * (1 + bounded), 1.0))
    quote["size_skew"] = 0
    assert SIDE_LOTS(quote, 0) == SIDE_LOTS(quote, 1) == unit
