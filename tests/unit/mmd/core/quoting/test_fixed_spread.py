"""The same half-spread on both sides, and inventory moves both quotes together."""

from collections.abc import Callable

import pytest

from mmd.core.quoting import fixed_spread
from mmd.core.quoting.record import NOT_FINITE, OK, QUOTE
from mmd.jit.kernel import Rec, bind, new

OFFSETS = bind(fixed_spread.offsets, new(QUOTE), new(fixed_spread.FIXED))


@pytest.mark.parametrize(
    ("ratio", "skew"), [(0.0, 0.0), (0.5, -3.0), (1.0, -6.0), (7.0, -6.0), (-1.0, 6.0)]
)
def test_ticks_and_fraction_of_mid_add_up(
    quote_of: Callable[..., Rec], ratio: float, skew: float
) -> None:
    """2 ticks and 10 bps of 1000 ticks are 3; the skew ends at twice that, at the limit."""
    fixed = new(fixed_spread.FIXED)
    fixed["half_spread_ticks"], fixed["half_spread_fraction"] = 2.0, 1e-3
    fixed["skew_half_spreads"] = 2.0
    quote = quote_of(mid=1_000.0, inventory_ratio=ratio)
    assert OFFSETS(quote, fixed) == OK
    assert quote["offset"][0].tolist() == [3.0, 3.0]
    assert quote["skew"].item() == skew


def test_a_mid_that_is_not_a_number_is_refused(quote_of: Callable[..., Rec]) -> None:
    """A fraction of it is no distance."""
    fixed = new(fixed_spread.FIXED)
    fixed["half_spread_fraction"] = 1e-3
    assert OFFSETS(quote_of(mid=float("nan")), fixed) == NOT_FINITE
