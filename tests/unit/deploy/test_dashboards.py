"""Dashboards: what is checked in is what the code makes, and every expression parses and asks for what there is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.generate import FOLDER, encoded, pages
from deploy.grafana.page import COLUMNS
from mmd.core.risk.levels import RiskLevel
from mmd.ops.metrics_reference import families
from tests.prometheus_expressions import plain, selected

RULES = Path(__file__).parents[3] / "deploy/prometheus/rules/recording.yml"
OURS = "mmd"
UIDS = [page.uid for page in pages()]
LEVELS = {level.name for level in RiskLevel}


def dashboard(uid: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{uid}.json").read_text())


def expressions(board: dict[str, Any]) -> Iterator[str]:
    """Of all panels, annotations and variables."""
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (a["expr"] for a in board["annotations"]["list"] if "expr" in a)


def known() -> dict[str, set[str]]:
    """Samples that a daemon with everything on shows, with their labels; recorded ones with any."""
    found: dict[str, set[str]] = {}
    for family in families():
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize("page", pages(), ids=UIDS)
def test_checked_in_json_is_current(page: Any) -> None:
    """Run `make docs` where it is not."""
    assert (FOLDER / f"{page.uid}.json").read_text() == encoded(page)


@pytest.mark.parametrize("uid", UIDS)
def test_every_key_survives_a_round_trip(uid: str) -> None:
    """Through the library's own model of a dashboard: nothing is there that Grafana does not know."""
    source = dashboard(uid)
    assert json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(source))) == source


@pytest.mark.parametrize("uid", UIDS)
def test_every_expression_parses_and_asks_for_what_there_is(uid: str) -> None:
    """Metrics of the daemon or of a recording rule, by labels that they have."""
    labels = known()
    groups = yaml.safe_load(RULES.read_text())["groups"]
    recorded = {rule["record"] for group in groups for rule in group["rules"]}
    for expression in expressions(dashboard(uid)):
        for metric, matchers in selected(plain(expression)):
            if not metric.startswith(OURS):
                continue
            assert metric in labels or metric in recorded, metric
            if metric in labels:
                assert {name for name, _, _ in matchers} <= labels[metric], expression


@pytest.mark.parametrize("uid", UIDS)
def test_every_panel_is_explained(uid: str) -> None:
    """Title, description, unit, legend; panels do not overlap and stay on the page."""
    taken: set[tuple[int, int]] = set()
    for panel in dashboard(uid)["panels"]:
        assert panel["title"]
        assert len(panel["description"]) > 5, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        if panel["type"] == "timeseries":
            assert all(target["legendFormat"] for target in panel["targets"]), panel["title"]
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < COLUMNS
        taken |= cells


def test_titles_are_unlike_each_other() -> None:
    """Within each dashboard, so that one can speak of a panel."""
    for uid in UIDS:
        titles = [panel["title"] for panel in dashboard(uid)["panels"]]
        assert len(titles) == len(set(titles))


def test_every_dashboard_marks_fills_halts_and_swaps_and_can_be_narrowed() -> None:
    """By venue and by instrument."""
    for uid in UIDS:
        board = dashboard(uid)
        assert {a["name"] for a in board["annotations"]["list"]} >= {
            "Fills",
            "Halts",
            "Model swaps",
        }
        variables = {v["name"]: v for v in board["templating"]["list"]}
        assert variables.keys() == {"source", "venue", "instrument"}
        halts = next(a for a in board["annotations"]["list"] if a["name"] == "Halts")
        ((_, matchers),) = selected(halts["expr"])
        assert set(matchers[0][2].split("|")) <= LEVELS
