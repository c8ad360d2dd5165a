"""Strategies are made of a spread model, a forecast and a policy; what contradicts them is refused."""

import pytest
from pydantic import ValidationError

from mmd.config_models import ModelsSection
from mmd.config_quoting import QuotingSection
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
    assert (spec.uses_policy, spec.uses_bandit) == (policy, bandit)


def test_parts_can_be_chosen_one_by_one() -> None:
    """A forecast with any spread model; shadow predicts for nobody; without either there is nothing to know."""
    assert ModelsSection(folder="elsewhere").spec(QuotingSection()) == ModelsSpec()
    alone = ModelsSection().spec(QuotingSection(forecast="lstm"))
    assert alone == ModelsSpec(enabled=True, folder="var/models", uses_forecast=True)
    shadow = ModelsSection(shadow=True, bar_ms=3_000).spec(QuotingSection())
    assert shadow == ModelsSpec(enabled=True, folder="var/models", bar_ns=3_000_000_000)


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
