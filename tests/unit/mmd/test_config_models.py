"""Strategies are made of a spread model, a forecast and a policy; what contradicts them is refused."""

import pytest
from pydantic import ValidationError

from mmd.config_bandit import BanditSection
from mmd.config_models import ModelsSection
from mmd.config_quoting import QuotingSection
from mmd.config_trials import TrialsSection
from mmd.core.learned.models_spec import ModelsSpec


@pytest.mark.parametrize(
    ("strategy", "spread_model", "is_on", "forecast", "weight", "policy", "bandit"),
    [
        ("custom", "glft", False, False, 0.0, False, False),
        ("rule_based", "dynamic", False, False, 0.0, False, False),
        ("glft", "glft", False, False, 0.0, False, False),
        ("q_learning", "glft", True, False, 0.0, True, False),
        ("lstm_q", "glft", True, True, 0.0, True, False),
        ("full", "learned", True, True, 0.5, True, True),
    ],
)
def test_each_strategy_is_made_of_its_parts(
    strategy: str,
    spread_model: str,
    is_on: bool,
    forecast: bool,
    weight: float,
    policy: bool,
    bandit: bool,
) -> None:
    """As docs/models.md says."""
    quoting = QuotingSection(strategy=strategy)
    assert quoting.spec().spread_model == spread_model
    spec = ModelsSection().spec(quoting)
    assert (spec.enabled, spec.uses_forecast, spec.spread_weight) == (is_on, forecast, weight)
    assert (spec.uses_policy, spec.bandit is not None) == (policy, bandit)


def test_parts_can_be_chosen_one_by_one() -> None:
    """A forecast with any spread model; shadow predicts for nobody; without either there is nothing to know."""
    assert ModelsSection(folder="elsewhere").spec(QuotingSection()) == ModelsSpec()
    alone = ModelsSection().spec(QuotingSection(forecast="lstm"))
    assert alone == ModelsSpec(
        enabled=True, folder="var/models", uses_forecast=True, late_bars=3, watches_drift=True,
        forecast_rate_bps=5.0, spread_rate_bps=5.0,
        trials=TrialsSection().spec(), demotion=TrialsSection().demotion(),
    )  # fmt: skip
    online = ModelsSection().spec(QuotingSection(forecast="online"))
    assert online.is_online
    assert online.uses_forecast
    shadow = ModelsSection(shadow=True, bar_ms=3_000).spec(QuotingSection())
    assert shadow == ModelsSpec(
        enabled=True, folder="var/models", bar_ns=3_000_000_000, late_bars=3,
        forecast_rate_bps=5.0, spread_rate_bps=5.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("section", "settings", "said"),
    [
        (BanditSection, {"arms": ((2.0, 0.0),)}, "first arm"),
        (BanditSection, {"arms": ((1.0, 0.0), (9.0, 0.0))}, "gamma_factor"),
        (BanditSection, {"arms": ((1.0, 0.0), (1.0, 0.0))}, "twice"),
        (BanditSection, {"horizon_s": 2.0}, "expected one of"),
        (BanditSection, {"horizon_s": 30.0, "hold_s": 10.0}, "at least horizon_s"),
        (TrialsSection, {"horizon_s": 2.0}, "expected one of"),
        (TrialsSection, {"canary_size_ratio": 0.06}, "canary_size_ratio"),
    ],
)
def test_bounds_of_bandit_and_trials(
    section: type[BanditSection | TrialsSection], settings: dict[str, object], said: str
) -> None:
    """Nothing beyond what a model may ask for can be asked for in the settings."""
    with pytest.raises(ValidationError, match=said):
        section(**settings)


def test_what_is_off_is_not_there() -> None:
    """Full without bandit, champions that nobody takes out."""
    models = ModelsSection(bandit=BanditSection(enabled=False), trials=TrialsSection(demote=False))
    spec = models.spec(QuotingSection(strategy="full"))
    assert spec.bandit is None
    assert spec.demotion is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"strategy": "lstm_q", "forecast": "flow", "flow_coefficient": 0.1}, "forecast is lstm"),
        ({"strategy": "glft", "forecast": "flow", "flow_coefficient": 0.1}, "forecast is none"),
        ({"forecast": "lstm", "flow_coefficient": 0.1}, "flow_coefficient"),
    ],
)
def test_contradictions_are_refused(settings: dict[str, object], said: str) -> None:
    """With what was found and what to do."""
    with pytest.raises(ValidationError, match=said):
        QuotingSection(**settings)
