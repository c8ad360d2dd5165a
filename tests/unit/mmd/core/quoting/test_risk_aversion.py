"""Risk aversion from a target inventory sd."""

import math
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mmd.core.quoting import risk_aversion
from mmd.core.quoting.record import OK, OUT_OF_RANGE, QUOTE
from mmd.jit.kernel import Rec, bind, new

SD = bind(risk_aversion.stationary_sd, 1.0, 1.0, 1.0, 1.0)
GAMMA = bind(risk_aversion.gamma_for_sd, 1.0, 1.0, 1.0, 1.0)
SET_GAMMA = bind(risk_aversion.set_gamma, new(QUOTE), 1.0)
QuoteOf = Callable[..., Rec]
positive = st.floats(0.01, 100.0)


def test_sd_is_the_formula() -> None:
    """(eta/alpha)^(1/4)/sqrt(2) at Avellaneda and Stoikov's parameters."""
    eta, alpha = 140 * (1 + 0.1 / 1.5) ** -16.0, 1.5 * 0.1 * 4 / 2
    assert SD(0.1, 2.0, 140.0, 1.5) == pytest.approx((eta / alpha) ** 0.25 / math.sqrt(2))


@given(st.floats(0.3, 30.0), positive, positive, positive)
def test_gamma_gives_back_the_sd_it_was_chosen_for(
    sd: float, sigma: float, rate: float, decay: float
) -> None:
    """Round trip, wherever the answer lies inside the bounds."""
    gamma = GAMMA(sd, sigma, rate, decay)
    low, high = risk_aversion.GAMMA_OVER_DECAY_MIN, risk_aversion.GAMMA_OVER_DECAY_MAX
    assert low * 0.999 <= gamma / decay <= high * 1.001
    assume(low * 1.01 < gamma / decay < high / 1.01)
    assert SD(gamma, sigma, rate, decay) == pytest.approx(sd, rel=1e-9)


@given(st.floats(1e-6, 10.0), st.floats(1.01, 10.0), positive, positive, positive)
def test_more_risk_aversion_holds_less(
    gamma: float, factor: float, sigma: float, rate: float, decay: float
) -> None:
    """The sd falls strictly with gamma, which is what makes the inversion well posed."""
    assert SD(gamma * factor, sigma, rate, decay) < SD(gamma, sigma, rate, decay)


def test_an_unreachable_sd_stops_at_the_bounds() -> None:
    """A tiny target gives the largest gamma allowed, a huge one the smallest."""
    assert GAMMA(1e-6, 1.0, 1.0, 2.0) == pytest.approx(2.0 * risk_aversion.GAMMA_OVER_DECAY_MAX)
    assert GAMMA(1e6, 1.0, 1.0, 2.0) == pytest.approx(2.0 * risk_aversion.GAMMA_OVER_DECAY_MIN)


def test_set_gamma_uses_the_mean_of_both_sides(quote_of: QuoteOf) -> None:
    """One account has one risk aversion."""
    quote = quote_of()
    quote["rate"][0], quote["decay"][0] = (0.5, 1.5), (0.2, 0.4)
    assert SET_GAMMA(quote, 2.0) == OK
    assert quote["gamma"].item() == GAMMA(2.0, 0.3, 1.0, quote["decay"].mean().item())


@pytest.mark.parametrize("field", ["sigma", "rate", "decay"])
@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_set_gamma_keeps_the_last_value_on_unusable_input(
    quote_of: QuoteOf, field: str, bad: float
) -> None:
    """Before there is a volatility the configured gamma stands."""
    quote = quote_of(**{field: bad}, gamma=0.123)
    assert SET_GAMMA(quote, 2.0) == OUT_OF_RANGE
    assert quote["gamma"].item() == 0.123
