"""The page of metrics is what the collector says, and the collector keeps Prometheus' own rules."""

import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from mmd.ops.example_state import example_state
from mmd.ops.metrics import StateCollector
from mmd.ops.metrics_reference import families, reference, unit_of

PAGE = Path(__file__).parents[4] / "docs" / "metrics.md"


def test_the_page_is_current() -> None:
    """Run `make docs` where it is not."""
    assert PAGE.read_text() == reference()


def test_every_family_has_a_sample_where_everything_is_on() -> None:
    """Else its labels would be missing from the page, and checks of dashboards would not know it."""
    assert [f.name for f in families() if not f.samples] == []


def test_units_are_told_by_the_end_of_the_name() -> None:
    """A few of them."""
    units = {family.name: unit_of(family) for family in families()}
    assert units["mmd_half_spread_bps"] == "basis points"
    assert units["mmd_tick_to_order_seconds"] == "seconds"
    assert units["mmd_equity"] == "reporting currency"
    assert units["mmd_fills"] == ""


def test_promtool_finds_nothing_to_say() -> None:
    """Names, types, labels and texts."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: apt install prometheus)")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StateCollector(example_state))
    checked = subprocess.run(
        [promtool, "check", "metrics"],
        input=generate_latest(registry),
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (checked.returncode, checked.stderr.decode()) == (0, "")
