"""Every spread model is found by name and keeps the protocol's promises."""

import math
from collections.abc import Callable

import pytest

from mmd.core.quoting.record import NOT_FINITE, OK
from mmd.core.quoting.spread_models import NAMES, SpreadModel, SpreadSettings, spread_model
from mmd.errors import ConfigError
from mmd.jit.kernel import Rec

QuoteOf = Callable[..., Rec]
SETTINGS = SpreadSettings(fixed_half_spread_ticks=4.0, close_s=0)
MODELS = {name: spread_model(name, SETTINGS) for name in NAMES} | {
    "glft closed": spread_model("glft", SpreadSettings(glft_form="closed")),
    "ho_stoll components": spread_model("ho_stoll", SpreadSettings(ho_stoll_form="components")),
    "ho_stoll without a close": spread_model("ho_stoll", SpreadSettings()),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_flat_is_symmetric_and_long_lowers_both_quotes(
    quote_of: QuoteOf, model: SpreadModel
) -> None:
    """Skew is 0 when flat, negative when long, and mirrored when short."""
    skews = []
    for inventory in (-4.0, 0.0, 4.0):
        quote = quote_of(inventory=inventory, inventory_ratio=inventory / 10, tau_s=60.0)
        assert model.offsets(quote) == OK
        assert quote["offset"][0, 0] == pytest.approx(quote["offset"][0, 1])
        assert quote["offset"].min() > 0.0
        skews.append(quote["skew"].item())
    assert skews[1] == 0.0
    assert skews[2] < 0.0
    assert skews[0] == pytest.approx(-skews[2])


@pytest.mark.parametrize("name", NAMES)
def test_a_model_answers_to_its_name(name: str) -> None:
    """The name in the configuration is the name in reports."""
    assert MODELS[name].name == name


def test_fixed_half_spread_in_bps_follows_the_mid(quote_of: QuoteOf) -> None:
    """5 bps of 20000 ticks are 10 ticks; at the limit the skew is the configured share of them."""
    model = spread_model(
        "fixed", SpreadSettings(fixed_half_spread_bps=5.0, fixed_skew_half_spreads=0.5)
    )
    quote = quote_of(mid=20_000.0, inventory_ratio=1.0)
    assert model.offsets(quote) == OK
    assert quote["offset"][0].tolist() == pytest.approx([10.0, 10.0])
    assert quote["skew"].item() == pytest.approx(-5.0)


def test_fixed_refuses_a_mid_that_is_not_a_number(quote_of: QuoteOf) -> None:
    """No NaN price comes out of the simplest model either."""
    model = spread_model("fixed", SpreadSettings(fixed_half_spread_bps=5.0))
    assert model.offsets(quote_of(mid=math.nan)) == NOT_FINITE


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("fixed", SpreadSettings(), "set exactly one"),
        (
            "fixed",
            SpreadSettings(fixed_half_spread_ticks=1.0, fixed_half_spread_bps=1.0),
            "exactly one",
        ),
        ("fixed", SpreadSettings(fixed_half_spread_ticks=-1.0), "above 0"),
        ("avellaneda_stoikov", SpreadSettings(), "close_s=None"),
        ("avellaneda_stoikov", SpreadSettings(close_s=86_400), "close_s=86400"),
        ("glft", SpreadSettings(glft_q_max=1), "glft_q_max"),
        (
            "gltf",
            SpreadSettings(),
            "choose from fixed, avellaneda_stoikov, glft, ho_stoll, dynamic",
        ),
    ],
)
def test_impossible_settings_are_refused(name: str, settings: SpreadSettings, message: str) -> None:
    """The message says what is missing."""
    with pytest.raises(ConfigError, match=message):
        spread_model(name, settings)


@pytest.mark.parametrize("name", ["glft_form", "ho_stoll_form"])
def test_a_form_that_there_is_not_is_refused(name: str) -> None:
    """The message names the setting and the forms."""
    with pytest.raises(ConfigError, match=f"{name} is 'cubic', expected .* or "):
        SpreadSettings(**{name: "cubic"})  # type: ignore[arg-type]


def test_the_closed_form_is_not_the_table(quote_of: QuoteOf) -> None:
    """Choosing a form changes the kernel: far from flat they differ by a visible part of a tick."""
    exact, closed = (
        spread_model("glft", SpreadSettings(glft_form=form)) for form in ("exact", "closed")
    )
    bids = []
    for model in (exact, closed):
        quote = quote_of(sigma=1.0, rate=0.2, inventory=-10.0)
        assert model.offsets(quote) == OK
        bids.append(quote["offset"][0, 0] - quote["skew"][0])
    assert bids == pytest.approx([-1.0722, -1.2799], abs=5e-5)
