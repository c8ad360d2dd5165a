"""One kernel does what the three stages do one after the other, to the bit, and stops where one of them would."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.market.features import FEATURES
from mmd.core.market.volatility import VOLATILITY
from mmd.core.quoting.inputs import OFI_5S, prepare
from mmd.core.quoting.intensity import INTENSITY
from mmd.core.quoting.ladder import ladder
from mmd.core.quoting.record import CROSSED, NOT_FINITE, OK, QUOTE, QuoteSettings, new_quote
from mmd.core.quoting.spread_models import NAMES, SpreadModel, SpreadSettings, spread_model
from mmd.jit.kernel import Rec, bind, new

SETTINGS = SpreadSettings(fixed_half_spread_ticks=4.0, close_s=0)
MODELS = {name: spread_model(name, SETTINGS) for name in NAMES} | {
    "glft closed": spread_model("glft", SpreadSettings(glft_form="closed")),
    "ho_stoll components": spread_model("ho_stoll", SpreadSettings(ho_stoll_form="components")),
}
_RECORDS = tuple(new(dtype) for dtype in (QUOTE, FEATURES, VOLATILITY, INTENSITY))
PREPARE = bind(prepare, *_RECORDS, 0, 0, 0.0)
LADDER = bind(ladder, _RECORDS[0], 0, 0)


def _market(mid: float, spread: float, sigma: float) -> tuple[Rec, Rec, Rec]:
    """Features, volatility and (A, k) of a market with some order flow."""
    features, vol, intensity = new(FEATURES), new(VOLATILITY), new(INTENSITY)
    features["mid"], features["centre"] = mid, mid + 0.2
    features["x"][0, [0, OFI_5S]] = spread, 30.0
    vol["sigma"] = sigma
    intensity["rate"], intensity["decay"] = 0.9, 0.3
    return features, vol, intensity


def _quote() -> Rec:
    quote = new_quote(QuoteSettings(unit_lots=100))
    quote["gamma"], quote["tau_s"] = 0.01, 60.0
    quote["adverse_cost"], quote["adverse_ratio"], quote["activity"] = 0.5, 0.3, 1.4
    quote["learned_half"], quote["learned_weight"] = 4.0, 0.5
    return quote


def _stage_by_stage(model: SpreadModel, quote: Rec, market: tuple[Rec, Rec, Rec], lots: int) -> int:
    return (
        PREPARE(quote, *market, lots, 1_000, 0.01)
        or model.offsets(quote)
        or LADDER(quote, 999, 1_001)
    )


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
@given(
    mid=st.sampled_from([1_000.0, 1_000.5, math.nan]),
    sigma=st.floats(0.0, 5.0),
    lots=st.integers(-1_500, 1_500),
)
def test_targets_are_those_of_the_stages(
    model: SpreadModel, mid: float, sigma: float, lots: int
) -> None:
    """Status and record are the same, byte for byte, also where the market is unknown."""
    market, together, apart = _market(mid, 2.0, sigma), _quote(), _quote()
    status = model.bind_targets(together, *market)(lots, 1_000, 0.01, 999, 1_001)
    assert status == _stage_by_stage(model, apart, market, lots)
    assert status == (NOT_FINITE if math.isnan(mid) else OK)
    assert together.tobytes() == apart.tobytes()


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_a_crossed_market_has_no_targets(model: SpreadModel) -> None:
    """The ladder's refusal comes through."""
    quote = _quote()
    targets = model.bind_targets(quote, *_market(1_000.0, 2.0, 0.3))
    assert targets(0, 1_000, 0.0, 999, 1_001) == OK
    assert quote["n"].min() > 0
    assert targets(0, 1_000, 0.0, 1_001, 1_001) == CROSSED
    assert quote["n"].max() == 0


def test_each_model_has_a_kernel_of_its_own() -> None:
    """Different models put different distances between the quotes."""
    distances: list[float] = []
    for model in MODELS.values():
        quote = _quote()
        model.bind_targets(quote, *_market(1_000.0, 2.0, 0.3))(0, 1_000, 0.0, 999, 1_001)
        distances.append(float(quote["offset"][0].sum()))
    assert len(set(distances)) == len(MODELS)
