"""`mmd models` lists, verifies and moves the pointers; what is damaged is refused with a code."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmd.cli.main import app
from mmd.errors import ArtefactError
from models import serving
from models.registry import Demotion
from models.serving import registry_at
from tests.trained_models import forest_artefact


@pytest.fixture(autouse=True)
def _nothing_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that come with mmd are not what is tested here."""
    monkeypatch.setattr(serving, "SHIPPED", tmp_path / "shipped")


def said(*arguments: str, folder: Path) -> object:
    """What a command prints as JSON."""
    asked = ["models", *arguments, "--folder", str(folder), "--json"]
    result = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_models_are_listed_promoted_and_rolled_back(tmp_path: Path) -> None:
    """One after the other, by the beginning of an id."""
    first, second = (forest_artefact(tmp_path, v).path.name for v in (2.0, 3.0))
    verified = said("verify", folder=tmp_path)
    assert (verified["verified"], verified["wrong"]) == (sorted([first, second]), {})
    assert all(0.0 < us < 1e4 for us in verified["us"].values())
    assert said("promote", first, folder=tmp_path) == {"champion": first, "before": ""}
    assert said("challenge", second[:20], folder=tmp_path) == {"challenger": second}
    rows = said("list", folder=tmp_path)
    assert {row["id"]: row["role"] for row in rows} == {first: "champion", second: "challenger"}
    assert said("promote", second, folder=tmp_path) == {"champion": second, "before": first}
    undone = said("rollback", "spread_forest", folder=tmp_path)
    assert undone == {"champion": first, "before": second}
    shown = said("show", first, folder=tmp_path)
    assert (shown["id"], shown["role"], shown["kind"]) == (first, "champion", "spread_forest")


def test_a_demoted_champion_is_told_until_it_is_promoted_again(tmp_path: Path) -> None:
    """Who, where, why and when."""
    champion = forest_artefact(tmp_path).path.name
    said("promote", champion, folder=tmp_path)
    demotion = Demotion(champion, "v:S", "markout", "2026-01-02T03:04:05+00:00")
    registry_at(tmp_path).demote("spread_forest", demotion)
    assert [row["role"] for row in said("list", folder=tmp_path)] == ["demoted"]
    shown = said("show", champion, folder=tmp_path)
    assert (shown["role"], shown["demoted"][0]["reason"]) == ("demoted", "markout")
    said("promote", champion, folder=tmp_path)
    assert said("show", champion, folder=tmp_path)["role"] == "champion"


def test_a_model_that_takes_too_long_is_told(tmp_path: Path) -> None:
    """With what it takes, and what may be done."""
    model = forest_artefact(tmp_path).path.name
    asked = ["models", "verify", model, "--us-max", "0", "--folder", str(tmp_path)]
    result = CliRunner().invoke(app, asked)
    assert isinstance(result.exception, ArtefactError)
    assert "of processor time a bar and instrument, expected at most 0" in str(result.exception)


def test_a_changed_file_is_found(tmp_path: Path) -> None:
    """By verify, and before it is promoted."""
    path = forest_artefact(tmp_path).path
    weights = path / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    for command in ("verify", "promote"):
        asked = ["models", command, path.name, "--folder", str(tmp_path)]
        with pytest.raises(ArtefactError, match="SHA-256"):
            CliRunner().invoke(app, asked, catch_exceptions=False)


def test_tables_are_for_people(tmp_path: Path) -> None:
    """Without --json, and with nothing there."""
    empty = CliRunner().invoke(app, ["models", "list", "--folder", str(tmp_path)])
    assert "no models" in empty.output
    name = forest_artefact(tmp_path).path.name
    table = CliRunner().invoke(app, ["models", "list", "--folder", str(tmp_path)])
    assert name in table.output
    assert "MMDUSDT" in table.output
    assert max(map(len, table.output.splitlines())) <= 80
    shown = CliRunner().invoke(app, ["models", "show", name, "--folder", str(tmp_path)])
    assert "mmd train" in shown.output
