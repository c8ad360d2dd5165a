"""`mmd simulate` goes on where it was interrupted: holes are filled, and what is done is not done again."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from mmd.cli.main import app
from mmd.errors import ConfigError


def simulate(path: Path, *arguments: str) -> Result:
    words = ["simulate", "--seconds", "1", "--faults", "none", "--results", str(path), *arguments]
    return CliRunner().invoke(app, words)


def seeds(path: Path) -> list[int]:
    return [json.loads(line)["seed"] for line in path.read_text().splitlines()]


def test_holes_are_filled_and_nothing_is_run_twice(tmp_path: Path):
    """Two jobs end in any order: the file of a run that was killed may lack a seed in the middle."""
    path = tmp_path / "r.jsonl"
    assert simulate(path, "--seeds", "3").exit_code == 0
    first, _, third = path.read_text().splitlines(keepends=True)
    path.write_text(first + third)
    ran = simulate(path, "--seeds", "4")
    assert ran.exit_code == 0, ran.output
    assert seeds(path) == [1, 3, 2, 4]
    assert "4 seeds" in ran.output


def test_rows_of_another_pace_are_refused_before_anything_is_run(tmp_path: Path):
    """The message says what there is and what was wanted."""
    path = tmp_path / "r.jsonl"
    assert simulate(path, "--seeds", "1", "--pace", "calm").exit_code == 0
    ran = simulate(path, "--seeds", "2")
    assert isinstance(ran.exception, ConfigError)
    assert "usual pace" in str(ran.exception)
    assert "calm pace" in str(ran.exception)
    assert seeds(path) == [1]
