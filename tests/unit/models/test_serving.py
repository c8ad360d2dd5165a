"""Champions of a registry quote in backtests, replays find them again, and what does not fit is refused."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from mmd.backtest.quiet_player import QuietPlayer
from mmd.backtest.run import BacktestRequest, load_settings, prepare, run_backtest
from mmd.core.learned.prediction import Rung
from mmd.errors import ArtefactError
from mmd.journal.replay import replay
from mmd.tape.reader import Tape
from models.registry import Registry
from models.serving import models_of, registry_at, served
from tests.fill_bench import random_walk
from tests.trained_models import forest_artefact, network_artefact

SYMBOL = "MMDUSDT"


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """A minute of a random market."""
    return random_walk(5, 1_500).write(tmp_path_factory.mktemp("walk") / "walk.tape.parquet")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """One champion of each kind."""
    folder = tmp_path / "models"
    found = registry_at(folder)
    for artefact in (network_artefact(folder), forest_artefact(folder, 3.0)):
        found.promote(artefact.path.name)
    return found


def request(tape: Tape, registry: Registry, **changes: object) -> BacktestRequest:
    """Forecast and trees, without what needs more than these models."""
    overrides = {
        "quoting.spread_model": "learned",
        "quoting.forecast": "lstm",
        "models.folder": str(registry.folder),
    }
    return BacktestRequest(tape=tape.path, overrides=overrides | changes)


def test_a_session_with_models_replays_to_the_same_commands(
    walk: Tape, registry: Registry, tmp_path: Path
) -> None:
    """Byte for byte; the same as without a journal; other than without models; and not without the registry."""
    asked = msgspec.structs.replace(request(walk, registry), journal=tmp_path / "session")
    result = run_backtest(asked)
    assert result.commands > 50
    session = tmp_path / "session"
    again = replay(session, models=models_of(session))
    assert again.divergence is None
    assert again.commands == result.commands
    predictor = again.engine.makers[0].predictor
    assert predictor is not None
    assert predictor.rungs.rung is Rung.FULL
    assert predictor.prediction["forecasts_held"] > 0
    assert predictor.swaps == 2
    assert predictor.scores[0].scores[0].n > 100
    alone = run_backtest(msgspec.structs.replace(asked, journal=None))
    assert (alone.commands, alone.pnl, alone.fills) == (result.commands, result.pnl, result.fills)
    plain = run_backtest(BacktestRequest(tape=walk.path))
    assert (plain.commands, plain.pnl) != (result.commands, result.pnl)
    with pytest.raises(ArtefactError, match="is needed to go on"):
        replay(session)
    with pytest.raises(ArtefactError, match="no model with an id like"):
        replay(session, models=models_of(session, tmp_path / "elsewhere"))


def test_the_compiled_loop_leaves_models_to_the_engine(walk: Tape, registry: Registry) -> None:
    """It knows no bars."""
    asked = request(walk, registry)
    runner = prepare(walk, asked, load_settings(asked))
    assert not QuietPlayer.supports(runner.engine)


def test_models_of_other_instruments_are_left_out(walk: Tape, tmp_path: Path) -> None:
    """A session without a fitting champion quotes by its spread model."""
    registry = registry_at(tmp_path / "models")
    other = network_artefact(registry.folder, symbol="ELSEUSDT")
    registry.promote(other.path.name)
    asked = request(walk, registry)
    runner = prepare(walk, asked, load_settings(asked))
    runner.run()
    predictor = runner.maker.predictor
    assert predictor is not None
    assert (predictor.champions, predictor.rungs.rung) == ({}, Rung.GLFT)
    assert runner.commands > 50


def test_a_network_without_scales_is_refused(tmp_path: Path) -> None:
    """Its outputs would mean nothing."""
    artefact = network_artefact(tmp_path)
    assert served(artefact).change_scale == (1.0,)
    weights = artefact.weights | {"change_scale": np.array([1.0, 2.0])}
    with pytest.raises(ArtefactError, match="change_scale"):
        served(msgspec.structs.replace(artefact, weights=weights))
