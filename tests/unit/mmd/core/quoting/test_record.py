"""The QUOTE record and its settings, and that the stages agree compiled and interpreted."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from mmd.core.quoting.record import LEVELS_MAX, QUOTE, QuoteSettings, new_quote
from mmd.errors import ConfigError

CHAIN = """
import json
from mmd.core.quoting.avellaneda_stoikov import new_horizon
from mmd.core.quoting import avellaneda_stoikov, dynamic_spread, fair_value, glft, ho_stoll, intensity
from mmd.core.quoting import ladder, risk_aversion
from mmd.core.quoting.record import QuoteSettings, new_quote
from mmd.jit.kernel import bind, new

out = []
quote = new_quote(QuoteSettings(unit_lots=100, volatility_skew=2.0))
table, horizon, no_table = glft.new_table(40), new_horizon(capped=True), new(glft.NO_TABLE)
dealer, dynamic = new(ho_stoll.HO_STOLL), new(dynamic_spread.DYNAMIC)
dealer["has_close"], dealer["processing_fraction"] = 1, 1e-4
dynamic["width"], dynamic["inventory_widening"], dynamic["activity_exponent"] = 1.2, 0.5, 0.7
dynamic["skew_half_spreads"], quote["fee"], quote["adverse_cost"] = 1.0, 0.3, 0.4
fit = intensity.new_intensity(intensity.IntensitySettings(prior_rate=1.0, prior_decay=0.5))
expose, fill = bind(intensity.expose, fit, 0, 1.5, 1.0, 1.0), bind(intensity.fill, fit, 0, 1.5)
step, set_gamma = bind(intensity.step, fit), bind(risk_aversion.set_gamma, quote, 3.0)
fair = bind(fair_value.fair_value, quote, 1.0, 1.0, 1.0)
models = [
    lambda: bind(glft.offsets, quote, table)(quote, table),
    lambda: bind(glft.closed_form, quote, no_table)(quote, no_table),
    lambda: bind(ho_stoll.linear_offsets, quote, dealer)(quote, dealer),
    lambda: bind(ho_stoll.component_offsets, quote, dealer)(quote, dealer),
    lambda: bind(dynamic_spread.offsets, quote, dynamic)(quote, dynamic),
    lambda: bind(avellaneda_stoikov.offsets, quote, horizon)(quote, horizon),
]
build_ladder = bind(ladder.ladder, quote, 1, 2)
for i in range(-25, 26):
    status = [expose(fit, i % 2, 0.3 * abs(i), 4.0, 0.5), fill(fit, i % 2, 0.3 * abs(i)), step(fit)]
    for side in range(2):
        quote["rate"][0, side], quote["decay"][0, side] = fit["rate"][0, side], fit["decay"][0, side]
    quote["inventory"], quote["inventory_ratio"] = 0.4 * i, i / 25.0
    quote["sigma"], quote["sigma_slow"], quote["tau_s"] = 0.2 + 0.01 * i * i, 1.0, 30.0 + i
    quote["drift"], quote["impact"] = 0.001 * i, 0.01 * (i + 25)
    quote["adverse_ratio"], quote["activity"] = 0.01 * abs(i), 1.0 + 0.03 * i
    status += [set_gamma(quote, 2.5), fair(quote, 1000.25, 3.0, 0.1 * i)]
    for model in models:
        status += [model(), build_ladder(quote, 998 + i % 3, 1002 + i % 2)]
        n = [int(k) for k in quote["n"][0]]
        out.append([*map(int, status), *n])
        out += [quote["px"][0, s, : n[s]].tolist() + quote["sz"][0, s, : n[s]].tolist() for s in (0, 1)]
        out.append([quote["fair"].item(), quote["skew"].item(), quote["gamma"].item()])
        out.append(quote["offset"][0].tolist() + fit["rate"][0].tolist() + fit["decay"][0].tolist())
print(json.dumps(out))
"""


def _run_chain(*, disable_jit: bool) -> list[list[float]]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHAIN],
        env=os.environ | {"NUMBA_DISABLE_JIT": str(int(disable_jit))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows: list[list[float]] = json.loads(done.stdout)
    return rows


def test_every_stage_gives_the_same_quotes_compiled_and_interpreted() -> None:
    """Integers are equal and floats agree to rounding over the range of inventories."""
    compiled, plain = _run_chain(disable_jit=False), _run_chain(disable_jit=True)
    assert len(compiled) == len(plain) == 51 * 6 * 5
    for a, b in zip(compiled, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)


def test_a_new_quote_allows_both_sides_without_scaling() -> None:
    """Parameters come from the settings, switches are on, and no side is limited in size."""
    quote = new_quote(QuoteSettings(unit_lots=7, levels=2, half_spread_ticks_min=1.5))
    assert (quote["unit_lots"][0], quote["levels"][0], quote["half_spread_min"][0]) == (7, 2, 1.5)
    assert quote["allow_bid"][0] == quote["allow_ask"][0] == quote["size_skew"][0] == 1
    assert quote["spread_multiplier"][0] == quote["skew_multiplier"][0] == 1.0
    assert quote["room_lots"].min() > 2**60
    assert quote["px"].shape == (1, 2, LEVELS_MAX)


def test_field_names_do_not_shadow_array_attributes() -> None:
    """A field named as an ndarray attribute would read differently compiled and interpreted."""
    assert QUOTE.names is not None
    assert not [name for name in QUOTE.names if hasattr(np.ndarray, name)]


@pytest.mark.parametrize(
    "change",
    [
        {"levels": 0},
        {"levels": LEVELS_MAX + 1},
        {"lots_min": 0},
        {"unit_lots": 4, "lots_min": 5},
        {"size_decay": 1.1},
        {"half_spread_ticks_min": 3.0, "half_spread_ticks_max": 2.0},
        {"level_spacing_ticks": float("nan")},
        {"skew_growth": -0.1},
    ],
)
def test_settings_that_no_ladder_can_be_built_from_are_refused(change: dict[str, float]) -> None:
    """The message names the setting and what was found."""
    name = next(iter(change))
    with pytest.raises(ConfigError, match=r"is .*, expected .* to "):
        QuoteSettings(**({"unit_lots": 100} | change))  # type: ignore[arg-type]
    assert name in QuoteSettings.__struct_fields__
