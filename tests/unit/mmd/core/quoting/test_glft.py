"""GLFT by table against a dense eigenvector, its symmetries, and its hooks."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.quoting import glft
from mmd.core.quoting.record import NOT_FINITE, OK, OUT_OF_RANGE, QUOTE
from mmd.errors import ConfigError
from mmd.jit.kernel import Rec, bind, new

Q = 40
TABLE = glft.new_table(Q)
NO_TABLE = new(glft.NO_TABLE)
OFFSETS = bind(glft.offsets, new(QUOTE), TABLE)
CLOSED = bind(glft.closed_form, new(QUOTE), NO_TABLE)
QuoteOf = Callable[..., Rec]


def _distances(quote: Rec) -> tuple[float, float]:
    """Half-spreads with skew, as the paper writes them."""
    assert OFFSETS(quote, TABLE) == OK
    skew = quote["skew"].item()
    return quote["offset"][0, 0].item() - skew, quote["offset"][0, 1].item() + skew


def _reference_bid(q: int, gamma: float, sigma: float, rate: float, decay: float) -> float:
    """The paper's formula with a dense symmetric eigensolver."""
    alpha = decay * gamma * sigma**2 / 2
    eta = rate * (1 + gamma / decay) ** -(1 + decay / gamma)
    units = np.arange(-Q, Q + 1)
    side = np.full(2 * Q, -eta)
    matrix = np.diag(alpha * units**2.0) + np.diag(side, 1) + np.diag(side, -1)
    v = np.abs(np.linalg.eigh(matrix)[1][:, 0])
    return math.log1p(gamma / decay) / gamma + math.log(v[q + Q] / v[q + Q + 1]) / decay


@pytest.mark.parametrize(
    ("sigma", "rate", "gamma"), [(0.3, 0.9, 0.01), (1.0, 0.2, 0.01), (3.0, 0.5, 0.2)]
)
@pytest.mark.parametrize("q", [-4, -1, 0, 1, 4])
def test_table_equals_a_dense_eigenvector(
    quote_of: QuoteOf, sigma: float, rate: float, gamma: float, q: int
) -> None:
    """Interpolation and the recursion cost less than 1e-5 ticks."""
    bid, ask = _distances(quote_of(sigma=sigma, rate=rate, gamma=gamma, inventory=q))
    assert bid == pytest.approx(_reference_bid(q, gamma, sigma, rate, 0.3), abs=1e-5)
    assert ask == pytest.approx(_reference_bid(-q, gamma, sigma, rate, 0.3), abs=1e-5)


def test_boundary_rows_are_those_of_the_limited_problem(quote_of: QuoteOf) -> None:
    """With a small Q the table knows that no fill can go beyond it."""
    table = glft.new_table(3)
    quote = quote_of(inventory=2, sigma=0.3)
    offsets = bind(glft.offsets, quote, table)
    assert offsets(quote, table) == OK
    alpha_over_eta = 0.3 * 0.01 * 0.3**2 / 2 / (0.9 * (1 + 0.01 / 0.3) ** -31.0)
    units = np.arange(-3, 4)
    matrix = np.diag(alpha_over_eta * units**2.0) - np.diag(np.ones(6), 1) - np.diag(np.ones(6), -1)
    v = np.abs(np.linalg.eigh(matrix)[1][:, 0])
    expected = math.log1p(0.01 / 0.3) / 0.01 + math.log(v[5] / v[6]) / 0.3
    bid = quote["offset"][0, 0] - quote["skew"][0]
    assert bid == pytest.approx(expected, abs=1e-5)


inventories = st.floats(-60.0, 60.0)
positive = st.floats(0.01, 5.0)


@given(inventories, positive, positive, positive)
def test_sides_mirror_each_other(q: float, sigma: float, rate: float, gamma: float) -> None:
    """The ask at q is the bid at -q, and skew is odd in inventory."""
    quote = new(QUOTE)
    for name, value in {"sigma": sigma, "rate": rate, "gamma": gamma, "decay": 0.3}.items():
        quote[name] = value
    quote["inventory"] = q
    bid, ask = _distances(quote)
    skew = quote["skew"].item()
    quote["inventory"] = -q
    assert _distances(quote) == pytest.approx((ask, bid), rel=1e-12, abs=1e-12)
    assert quote["skew"].item() == pytest.approx(-skew, rel=1e-12, abs=1e-12)


@given(st.floats(-50.0, 50.0), st.floats(0.01, 5.0), positive, positive, positive)
def test_more_inventory_leans_further(
    q: float, more: float, sigma: float, rate: float, gamma: float
) -> None:
    """Skew falls strictly with inventory, also beyond the table and between whole units."""
    quote = new(QUOTE)
    for name, value in {"sigma": sigma, "rate": rate, "gamma": gamma, "decay": 0.3}.items():
        quote[name] = value
    quote["inventory"] = q
    assert OFFSETS(quote, TABLE) == OK
    before = quote["skew"].item()
    quote["inventory"] = q + more
    assert OFFSETS(quote, TABLE) == OK
    assert quote["skew"].item() < before


@given(st.floats(0.01, 5.0), st.floats(1.0, 2.0), positive, positive)
def test_volatility_widens_the_quote(
    sigma: float, factor: float, rate: float, gamma: float
) -> None:
    """Total spread of a flat account does not fall with sigma."""
    quote = new(QUOTE)
    for name, value in {"sigma": sigma, "rate": rate, "gamma": gamma, "decay": 0.3}.items():
        quote[name] = value
    calm = sum(_distances(quote))
    quote["sigma"] = sigma * factor
    assert sum(_distances(quote)) >= calm - 1e-9


def test_sides_keep_their_own_width_when_flat(quote_of: QuoteOf) -> None:
    """Different A and k a side show as different offsets, not as skew."""
    quote = quote_of()
    quote["decay"][0] = 0.3, 0.6
    quote["rate"][0] = 0.9, 0.4
    assert OFFSETS(quote, TABLE) == OK
    assert quote["skew"].item() == 0.0
    bid, ask = quote["offset"][0].tolist()
    assert bid == pytest.approx(_reference_bid(0, 0.01, 0.3, 0.9, 0.3), abs=1e-5)
    assert ask == pytest.approx(_reference_bid(0, 0.01, 0.3, 0.4, 0.6), abs=1e-5)


def test_drift_is_inventory_not_held(quote_of: QuoteOf) -> None:
    """mu quotes as gamma*sigma^2*q = mu less inventory does: a rising price is worth being long for."""
    drifting = _distances(quote_of(inventory=5.0, drift=0.01 * 0.3**2 * 3.0))
    assert drifting == pytest.approx(_distances(quote_of(inventory=2.0)))


def test_impact_widens_and_steepens(quote_of: QuoteOf) -> None:
    """xi adds xi/2 a side and multiplies the closed form's c2 by exp(k*xi/4)."""
    plain, hit = quote_of(inventory=1.0), quote_of(inventory=1.0, impact=2.0)
    assert CLOSED(plain, NO_TABLE) == CLOSED(hit, NO_TABLE) == OK
    c2, c2_hit = -plain["skew"].item(), -hit["skew"].item()
    assert c2_hit == pytest.approx(c2 * math.exp(0.3 * 2.0 / 4.0))
    assert hit["offset"][0, 0] - plain["offset"][0, 0] == pytest.approx(1.0 + 0.5 * (c2_hit - c2))
    exact, exact_hit = quote_of(), quote_of(impact=2.0)
    assert sum(_distances(exact_hit)) > sum(_distances(exact)) + 2.0


def test_no_volatility_leaves_the_intensity_term(quote_of: QuoteOf) -> None:
    """At sigma 0 inventory costs nothing."""
    bid, ask = _distances(quote_of(sigma=0.0, inventory=7.0))
    assert bid == pytest.approx(math.log1p(0.01 / 0.3) / 0.01, abs=1e-6)
    assert ask == pytest.approx(bid, abs=1e-6)


@pytest.mark.parametrize(
    "field", ["sigma", "rate", "decay", "gamma", "inventory", "drift", "impact"]
)
def test_input_that_is_not_a_number_is_refused(quote_of: QuoteOf, field: str) -> None:
    """Both forms say so instead of writing a price."""
    for bad in (math.nan, math.inf):
        assert OFFSETS(quote_of(**{field: bad}), TABLE) == OUT_OF_RANGE
        assert CLOSED(quote_of(**{field: bad}), NO_TABLE) == OUT_OF_RANGE


@pytest.mark.parametrize("field", ["rate", "decay", "gamma"])
def test_zero_where_a_positive_input_is_needed_is_refused(quote_of: QuoteOf, field: str) -> None:
    """No division by zero reaches the result."""
    assert OFFSETS(quote_of(**{field: 0.0}), TABLE) == OUT_OF_RANGE


@pytest.mark.filterwarnings("ignore:.*encountered in scalar:RuntimeWarning")  # interpreted only
def test_a_result_beyond_floats_is_refused(quote_of: QuoteOf) -> None:
    """An absurd but finite impact overflows the closed form; the status says so."""
    assert CLOSED(quote_of(impact=1e4, inventory=1e300), NO_TABLE) == NOT_FINITE


@pytest.mark.parametrize("q_max", [1, glft.Q_CAPACITY + 1])
def test_table_size_out_of_range_is_refused(q_max: int) -> None:
    """The message names the setting."""
    with pytest.raises(ConfigError, match="glft_q_max"):
        glft.new_table(q_max)
