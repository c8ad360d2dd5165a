"""Alert rules: each fires on its fault and none on a healthy daemon, by promtool; each is explained and knows its metrics."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from mmd.guardian.metrics import GuardianFigures, exposition
from mmd.ops.metrics_reference import families
from tests.prometheus_expressions import selected
from tests.unit.deploy.alert_cases import CASES, HEALTHY, INSTANCE

DEPLOY = Path(__file__).parents[3] / "deploy"
RULES = DEPLOY / "prometheus/rules"
RUNBOOKS = Path(__file__).parents[3] / "docs/runbooks.md"
OUTSIDE = {"up"}
"""Metrics that are Prometheus' own."""


def rules(name: str) -> list[dict[str, Any]]:
    groups = yaml.safe_load((RULES / name).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in rules("alerts.yml")}
RECORDED = {rule["record"]: rule for rule in rules("recording.yml")}


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        package = {"promtool": "prometheus", "amtool": "prometheus-alertmanager"}[name]
        pytest.skip(f"{name} is not installed (Debian: apt install {package})")
    return found


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run(
        [tool("promtool"), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def known_samples() -> set[str]:
    """Names of samples that a daemon with everything on shows, and a guardian that stands alone."""
    alone = text_string_to_metric_families(exposition(GuardianFigures(True, 0, 0, 0)))
    return {sample.name for family in (*families(), *alone) for sample in family.samples}


def test_every_alert_has_a_case_and_a_runbook() -> None:
    """And the other way round: nothing is explained or tested that is not there."""
    assert CASES.keys() == ALERTS.keys()
    sections = re.findall(r"^### (\w+)$", RUNBOOKS.read_text(), re.MULTILINE)
    assert sections == list(ALERTS)
    for name, rule in ALERTS.items():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["runbook"] == f"docs/runbooks.md#{name.lower()}"


@pytest.mark.parametrize("name", [*ALERTS, *RECORDED])
def test_what_a_rule_asks_for_exists(name: str) -> None:
    """Every metric of every rule is one that the daemon shows, or one that another rule records."""
    rule = ALERTS.get(name) or RECORDED[name]
    there = known_samples() | RECORDED.keys() | OUTSIDE
    asked = {one.metric for one in selected(rule["expr"])}
    assert asked
    assert asked <= there


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_case_changes_a_metric_that_its_alert_asks_for(name: str) -> None:
    """Else it would fire, or not, for another reason; recorded metrics stand for what they are made of."""
    asked = {one.metric for one in selected(ALERTS[name]["expr"])}
    for recorded in asked & RECORDED.keys():
        asked |= {one.metric for one in selected(RECORDED[recorded]["expr"])}
    assert {series.split("{")[0] for series in CASES[name].series} <= asked


def test_rules_and_configuration_are_well_formed() -> None:
    """By Prometheus' own tool."""
    promtool("check", "config", DEPLOY / "prometheus/prometheus.yml")
    promtool("check", "rules", *sorted(RULES.glob("*.yml")))


def test_the_example_route_is_well_formed() -> None:
    """By Alertmanager's own tool."""
    path = DEPLOY / "alertmanager/alertmanager.yml"
    done = subprocess.run(
        [tool("amtool"), "check-config", path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_fires_on_its_fault_and_none_without(tmp_path: Path) -> None:
    """Exactly the expected ones: of many daemons each has one fault, laid over the series of a healthy one."""
    moments = sorted({case.at for case in CASES.values()})
    path = tmp_path / "cases.yml"
    files = [str(p) for p in sorted(RULES.glob("*.yml"))]
    path.write_text(
        yaml.safe_dump(
            {
                "rule_files": files,
                "evaluation_interval": "1m",
                "tests": [_moment(at) for at in moments],
            }
        )
    )
    promtool("test", "rules", path)


def _moment(at: str) -> dict[str, Any]:
    """One test for promtool: every case that is looked at then, and a healthy daemon beside them."""
    cases = {name: case for name, case in CASES.items() if case.at == at}
    firing = [(alert, name) for name, case in cases.items() for alert in (name, *case.also)]
    daemons = {name: HEALTHY | case.series for name, case in cases.items()} | {"healthy": HEALTHY}
    return {
        "name": f"after {at}",
        "interval": "1m",
        "input_series": [
            {"series": series.replace(INSTANCE, name), "values": values}
            for name, laid_over in daemons.items()
            for series, values in laid_over.items()
        ],
        "promql_expr_test": [
            {
                "expr": 'group by (alertname, instance) (ALERTS{alertstate="firing"})',
                "eval_time": at,
                "exp_samples": [
                    {"labels": f'{{alertname="{alert}", instance="{name}"}}', "value": 1}
                    for alert, name in firing
                ],
            }
        ],
    }
