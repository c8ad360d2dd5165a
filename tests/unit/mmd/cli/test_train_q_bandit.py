"""`mmd train q` and `mmd train bandit`: an artefact and reports, with the verdict in words and numbers."""

import json
from pathlib import Path

from typer.testing import CliRunner

from mmd.cli.main import app
from models.artefact import read_artefact
from models.checks import check_golden


def test_a_table_is_trained_judged_and_kept(tmp_path: Path) -> None:
    """The same seed gives the same weights; the verdict is printed, and stands in manifest and report."""
    found = []
    for name in ("a", "b"):
        command = ["train", "q", "--episodes", "2", "--bars", "60", "--pairs", "8"]
        as_json = ["--json"] if name == "b" else []
        result = CliRunner().invoke(app, [*command, "--out", str(tmp_path / name), *as_json])
        assert result.exit_code == 0, result.output
        assert "no difference from always normal" in result.output
        if as_json:
            assert json.loads(result.stdout)["reward_ticks"]["low"] <= 0.0
        (path,) = (p for p in (tmp_path / name).iterdir() if p.is_dir())
        found.append(read_artefact(path))
        check_golden(found[-1])
        page = (tmp_path / name / f"{path.name}.html").read_text()
        assert "no difference from always normal" in page
    assert found[0].manifest.files == found[1].manifest.files
    assert found[0].manifest.metrics["pairs"] == 8.0


def test_bandits_are_compared(tmp_path: Path) -> None:
    """Every rule has a line and a curve."""
    page = tmp_path / "bandits.html"
    command = ["train", "bandit", "--decisions", "120", "--seeds", "1", "--report", str(page)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    again = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    assert again["decisions"] == 120
    for rule in ("UCB1", "sliding-window UCB", "discounted Thompson", "EXP3.S"):
        assert again["regret"][rule].keys() == {"unchanged", "switching"}
        assert rule in result.output
        assert rule in page.read_text()
