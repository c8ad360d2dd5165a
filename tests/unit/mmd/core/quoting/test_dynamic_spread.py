"""The dynamic spread: each factor as it is defined, and what it refuses."""

import math
from collections.abc import Callable

import pytest

from mmd.core.quoting import dynamic_spread
from mmd.core.quoting.dynamic_spread import ACTIVITY_MAX, ACTIVITY_MIN, DYNAMIC, LIFE_S_MAX
from mmd.core.quoting.record import NOT_FINITE, OK, OUT_OF_RANGE, QUOTE
from mmd.jit.kernel import Rec, bind, new

QuoteOf = Callable[..., Rec]
OFFSETS = bind(dynamic_spread.offsets, new(QUOTE), new(DYNAMIC))


def _parameters(**change: float) -> Rec:
    parameters = new(DYNAMIC)
    fields = {
        "width": 1.0,
        "inventory_widening": 0.5,
        "activity_exponent": 1.0,
        "skew_half_spreads": 1.0,
    }
    for name, value in (fields | change).items():
        parameters[name] = value
    return parameters


PLAIN = _parameters()


def _half(quote: Rec, parameters: Rec = PLAIN) -> float:
    assert OFFSETS(quote, parameters) == OK
    bid, ask = quote["offset"][0].tolist()
    assert bid == ask
    return float(bid)


def test_base_is_the_move_over_the_quotes_life(quote_of: QuoteOf) -> None:
    """sigma*sqrt(e/(A_bid + A_ask)), or over the life that is set, times the width."""
    quote = quote_of(sigma=0.3, rate=0.9)
    assert _half(quote) == pytest.approx(0.3 * math.sqrt(math.e / 1.8))
    assert _half(quote, _parameters(width=2.0, life_s=4.0)) == pytest.approx(2.0 * 0.3 * 2.0)


def test_life_has_a_bound(quote_of: QuoteOf) -> None:
    """A market in which nothing is ever filled does not widen the quote without end."""
    for rate in (1e-9, 0.0):
        assert _half(quote_of(sigma=0.3, rate=rate)) == pytest.approx(0.3 * math.sqrt(LIFE_S_MAX))


def test_factors_multiply(quote_of: QuoteOf) -> None:
    """(1 + adverse ratio)(1 + inventory ratio / 2) times the activity."""
    base = _half(quote_of())
    quote = quote_of(adverse_ratio=0.4, inventory_ratio=-0.6, activity=1.5)
    assert _half(quote) == pytest.approx(base * 1.4 * 1.3 * 1.5)
    assert quote["skew"].item() == pytest.approx(0.6 * base * 1.4 * 1.3 * 1.5)


@pytest.mark.parametrize(
    ("activity", "exponent", "factor"),
    [
        (4.0, 0.5, 2.0),
        (100.0, 1.0, ACTIVITY_MAX),
        (1e-6, 1.0, ACTIVITY_MIN),
        (4.0, -0.25, 0.5**0.5),
    ],
)
def test_activity_is_a_power_within_bounds(
    quote_of: QuoteOf, activity: float, exponent: float, factor: float
) -> None:
    """A burst of volume cannot do more than double or halve the spread."""
    parameters = _parameters(activity_exponent=exponent)
    plain, busy = _half(quote_of(), parameters), _half(quote_of(activity=activity), parameters)
    assert busy / plain == pytest.approx(factor)


def test_ratios_beyond_their_range_count_as_its_end(quote_of: QuoteOf) -> None:
    """An inventory over its limit widens as one at it does."""
    assert _half(quote_of(inventory_ratio=3.0)) == _half(quote_of(inventory_ratio=1.0))
    assert _half(quote_of(adverse_ratio=-1.0)) == _half(quote_of())


@pytest.mark.parametrize("field", ["sigma", "rate", "inventory_ratio", "adverse_ratio", "activity"])
def test_what_is_not_a_number_is_refused(quote_of: QuoteOf, field: str) -> None:
    """NaN never becomes a price."""
    assert OFFSETS(quote_of(**{field: math.nan}), PLAIN) == OUT_OF_RANGE


@pytest.mark.parametrize(("field", "value"), [("sigma", -1.0), ("activity", 0.0)])
def test_what_has_the_wrong_sign_is_refused(quote_of: QuoteOf, field: str, value: float) -> None:
    """Neither a negative volatility nor no activity at all."""
    assert OFFSETS(quote_of(**{field: value}), PLAIN) == OUT_OF_RANGE


def test_infinite_volatility_is_refused(quote_of: QuoteOf) -> None:
    """The result is no distance."""
    assert OFFSETS(quote_of(sigma=math.inf), PLAIN) == NOT_FINITE
