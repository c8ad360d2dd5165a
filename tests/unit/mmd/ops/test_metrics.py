"""The scrape: it parses, is named by the rules, and agrees with the state."""

import math
import re

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from mmd.core.events import RejectReason
from mmd.core.notices import NoticeKind
from mmd.core.quoting.quote_state import QuoteReason, QuoteState
from mmd.core.risk.levels import RiskLevel
from mmd.core.risk.reasons import LevelReason, RiskReason
from mmd.core.units import Side
from mmd.ops.metrics import StateCollector
from mmd.ops.state import SourcesState, State
from mmd.shell.driver import STAGES
from tests.ops_state import cold, quoting, state_of

CLOSED = {
    "venue": {"embedded"},
    "instrument": {"MMDUSDT"},
    "stage": set(STAGES),
    "version": {"test", "0.1.0"},
    "environment": {"embedded"},
    "ladder_level": {"0", "1", "2"},
    "level": {level.name for level in RiskLevel},
    "reason": {
        r.name for kind in (RiskReason, QuoteReason, LevelReason, RejectReason) for r in kind
    },
    "limit": {
        f"{scope}_{kind}" for scope in ("exposure", "venue", "asset") for kind in ("gross", "net")
    }
    | {"position", "open_orders", "loss", "drawdown", "order_to_trade"}
    | {"orders_10s", "orders_86400s", "request_weight_60s"},
    "state": {s.name for s in QuoteState},
    "side": {s.name for s in Side},
    "source": set(SourcesState.__struct_fields__),
    "kind": {kind.name for kind in NoticeKind},
    "horizon": {"0.1s", "0.5s", "1s", "5s", "10s", "30s", "60s", "300s"},
}


def scrape(state: State) -> dict[str, Metric]:
    """Families by name, from the text that a scraper gets."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StateCollector(lambda: state))
    families = list(text_string_to_metric_families(generate_latest(registry).decode()))
    named = {family.name: family for family in families}
    assert len(named) == len(families), "a family twice"
    return named


@pytest.fixture(params=[cold, quoting])
async def state(request: pytest.FixtureRequest) -> State:
    """Before anything is known, and while quoting with a fill."""
    return state_of(request.param())


async def test_families_are_named_by_the_rules_and_say_what_they_are(state: State) -> None:
    """mmd_<noun>_<unit>, counters end in _total, every family has a text."""
    families = scrape(state)
    assert len(families) > 30
    for name, family in families.items():
        assert re.fullmatch(r"mmd_[a-z_]+", name), name
        assert family.documentation, name
        assert family.type in ("counter", "gauge", "histogram"), name
        if family.type == "counter":
            assert {s.name for s in family.samples} <= {f"{name}_total", f"{name}_created"}


async def test_labels_come_from_closed_sets(state: State) -> None:
    """A label that could take any value would make series without end."""
    for family in scrape(state).values():
        seen: set[tuple] = set()
        for sample in family.samples:
            for label, value in sample.labels.items():
                if label != "le":
                    assert value in CLOSED[label], (sample.name, label, value)
            key = (sample.name, *sorted(sample.labels.items()))
            assert key not in seen, f"{key} twice"
            seen.add(key)


async def test_values_are_the_states(state: State) -> None:
    """Spot checks over the kinds of families; what is unknown is absent, never 0."""
    families, (row,) = scrape(state), state.instruments
    value = {name: family.samples[0].value for name, family in families.items() if family.samples}
    assert value["mmd_orders_sent"] == row.orders_sent
    assert value["mmd_fills"] == row.fills
    assert value["mmd_feed_messages"] == row.book.messages
    assert value["mmd_ready"] == state.ready
    assert value["mmd_journal_records"] == state.journal_records
    assert value["mmd_position_base"] == pytest.approx(float(row.position))
    assert ("mmd_mid_price" in value) == (row.mid is not None)
    assert value.get("mmd_mid_price") == row.mid
    levels = {s.labels["level"]: s.value for s in families["mmd_risk_level"].samples}
    assert levels == {level.name: level.name == state.risk_level for level in RiskLevel}
    (quote,) = families["mmd_quote_state"].samples
    assert (quote.labels["state"], quote.labels["reason"]) == (row.quote_state, row.reason)
    for family in families.values():
        assert all(math.isfinite(s.value) for s in family.samples), family.name


async def test_sources_add_up_to_the_pnl() -> None:
    """Fees count against the rest."""
    state = state_of(quoting())
    samples = scrape(state)["mmd_pnl_source_quote"].samples
    total = sum(i.pnl_total for i in state.instruments)
    assert math.isclose(sum(s.value for s in samples), total, abs_tol=1e-9)
    assert any(s.value != 0.0 for s in samples)
