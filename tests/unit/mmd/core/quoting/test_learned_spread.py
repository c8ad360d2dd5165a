"""The learned half spread leans on the optimum within bounds, and is the optimum where there is none."""

import pytest

from mmd.core.quoting import glft
from mmd.core.quoting.learned_spread import NARROWEST, WIDEST
from mmd.core.quoting.record import OK, QuoteSettings, new_quote
from mmd.core.quoting.spread_models import SpreadSettings, spread_model
from mmd.jit.kernel import Rec


def market(inventory: float) -> Rec:
    """A quote's inputs on an ordinary market."""
    quote = new_quote(QuoteSettings(unit_lots=100))
    quote["fair"] = quote["mid"] = 10_000.0
    quote["sigma"], quote["gamma"] = 3.0, 0.01
    quote["rate"], quote["decay"] = (0.6, 0.4), (0.3, 0.25)
    quote["inventory"], quote["inventory_ratio"] = inventory, inventory / 40.0
    return quote


@pytest.mark.parametrize("inventory", [0.0, 4.0, -9.0])
@pytest.mark.parametrize(
    ("ratio", "weight", "wanted"),
    [
        (1.2, 0.5, 1.1),
        (1.2, 1.0, 1.2),
        (9.0, 0.5, WIDEST),
        (0.1, 1.0, NARROWEST),
        (1.2, 0.0, 1.0),
        (0.0, 0.7, 1.0),
        (float("nan"), 0.7, 1.0),
    ],
)
def test_half_spreads_are_mixed_within_bounds(
    ratio: float, weight: float, wanted: float, inventory: float
) -> None:
    """Each side of its own flat optimum; inventory adds what it adds there, and nothing learned changes no bit."""
    model, optimum = (
        spread_model("learned", SpreadSettings()),
        spread_model("glft", SpreadSettings()),
    )
    flat, plain, quote = market(0.0), market(inventory), market(inventory)
    assert optimum.offsets(flat) == optimum.offsets(plain) == OK
    optimal = flat["offset"][0].copy()
    for side in range(2):
        quote["learned_half"], quote["learned_weight"] = ratio * optimal[side], weight
        assert model.offsets(quote) == OK
        assert quote["offset"][0, side] == pytest.approx(
            plain["offset"][0, side] + (wanted - 1.0) * optimal[side]
        )
    assert quote["skew"][0] == plain["skew"][0]
    if wanted == 1.0:
        assert quote["offset"].tobytes() == plain["offset"].tobytes()


def test_a_market_that_glft_cannot_price_is_not_quoted() -> None:
    """The last rung: quotes are pulled, whatever the trees say."""
    quote = market(4.0)
    quote["gamma"], quote["learned_half"], quote["learned_weight"] = float("nan"), 5.0, 1.0
    model = spread_model("learned", SpreadSettings())
    assert model.offsets(quote) == glft.OUT_OF_RANGE
