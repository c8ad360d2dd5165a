"""Whatever the market: what every spread model promises, through its own targets kernel."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.market.features import FEATURES
from mmd.core.market.volatility import VOLATILITY
from mmd.core.quoting.intensity import INTENSITY
from mmd.core.quoting.record import ASK, BID, OK, QuoteSettings, new_quote
from mmd.core.quoting.spread_models import SpreadModel, SpreadSettings, spread_model
from mmd.jit.kernel import Rec, new

CLOSING = 3_600
FIXED = SpreadSettings(fixed_half_spread_bps=5.0)
MODELS: dict[str, SpreadModel] = {
    "fixed": spread_model("fixed", FIXED),
    "avellaneda_stoikov": spread_model("avellaneda_stoikov", SpreadSettings(close_s=0)),
    "glft": spread_model("glft", SpreadSettings()),
    "glft closed": spread_model("glft", SpreadSettings(glft_form="closed")),
    "ho_stoll linear": spread_model("ho_stoll", SpreadSettings()),
    "ho_stoll components": spread_model("ho_stoll", SpreadSettings(ho_stoll_form="components")),
    "dynamic": spread_model("dynamic", SpreadSettings()),
    "learned": spread_model("learned", SpreadSettings()),
}
WIDENS_WITH_GAMMA = ("ho_stoll linear", "ho_stoll components")
"""Elsewhere ln(1 + gamma/k)/gamma falls with gamma faster than the cost of risk grows, in a calm market."""
PLAIN = QuoteSettings(unit_lots=100, levels=1, half_spread_ticks_min=0.0, half_spread_ticks_max=1e9)

sigmas = st.floats(0.01, 8.0)
rates = st.floats(0.01, 50.0)
decays = st.floats(0.02, 3.0)
gammas = st.floats(1e-4, 2.0)
factors = st.floats(1.0, 4.0)
models = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())


class Market:
    """One model's records: inputs by name, targets out."""

    def __init__(self, model: SpreadModel) -> None:
        self.quote = new_quote(PLAIN)
        self.features, self.vol, self.intensity = new(FEATURES), new(VOLATILITY), new(INTENSITY)
        self.quote["tau_s"] = CLOSING
        self.quote["learned_half"], self.quote["learned_weight"] = 3.0, 0.5
        self._model = model
        self._targets = model.bind_targets(self.quote, self.features, self.vol, self.intensity)

    def set(self, sigma: float, rate: float, decay: float, gamma: float) -> "Market":
        """The estimates; the mid stays at 10,000 and the market two ticks wide."""
        self.features["mid"] = self.features["centre"] = 10_000.0
        self.features["x"][0, 0] = 2.0
        self.vol["sigma"], self.quote["gamma"] = sigma, gamma
        self.intensity["rate"], self.intensity["decay"] = rate, decay
        return self

    def width(self) -> float:
        """Total spread of a flat account before rounding."""
        assert self._targets(0, 1_000, 0.0, 9_999, 10_001) == OK
        return float(self.quote["offset"][0].sum())

    def edges(self, position_lots: int) -> tuple[float, float]:
        """Bid and ask before rounding."""
        assert self._targets(position_lots, 1_000, 0.0, 9_999, 10_001) == OK
        quote = self.quote[0]
        centre = float(quote["fair"] + quote["skew"])
        return centre - float(quote["offset"][BID]), centre + float(quote["offset"][ASK])

    def targets(self, position_lots: int, bid: int, ask: int) -> tuple[Rec, Rec]:
        """Prices of both sides, best first."""
        assert self._targets(position_lots, 1_000, 0.0, bid, ask) == OK
        quote = self.quote[0]
        bids, asks = (quote["px"][side, : quote["n"][side]] for side in (BID, ASK))
        return bids, asks


@models
@given(sigmas, rates, decays, gammas, factors)
def test_more_volatility_is_never_a_narrower_quote(
    model: SpreadModel, sigma: float, rate: float, decay: float, gamma: float, factor: float
) -> None:
    """Of a flat account; the fixed spread does not care."""
    calm = Market(model).set(sigma, rate, decay, gamma).width()
    wild = Market(model).set(sigma * factor, rate, decay, gamma).width()
    assert wild >= calm * (1.0 - 1e-9)


@pytest.mark.parametrize("name", WIDENS_WITH_GAMMA)
@given(sigmas, rates, decays, gammas, factors)
def test_a_dealer_who_dislikes_risk_more_quotes_wider(
    name: str, sigma: float, rate: float, decay: float, gamma: float, factor: float
) -> None:
    """Where risk is a term of its own."""
    model = MODELS[name]
    bold = Market(model).set(sigma, rate, decay, gamma).width()
    timid = Market(model).set(sigma, rate, decay, gamma * factor).width()
    assert timid >= bold * (1.0 - 1e-9)


@pytest.mark.parametrize("name", ["glft", "glft closed", "avellaneda_stoikov"])
@given(rates, decays, gammas)
def test_without_volatility_risk_aversion_narrows_the_optimal_quotes(
    name: str, rate: float, decay: float, gamma: float
) -> None:
    """What is left is ln(1 + gamma/k)/gamma a side: the fear of not being filled at all."""
    model = MODELS[name]
    bold = Market(model).set(0.0, rate, decay, gamma).width()
    timid = Market(model).set(0.0, rate, decay, 2.0 * gamma).width()
    assert timid < bold


@models
@given(sigmas, rates, decays, gammas, st.integers(-900, 900), st.integers(1, 100))
def test_more_inventory_lowers_both_quotes(
    model: SpreadModel,
    sigma: float,
    rate: float,
    decay: float,
    gamma: float,
    lots: int,
    more: int,
) -> None:
    """The widest misprint in the literature is the sign of one of the two."""
    market = Market(model).set(sigma, rate, decay, gamma)
    bid, ask = market.edges(lots)
    lower_bid, lower_ask = market.edges(lots + more)
    assert lower_bid <= bid
    assert lower_ask <= ask


@models
@settings(deadline=None)
@given(
    sigmas,
    rates,
    decays,
    gammas,
    st.integers(-2_000, 2_000),
    st.integers(9_000, 11_000),
    st.integers(1, 500),
)
def test_no_quote_crosses(
    model: SpreadModel,
    sigma: float,
    rate: float,
    decay: float,
    gamma: float,
    lots: int,
    bid: int,
    spread: int,
) -> None:
    """Neither the market, wherever it stands relative to fair value, nor our own other side."""
    market = Market(model).set(sigma, rate, decay, gamma)
    bids, asks = market.targets(lots, bid, bid + spread)
    assert all(price < bid + spread for price in bids)
    assert all(price > bid for price in asks)
    if len(bids) > 0 and len(asks) > 0:
        assert bids[0] < asks[0]


def test_the_market_of_these_tests_is_the_engines() -> None:
    """Fair value is where features say it is."""
    market = Market(MODELS["fixed"]).set(0.3, 1.0, 0.3, 0.01)
    market.features["centre"] = 10_000.4
    bid, ask = market.edges(0)
    assert (bid + ask) / 2 == pytest.approx(10_000.4)
