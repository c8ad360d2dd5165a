"""`mmd train all`: parts in order, what was interrupted is gone on with, what cannot be trained is said."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[train]'")

from mmd.cli import train_all
from mmd.cli.main import app
from mmd.errors import TrainingError
from tests.bench.tape import synthetic_rows
from tests.tapes import write_tape


class Parts:
    """Stands in for the four commands: writes down what was trained, and fails where it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.trained: list[str] = []
        self.fails = ""
        for name in train_all.PARTS:
            monkeypatch.setattr(train_all, name, self._part(name))

    def _part(self, name: str) -> object:
        def part(*_: object, **__: object) -> None:
            if name == self.fails:
                raise TrainingError("too little data")
            self.trained.append(name)

        return part


def run(*args: object) -> None:
    """The command; errors come through."""
    CliRunner().invoke(app, ["train", "all", *map(str, args)], catch_exceptions=False)


def test_an_interrupted_run_is_gone_on_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Parts that are over are left out; without --resume one is told; at the end nothing is left behind."""
    parts = Parts(monkeypatch)
    where = ("a.tape.parquet", "--out", tmp_path / "m", "--reports", tmp_path / "r")
    parts.fails = "q"
    with pytest.raises(TrainingError, match="q: too little data; then go on with --resume"):
        run(*where)
    assert parts.trained == ["lstm", "spread"]
    with pytest.raises(TrainingError, match="was interrupted: go on with --resume"):
        run(*where)
    parts.fails = ""
    run(*where, "--resume")
    assert parts.trained == list(train_all.PARTS)
    assert list((tmp_path / "m").iterdir()) == []
    run(*where)
    assert parts.trained == 2 * list(train_all.PARTS)


def test_other_choices_are_another_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What was done with one bar is not taken for done with another."""
    parts = Parts(monkeypatch)
    where = ("a.tape.parquet", "--out", tmp_path / "m", "--reports", tmp_path / "r", "--resume")
    parts.fails = "spread"
    with pytest.raises(TrainingError):
        run(*where)
    parts.fails = ""
    run(*where, "--bar", "1s")
    assert parts.trained == ["lstm", *train_all.PARTS]


def test_too_little_data_is_said_with_the_part_that_wants_more(tmp_path: Path) -> None:
    """By the real network trainer, on a tape of seconds."""
    tape = write_tape(tmp_path / "x.tape.parquet", synthetic_rows(200))
    with pytest.raises(TrainingError, match=r"lstm: .*bars"):
        run(tape.path, "--out", tmp_path / "m", "--reports", tmp_path / "r")
