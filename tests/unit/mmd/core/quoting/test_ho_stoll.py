"""The dealer's quotes against the formulas of both forms, and what does not depend on inventory."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.quoting import ho_stoll
from mmd.core.quoting.record import NO_HORIZON, OK, OUT_OF_RANGE, QUOTE
from mmd.jit.kernel import Rec, bind, new

QuoteOf = Callable[..., Rec]
OPEN, CLOSING = new(ho_stoll.HO_STOLL), new(ho_stoll.HO_STOLL)
CLOSING["has_close"] = 1
LINEAR = bind(ho_stoll.linear_offsets, new(QUOTE), OPEN)
COMPONENTS = bind(ho_stoll.component_offsets, new(QUOTE), OPEN)


def _sides(quote: Rec) -> tuple[float, float]:
    """Distances a and b of ask and bid from fair value, as the paper writes them."""
    skew = quote["skew"].item()
    return quote["offset"][0, 1].item() + skew, quote["offset"][0, 0].item() - skew


@pytest.mark.parametrize("inventory", [-3.0, 0.0, 2.0])
def test_linear_form_is_the_papers(quote_of: QuoteOf, inventory: float) -> None:
    """a = alpha/2beta + (Q - 2I)*gamma*sigma^2*tau/4 with Q = 1; alpha/beta of the tangent is 2/k."""
    quote = quote_of(inventory=inventory, sigma=0.5, gamma=0.02, decay=0.4, tau_s=2.0)
    assert LINEAR(quote, CLOSING) == OK
    risk = 0.02 * 0.5**2 * 2.0
    alpha_over_2_beta = 1 / 0.4
    a, b = _sides(quote)
    assert a == pytest.approx(alpha_over_2_beta + (1 - 2 * inventory) * risk / 4)
    assert b == pytest.approx(alpha_over_2_beta + (1 + 2 * inventory) * risk / 4)
    assert a + b == pytest.approx(2 * alpha_over_2_beta + risk / 2)
    assert quote["skew"].item() == pytest.approx(-inventory * risk / 2)


def test_the_tangent_meets_the_intensity_where_it_earns_most() -> None:
    """alpha - beta*delta = A*exp(-k*delta) at 1/k with the same slope, so alpha/(2 beta) = 1/k earns most on both."""
    rate, k = 0.7, 0.4
    alpha, beta = 2 * rate / math.e, rate * k / math.e
    assert alpha - beta / k == pytest.approx(rate * math.exp(-1))
    assert -beta == pytest.approx(-k * rate * math.exp(-1))
    assert alpha / (2 * beta) == pytest.approx(1 / k)


def test_horizon_is_capped_where_the_optimum_settles(quote_of: QuoteOf) -> None:
    """Far from the close, and without one, tau is 1/(2*sqrt(alpha*eta))."""
    k, gamma, sigma, rate = 1.5, 0.1, 2.0, 140.0
    alpha = k * gamma * sigma**2 / 2
    eta = rate * (1 + gamma / k) ** -(1 + k / gamma)
    risk = gamma * sigma**2 / (2 * math.sqrt(alpha * eta))
    fields = {"sigma": sigma, "gamma": gamma, "rate": rate, "decay": k, "inventory": 1.0}
    for dealer in (OPEN, CLOSING):
        quote = quote_of(**fields, tau_s=1e5)
        assert LINEAR(quote, dealer) == OK
        assert quote["skew"].item() == pytest.approx(-0.5 * risk)


def test_components_add_up(quote_of: QuoteOf) -> None:
    """Half spread = inventory + fee + processing + adverse selection; all of the risk goes to the midpoint."""
    dealer = new(ho_stoll.HO_STOLL)
    dealer["has_close"], dealer["processing_fraction"] = 1, 1e-4
    quote = quote_of(
        mid=20_000.0, sigma=0.5, gamma=0.02, tau_s=2.0, inventory=3.0, fee=0.75, adverse_cost=10.0
    )
    assert COMPONENTS(quote, dealer) == OK
    risk = 0.02 * 0.5**2 * 2.0
    assert quote["offset"][0].tolist() == pytest.approx([risk / 2 + 0.75 + 2.0 + 10.0] * 2)
    assert quote["skew"].item() == pytest.approx(-3.0 * risk)


@given(st.floats(-50.0, 50.0), st.floats(0.01, 5.0), st.floats(1e-4, 1.0), st.floats(0.05, 3.0))
def test_total_spread_does_not_depend_on_inventory(
    inventory: float, sigma: float, gamma: float, decay: float
) -> None:
    """Only the midpoint moves."""
    quote = new(QUOTE)
    fields = {"sigma": sigma, "gamma": gamma, "decay": decay, "rate": 1.0}
    for name, value in fields.items():
        quote[name] = value
    for kernel in (LINEAR, COMPONENTS):
        widths = []
        for held in (0.0, inventory):
            quote["inventory"] = held
            assert kernel(quote, OPEN) == OK
            widths.append(sum(_sides(quote)))
        assert widths[0] == pytest.approx(widths[1], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("kernel", [LINEAR, COMPONENTS])
def test_no_volatility_is_no_risk(quote_of: QuoteOf, kernel: Callable[[Rec, Rec], int]) -> None:
    """Also without a close, where the settling time grows without bound."""
    quote = quote_of(sigma=0.0, inventory=9.0)
    assert kernel(quote, OPEN) == OK
    assert quote["skew"].item() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("kernel", [LINEAR, COMPONENTS])
@pytest.mark.parametrize("tau_s", [-1.0, math.nan, math.inf])
def test_a_close_that_is_no_time_is_refused(
    quote_of: QuoteOf, kernel: Callable[[Rec, Rec], int], tau_s: float
) -> None:
    """Where there is no close tau_s is not read."""
    assert kernel(quote_of(tau_s=tau_s), CLOSING) == NO_HORIZON
    assert kernel(quote_of(tau_s=tau_s), OPEN) == OK


@pytest.mark.parametrize("kernel", [LINEAR, COMPONENTS])
@pytest.mark.parametrize("field", ["gamma", "rate", "decay", "sigma", "inventory"])
def test_unusable_input_is_refused(
    quote_of: QuoteOf, kernel: Callable[[Rec, Rec], int], field: str
) -> None:
    """NaN never becomes a price."""
    assert kernel(quote_of(**{field: math.nan}), OPEN) == OUT_OF_RANGE
