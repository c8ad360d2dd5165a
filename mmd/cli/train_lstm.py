"""`mmd train lstm`: the price predictor from tapes to an artefact and a report."""

import importlib.util
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from mmd.cli.options import AsJson, duration_s
from mmd.cli.results import on_the_way, tell
from mmd.errors import ConfigError, TrainingError

if TYPE_CHECKING:
    from mmd.analytics.forecast_scores import HorizonScores
    from models.price_data import Split
    from models.train_lstm import Epoch, LstmSettings, Trained

EXAMPLES = """
Examples:

  mmd train lstm nexo.tape.parquet --horizons 10,50 --bar 100ms --out var/models

  mmd train lstm monday.tape.parquet tuesday.tape.parquet --epochs 12 --resume
"""
_TRAIN_EXTRA = "training needs torch: pip install -c constraints.txt -e '.[train]'"


def lstm(
    tapes: Annotated[
        list[Path], typer.Argument(metavar="TAPE...", help="tapes of one instrument, in order")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="folder of models")] = Path("var/models"),
    horizons: Annotated[str, typer.Option(help="bars ahead, e.g. 1,3,10")] = "10,50",
    bar: Annotated[str, typer.Option(help="length of a bar", metavar="DURATION")] = "100ms",
    hidden: Annotated[int, typer.Option(help="width of the LSTM layers", min=4, max=512)] = 64,
    epochs: Annotated[int, typer.Option(help="at most so many passes", min=1)] = 30,
    patience: Annotated[
        int, typer.Option(help="passes without progress before the end", min=1)
    ] = 5,
    batch: Annotated[int, typer.Option(help="sequences side by side", min=1)] = 64,
    seed: Annotated[int, typer.Option(help="of all randomness", min=0)] = 1,
    threads: Annotated[int, typer.Option(help="processor threads of torch", min=1)] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="go on from the checkpoint of an interrupted run")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="HTML report; default: beside the model")
    ] = None,
    promote: Annotated[bool, typer.Option("--promote", help="make it the champion")] = False,
    as_json: AsJson = False,
) -> None:
    """Train the price predictor; what it is worth out of sample is told with intervals, beside simple forecasts.

    The last fifth of the data, in whole days where there are ten, is the test stretch and is looked at once.
    """
    if importlib.util.find_spec("torch") is None:
        raise ConfigError(_TRAIN_EXTRA)
    import torch  # noqa: PLC0415 - takes seconds, and only training needs it

    from mmd.shell.warmup import compile_progress  # noqa: PLC0415
    from models.price_data import read_price_data, split_in_time  # noqa: PLC0415
    from models.train_lstm import LstmSettings  # noqa: PLC0415

    torch.set_num_threads(threads)
    ahead, bar_ns = _horizons(horizons), round(duration_s(bar) * 1e9)
    with compile_progress():
        split = split_in_time(read_price_data(tapes, ahead, bar_ns))
    sizes = ", ".join(f"{len(part.bars.mid):,}" for part in split)
    on_the_way(f"{sizes} bars to fit, to select and to test", as_json=as_json)
    settings = LstmSettings(
        hidden=hidden, dense=hidden, epochs_max=epochs, batch=batch, patience=patience, seed=seed
    )
    checkpoint = _checkpoint(out, tapes, bar, horizons, is_kept=resume)
    trained = _train(split, settings, checkpoint, as_json=as_json)
    told = _finish(split, trained, settings, tapes, out, report, is_promoted=promote)
    tell(*told, as_json=as_json)


def _train(
    split: "Split", settings: "LstmSettings", checkpoint: Path, *, as_json: bool
) -> "Trained":
    """Train with progress on the terminal, and a line for each epoch."""
    from models.train_lstm import chunks_per_epoch, train_lstm  # noqa: PLC0415

    with _progress(chunks_per_epoch(split, settings) * settings.epochs_max) as on_chunk:

        def on_epoch(epoch: "Epoch") -> None:
            on_the_way(
                f"epoch {epoch.number}: loss {epoch.fit:.5f}, selection {epoch.selection:.5f}, "
                f"rate {epoch.learning_rate:g}",
                as_json=as_json,
            )

        trained = train_lstm(
            split, settings, checkpoint=checkpoint, on_epoch=on_epoch, on_chunk=on_chunk
        )
    checkpoint.unlink(missing_ok=True)
    return trained


def _finish(
    split: "Split",
    trained: "Trained",
    settings: "LstmSettings",
    tapes: list[Path],
    out: Path,
    report: Path | None,
    *,
    is_promoted: bool,
) -> tuple[dict[str, object], list[str]]:
    """Score the test stretch, write the artefact and the report; returns the result and its lines."""
    from mmd.analytics.lstm_scores import manifest_metrics, score_forecasts  # noqa: PLC0415
    from mmd.analytics.training_page import Losses, training_page  # noqa: PLC0415
    from models.lstm_artefact import write_lstm  # noqa: PLC0415
    from models.serving import registry_at  # noqa: PLC0415
    from models.train_lstm import forecast  # noqa: PLC0415

    scores = score_forecasts(
        split, forecast(trained.network, trained.scales, split.test), settings.seed
    )
    registry = registry_at(out)
    made = write_lstm(
        out, trained, split.test, tapes, settings,
        version=version("mmd"), command="mmd " + shlex.join(sys.argv[1:]), metrics=manifest_metrics(scores),
        parent=registry.pointers("price_lstm").champion,
    )  # fmt: skip
    losses = [Losses(e.fit, e.selection) for e in trained.epochs]
    target = report or out / f"{made.manifest.id}.html"
    target.write_text(training_page(made.manifest, losses, scores), encoding="utf-8")
    if is_promoted:
        registry.promote(made.manifest.id)
    result = {
        "model": made.path,
        "is_champion": is_promoted,
        "report": target,
        "metrics": manifest_metrics(scores),
    }
    lines = [line for s in scores for line in _lines(s)]
    where = f"{made.path}{' (champion)' if is_promoted else ''}"
    return result, [*lines, where, f"{target}: report"]


def _lines(s: "HorizonScores") -> Iterator[str]:
    from mmd.analytics.training_page import told  # noqa: PLC0415

    yield f"{s.bars} bars: R2 {told(s.r2)}, right signs {told(s.hits)}, Brier {s.brier:.4f}"
    for other in s.against:
        yield f"  {other.name}: R2 {told(other.r2)}, right signs {told(other.hits)}"
    for line in s.verdicts:
        yield f"  {line}"


def _horizons(text: str) -> tuple[int, ...]:
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or min(found) < 1 or list(found) != sorted(set(found)):
        raise ConfigError(
            f"--horizons: expected rising numbers of bars like 1,3,10, found {text!r}"
        )
    return found


def checkpoint_of(out: Path, tapes: list[Path], bar: str, horizons: str) -> Path:
    """The file in which an interrupted training leaves its state."""
    names = "-".join(tape.name.split(".")[0] for tape in tapes)
    return out / f".lstm-{names[:80]}-{bar}-{horizons.replace(',', '-')}.checkpoint"


def _checkpoint(out: Path, tapes: list[Path], bar: str, horizons: str, *, is_kept: bool) -> Path:
    """Where this training leaves its state; one that is there is gone on from or refused, never lost unsaid."""
    path = checkpoint_of(out, tapes, bar, horizons)
    out.mkdir(parents=True, exist_ok=True)
    if path.is_file() and not is_kept:
        raise TrainingError(
            f"{path} is of a training that was interrupted: go on with --resume, or remove it"
        )
    if not os.access(out, os.W_OK):
        raise ConfigError(f"--out: expected a folder that can be written, found {out}")
    return path


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar with the time left; nothing where standard error is no terminal."""
    columns = (TextColumn("training"), BarColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, disable=not console.is_terminal, transient=True
    ) as shown:
        task = shown.add_task("training", total=total)
        yield lambda: shown.advance(task)
