"""Avellaneda-Stoikov: the formula, its horizon, and what it refuses."""

import math
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mmd.core.quoting import avellaneda_stoikov
from mmd.core.quoting.record import NO_HORIZON, OK, OUT_OF_RANGE, QUOTE
from mmd.jit.kernel import Rec, bind, new

QuoteOf = Callable[..., Rec]
CAPPED = avellaneda_stoikov.new_horizon(capped=True)
OPEN = avellaneda_stoikov.new_horizon(capped=False)
OFFSETS = bind(avellaneda_stoikov.offsets, new(QUOTE), OPEN)
PAPER = {"sigma": 2.0, "gamma": 0.1, "rate": 140.0, "decay": 1.5}


def test_total_spread_and_reservation_price_are_the_papers(quote_of: QuoteOf) -> None:
    """Spread gamma*sigma^2*tau + (2/gamma)*ln(1 + gamma/k), centre mid - q*gamma*sigma^2*tau."""
    quote = quote_of(**PAPER, inventory=3.0, tau_s=0.25)
    assert OFFSETS(quote, OPEN) == OK
    assert quote["offset"].sum() == pytest.approx(0.1 * 4 * 0.25 + 20 * math.log(1 + 0.1 / 1.5))
    assert quote["skew"].item() == pytest.approx(-3 * 0.1 * 4 * 0.25)


def test_horizon_is_capped_where_the_expansion_ends(quote_of: QuoteOf) -> None:
    """tau = min(T - t, 1/(2*sqrt(alpha*eta))): far from the close the quote stops widening."""
    alpha = 1.5 * 0.1 * 4 / 2
    eta = 140 * (1 + 0.1 / 1.5) ** -16.0
    cap = 1 / (2 * math.sqrt(alpha * eta))
    far, near = (quote_of(**PAPER, inventory=1.0, tau_s=tau) for tau in (100.0, cap / 2))
    assert OFFSETS(far, CAPPED) == OFFSETS(near, CAPPED) == OK
    assert far["skew"].item() == pytest.approx(-0.4 * cap)
    assert near["skew"].item() == pytest.approx(-0.2 * cap)


def test_at_the_close_only_the_intensity_term_is_left(quote_of: QuoteOf) -> None:
    """With no time left inventory carries no risk in the model."""
    quote = quote_of(**PAPER, inventory=5.0, tau_s=0.0)
    assert OFFSETS(quote, CAPPED) == OK
    assert quote["skew"].item() == 0.0
    assert quote["offset"][0, 0] == pytest.approx(math.log1p(0.1 / 1.5) / 0.1)


@pytest.mark.parametrize("tau_s", [-1.0, math.nan, math.inf])
def test_no_horizon_is_refused(quote_of: QuoteOf, tau_s: float) -> None:
    """A market that never closes has no tau."""
    assert OFFSETS(quote_of(**PAPER, tau_s=tau_s), CAPPED) == NO_HORIZON


@pytest.mark.parametrize("field", ["gamma", "rate", "decay", "sigma", "inventory"])
def test_unusable_input_is_refused(quote_of: QuoteOf, field: str) -> None:
    """NaN never becomes a price."""
    assert OFFSETS(quote_of(**(PAPER | {field: math.nan}), tau_s=1.0), CAPPED) == OUT_OF_RANGE


def test_no_volatility_has_no_cap(quote_of: QuoteOf) -> None:
    """sigma 0 divides nothing by zero."""
    quote = quote_of(**(PAPER | {"sigma": 0.0}), tau_s=1.0, inventory=1.0)
    assert OFFSETS(quote, CAPPED) == OK
    assert quote["skew"].item() == 0.0


@given(
    st.floats(0.01, 5.0),
    st.floats(1.0, 3.0),
    st.floats(0.01, 2.0),
    st.floats(0.05, 3.0),
    st.floats(0.1, 9.0),
)
def test_spread_widens_with_volatility_and_with_risk_aversion(
    sigma: float, factor: float, gamma: float, decay: float, tau_s: float
) -> None:
    """Always with sigma; with gamma once sigma^2*tau >= 1/k^2, below which its second term falls faster."""
    quote = new(QUOTE)
    fields = {"sigma": sigma, "gamma": gamma, "decay": decay, "rate": 1.0, "tau_s": tau_s}
    for name, value in fields.items():
        quote[name] = value
    assert OFFSETS(quote, OPEN) == OK
    width = quote["offset"].sum()
    quote["sigma"] = sigma * factor
    assert OFFSETS(quote, OPEN) == OK
    assert quote["offset"].sum() >= width - 1e-9
    assume(sigma**2 * tau_s >= 1.0 / decay**2)
    quote["sigma"], quote["gamma"] = sigma, gamma * factor
    assert OFFSETS(quote, OPEN) == OK
    assert quote["offset"].sum() >= width - 1e-9


def test_seconds_to_close_wraps_at_the_close() -> None:
    """The close itself is 0 s away, a nanosecond later it is a day less that."""
    noon_ns = 20_000 * avellaneda_stoikov.DAY_S * 10**9 + 12 * 3600 * 10**9
    assert avellaneda_stoikov.seconds_to_close(noon_ns, 12 * 3600) == 0.0
    assert avellaneda_stoikov.seconds_to_close(noon_ns, 13 * 3600) == 3600.0
    assert avellaneda_stoikov.seconds_to_close(noon_ns, 11 * 3600) == 23 * 3600.0
    assert avellaneda_stoikov.seconds_to_close(noon_ns + 1, 12 * 3600) == pytest.approx(86_400.0)
