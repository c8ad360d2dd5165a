"""`mmd backtest` from the command line: results as a table and as JSON, errors as one line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmd.cli.main import app
from mmd.errors import ConfigError, TapeError
from tests.fill_bench import random_walk


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a minute of a random market."""
    path = tmp_path_factory.mktemp("cli") / "walk.tape.parquet"
    random_walk(4, 700).write(path)
    return path


def run(*arguments: object) -> str:
    """What the command prints; expected failures are raised."""
    result = CliRunner().invoke(app, ["backtest", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_run_is_told_and_written(tape: Path, tmp_path: Path) -> None:
    """The table, and the summary with the chosen queue first."""
    summary = tmp_path / "s.json"
    text = run(
        "--tape", tape, "--no-bracket", "--queue", "front", "--fees", "1,2", "--summary", summary
    )
    assert "front" in text
    (told,) = json.loads(summary.read_text())["runs"]
    assert (told["queue"], told["identity_error"]) == ("front", 0)
    assert told["orders"] > 0


def test_queue_models_bracket_the_result(tape: Path) -> None:
    """All of them run, each in a process of its own; the hopeful one fills at least as much as the careful one."""
    runs = json.loads(run("--tape", tape, "--json"))["runs"]
    by_queue = {r["queue"]: r for r in runs}
    assert list(by_queue) == ["risk_averse", "power", "log", "front"]
    assert by_queue["front"]["fills"] >= by_queue["risk_averse"]["fills"]


def test_a_sweep_runs_every_combination(tape: Path) -> None:
    """Two values of one key and two of another."""
    runs = json.loads(
        run(
            "--tape",
            tape,
            "--sweep",
            "quoting.levels=1,2",
            "--sweep",
            "quoting.spread_model=glft,fixed",
            "--json",
        )
    )["runs"]
    assert [tuple(r["overrides"].values()) for r in runs] == [
        ("1", "glft"),
        ("1", "fixed"),
        ("2", "glft"),
        ("2", "fixed"),
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--queue", "pro_rata"], "queue model: expected one of"),
        (["--fees", "cheap"], "expected venue/tier with one of the venues"),
        (["--fees", "a,b"], "MAKER,TAKER in bps"),
        (["--balance", "MMD"], "ASSET=QTY"),
        (["--balance", "EUR=5", "--no-bracket"], "balance EUR: expected MMD or USDT"),
        (["--sweep", "quoting.levels"], "key=a,b,c"),
        (["--set", "quoting.levels=0"], "quoting.levels"),
        (["--strategy", "magic"], "quoting.spread_model"),
        (["--latency-file", "/nowhere"], "cannot be read"),
    ],
)
def test_wrong_options_are_named(tape: Path, arguments: list[str], told: str) -> None:
    """A line that says what was expected."""
    with pytest.raises(ConfigError, match=told):
        run("--tape", tape, *arguments)


def test_a_file_that_is_no_tape_is_named(tmp_path: Path) -> None:
    """Nothing is played."""
    path = tmp_path / "x.tape.parquet"
    path.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(TapeError, match="expected a tape"):
        run("--tape", path, "--no-bracket")
