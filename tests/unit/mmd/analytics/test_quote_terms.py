"""The terms of a quote come to the price that was quoted, for every model and whatever binds."""

import msgspec
import pytest

from mmd.analytics.quote_terms import target_prices
from mmd.core.events import FundingRate
from mmd.core.quoting.multipliers import Cause
from mmd.core.units import Side
from mmd.exchange.presets import DEFAULT
from tests.simulated_worlds import scenario

RESTLESS = msgspec.structs.replace(DEFAULT, sigma_bps=2.0, jump_rate=0.1)


class _Seen:
    """Looks at every target right after each decision."""

    def __init__(self, at) -> None:
        self.targets = 0
        self.names: set[str] = set()
        self._decisions = 0
        self._check = at.trader.on_settled
        at.trader.on_settled = self._on_settled

    def _on_settled(self, trader):
        self._check(trader)
        if trader.decisions == self._decisions:
            return
        self._decisions = trader.decisions
        maker = trader.engine.makers[0]
        for target in target_prices(maker, trader.engine.spec.quoting):
            self.targets += 1
            self._look_at(target)

    def _look_at(self, target):
        terms = {t.name: t.ticks for t in target.terms}
        self.names |= terms.keys()
        assert target.is_exact, target
        assert sum(terms.values()) == pytest.approx(target.price_ticks, abs=1e-6)
        sign = Side[target.side].sign
        assert -1e-6 <= -sign * terms["rounding"] < 1.0  # outwards, by less than a tick
        for limit in ("post-only", "a tick apart"):
            assert (
                sign * terms.get(limit, 0.0) <= 0.0
            )  # a limit only ever takes a quote away from the other side


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({}, {"c1 = ln(1+gamma/k)/gamma", "inventory risk", "inventory skew", "level spacing"}),
        (
            {
                "quoting__forecast": "flow",
                "quoting__flow_coefficient": "0.001",
                "quoting__smoothing_s": "2",
            },
            {"forecast", "smoothing"},
        ),
        (
            {
                "quoting__spread_model": "fixed",
                "quoting__fixed_half_spread_bps": "0.1",
                "quoting__quote_inside_break_even": "true",
                "quoting__fixed_skew_half_spreads": "60",
                "quoting__level_spacing_bps": "0",
            },
            {"fixed half spread", "post-only", "a tick apart"},
        ),
        (
            {"quoting__spread_model": "avellaneda_stoikov", "quoting__close_utc": "00:10"},
            {"c1 = ln(1+gamma/k)/gamma", "risk to the close"},
        ),
        ({"quoting__spread_bps_max": "3"}, {"largest half spread"}),
        ({"quoting__spread_model": "ho_stoll"}, {"1/k", "risk of a fill"}),
        (
            {"quoting__spread_model": "ho_stoll", "quoting__ho_stoll_form": "components"},
            {"processing cost", "inventory cost"},
        ),
        ({"quoting__spread_model": "dynamic"}, {"dynamic half spread"}),
    ],
)
def test_terms_sum_to_the_target_exactly(overrides, expected):
    """Recomputed from the terms, every price is the recorded one, and the terms that matter are named."""
    at = scenario(seed=3, preset=RESTLESS, **overrides)
    seen = _Seen(at)
    at.world.run(15.0)
    assert seen.targets > 300
    assert expected <= seen.names


def test_multipliers_are_terms_of_their_own():
    """Wider and more skewed than the model says: the explanation says by how much."""
    at = scenario(seed=3)
    at.world.run(5.0)
    multipliers = at.trader.engine.makers[0].quoter.multipliers
    multipliers.set(Cause.POSITION_AGE, spread=1.5, skew=2.0)
    seen = _Seen(at)
    at.world.run(2.0)
    assert "spread multipliers" in seen.names


@pytest.mark.parametrize("model", ["glft", "fixed"])
def test_funding_is_a_term_of_the_model_that_leans_on_it(model):
    """The skew with the drift less the skew without it; only the optimal models lean."""
    at = scenario(seed=3, quoting__spread_model=model)
    at.world.run(5.0)
    eight_hours_ns = 8 * 3_600 * 10**9
    at.trader.on_event(FundingRate(at.world.agenda.now_ns, 0, 5_000_000, eight_hours_ns, 0))
    seen = _Seen(at)
    at.world.run(2.0)
    assert seen.targets > 30
    assert ("funding drift" in seen.names) is (model == "glft")


def test_a_missing_term_shows():
    """Where the ladder did something that the terms do not know, the price is not claimed to be explained."""
    at = scenario()
    at.world.run(5.0)
    maker, spec = at.trader.engine.makers[0], at.trader.engine.spec.quoting
    while maker.quoter.quote["n"][0, 0] == 0:
        at.world.run(0.1)
    maker.quoter.quote["px"][0, 0, 0] -= 1
    assert not target_prices(maker, spec)[0].is_exact
