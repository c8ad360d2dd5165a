"""`mmd tape generate` and `mmd train lstm`: from a generated market to a model that can be served."""

import importlib.util
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[train]'")

from mmd.cli.main import app
from mmd.cli.train_lstm import _checkpoint, _horizons
from mmd.errors import ConfigError, TrainingError
from models.registry import Registry
from models.torch_backend import TorchBackend


def run(*args: object) -> str:
    result = CliRunner().invoke(app, [str(a) for a in args], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_generated_market_becomes_a_champion(tmp_path: Path) -> None:
    """The artefact verifies, both backends agree, its metrics and report are told."""
    tape, models = tmp_path / "market.tape.parquet", tmp_path / "models"
    run("tape", "generate", "default", tape, "--for", "210s", "--seed", 3)
    told = run(
        "train", "lstm", tape, "--bar", "10ms", "--horizons", "10,30", "--hidden", 4,
        "--epochs", 1, "--out", models, "--promote",
    )  # fmt: skip
    assert "10 bars ahead: " in told
    artefact = Registry(models).champion("price_lstm")
    assert artefact is not None
    manifest = artefact.manifest
    assert (manifest.symbol, manifest.bar_ns, manifest.horizons) == (
        "MMDUSDT",
        10_000_000,
        (10, 30),
    )
    assert manifest.metrics["r2_10"] == pytest.approx(
        float(told.split("10 bars: R2 ")[1].split()[0].strip(",")), abs=1e-4
    )
    assert artefact.weights["change_scale"].shape == (2,)
    assert TorchBackend(artefact, 1, "cpu").is_done
    report = (models / f"{manifest.id}.html").read_text()
    assert "Reliability of the probability of a rise" in report
    assert "R2 difference" in report or "too little data" in report
    assert not list(models.glob(".lstm-*"))  # a finished training leaves no checkpoint


@pytest.mark.parametrize("text", ["", "0,1", "3,1", "1,1", "ten"])
def test_horizons_that_make_no_sense_are_refused(text: str) -> None:
    """With an example."""
    assert _horizons("1,3,10") == (1, 3, 10)
    with pytest.raises(ConfigError, match="rising numbers of bars like 1,3,10"):
        _horizons(text)


def test_an_interrupted_training_is_not_lost_unsaid(tmp_path: Path) -> None:
    """It is gone on from, or one is told that it is there."""
    where = (tmp_path, [Path("a.tape.parquet")], "100ms", "10,50")
    path = _checkpoint(*where, is_kept=False)
    path.write_bytes(b"state")
    assert _checkpoint(*where, is_kept=True) == path
    with pytest.raises(TrainingError, match="go on with --resume"):
        _checkpoint(*where, is_kept=False)


def test_without_torch_one_line_says_what_to_install(monkeypatch, tmp_path: Path) -> None:
    """Before any work is done."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"needs torch: pip install .* '.\[train\]'"):
        CliRunner().invoke(app, ["train", "lstm", str(tmp_path / "a")], catch_exceptions=False)
