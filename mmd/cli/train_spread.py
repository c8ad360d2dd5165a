"""`mmd train spread`: the spread model from tapes to an artefact and a report."""

import importlib.util
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mmd.cli.options import AsJson, duration_s
from mmd.cli.results import on_the_way, tell
from mmd.errors import ConfigError

if TYPE_CHECKING:
    from mmd.analytics.spread_verdict import Verdict
    from models.spread_labels import LabelSettings
    from models.train_spread import Forest, SpreadSettings, SpreadSplit

EXAMPLES = """
Examples:

  mmd train spread nexo.tape.parquet --bar 100ms --life 10s --markout 10s --out var/models

  mmd train spread monday.tape.parquet tuesday.tape.parquet --maker-fee 1.0 --promote
"""
_TRAIN_EXTRA = "training needs lightgbm: pip install -c constraints.txt -e '.[train]'"
_ROWS_EXPLAINED = 5_000


def spread(
    tapes: Annotated[
        list[Path], typer.Argument(metavar="TAPE...", help="tapes of one instrument, in order")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="folder of models")] = Path("var/models"),
    bar: Annotated[str, typer.Option(help="length of a bar", metavar="DURATION")] = "100ms",
    every: Annotated[int, typer.Option(help="bars from one sample to the next", min=1)] = 10,
    life: Annotated[str, typer.Option(help="how long quotes stand", metavar="DURATION")] = "5s",
    markout: Annotated[
        str, typer.Option(help="from a fill to its valuation", metavar="DURATION")
    ] = "5s",
    latency: Annotated[
        str, typer.Option(help="from a decision until quotes stand", metavar="DURATION")
    ] = "5ms",
    smoothing: Annotated[
        int, typer.Option(help="samples over which edges are averaged for a label", min=1)
    ] = 300,
    queue: Annotated[str, typer.Option(help="queue model of fills")] = "power",
    maker_fee: Annotated[
        float | None, typer.Option(help="bps, negative for a rebate; default: the tape's")
    ] = None,
    rounds: Annotated[int, typer.Option(help="at most so many trees", min=1, max=1000)] = 500,
    seed: Annotated[int, typer.Option(help="of all randomness", min=0)] = 1,
    report: Annotated[
        Path | None, typer.Option(help="HTML report; default: beside the model")
    ] = None,
    promote: Annotated[bool, typer.Option("--promote", help="make it the champion")] = False,
    as_json: AsJson = False,
) -> None:
    """Train the spread model; what it earns out of sample is told with intervals, beside simpler half-spreads.

    The last fifth of the data is the test stretch and is looked at once.
    """
    if importlib.util.find_spec("lightgbm") is None:
        raise ConfigError(_TRAIN_EXTRA)
    from mmd.shell.warmup import compile_progress  # noqa: PLC0415 - loads the compiler
    from models.spread_data import read_spread_data  # noqa: PLC0415
    from models.spread_labels import LabelSettings, maker_fee_bps  # noqa: PLC0415
    from models.train_spread import SpreadSettings, split_samples  # noqa: PLC0415

    bar_ns = _nanos(bar)
    labels = LabelSettings(
        every=every,
        life_ns=_nanos(life),
        markout_ns=_nanos(markout),
        latency_ns=_nanos(latency),
        smoothing=smoothing,
        queue=queue,
        maker_fee_bps=maker_fee_bps(tapes[0]) if maker_fee is None else maker_fee,
    )
    with compile_progress(), _progress("labelling", len(tapes)) as on_tape:
        data = read_spread_data(tapes, bar_ns, labels, on_tape=on_tape)
    split = split_samples(data, labels.reach_ns(bar_ns))
    on_the_way(f"{_sizes(split)} samples to fit, to select and to test", as_json=as_json)
    settings = SpreadSettings(rounds_max=rounds, seed=seed)
    forest, chosen = _train(split, settings, as_json=as_json), (settings, labels)
    told = _finish(split, forest, chosen, bar_ns, tapes, out, report, is_promoted=promote)
    tell(*told, as_json=as_json)


def _sizes(split: "SpreadSplit") -> str:
    return ", ".join(f"{len(part.mid):,}" for part in split)


def _train(split: "SpreadSplit", settings: "SpreadSettings", *, as_json: bool) -> "Forest":
    from models.train_spread import train_forest  # noqa: PLC0415

    with _progress("training", settings.rounds_max) as on_round:
        forest = train_forest(split, settings, on_round=lambda _number, _loss: on_round())
    kept = forest.booster.num_trees()
    on_the_way(
        f"{kept} trees of {len(forest.fit_loss)} rounds: RMSE {forest.fit_loss[kept - 1]:.4f} bps, "
        f"selection {forest.selection_loss[kept - 1]:.4f} bps",
        as_json=as_json,
    )
    return forest


def _finish(
    split: "SpreadSplit",
    forest: "Forest",
    settings: "tuple[SpreadSettings, LabelSettings]",
    bar_ns: int,
    tapes: list[Path],
    out: Path,
    report: Path | None,
    *,
    is_promoted: bool,
) -> tuple[dict[str, object], list[str]]:
    """Judge on the test stretch, write the artefact and the report; returns the result and its lines."""
    from mmd.analytics.spread_training_page import spread_page  # noqa: PLC0415
    from mmd.analytics.spread_verdict import judge, manifest_metrics  # noqa: PLC0415
    from models.registry import Registry  # noqa: PLC0415
    from models.spread_artefact import write_spread  # noqa: PLC0415
    from models.train_spread import importance, predicted  # noqa: PLC0415

    on_selection, on_test = (predicted(forest.booster, part.x) for part in split[1:])
    verdict = judge(
        split.fit, split.selection, split.test, (on_selection, on_test), settings[0].seed
    )
    registry = Registry(out)
    made = write_spread(
        out, forest, split.test, tapes, *settings, bar_ns=bar_ns, version=version("mmd"),
        command="mmd " + shlex.join(sys.argv[1:]), metrics=manifest_metrics(verdict),
        parent=registry.pointers("spread_forest").champion,
    )  # fmt: skip
    step = max(len(split.test.mid) // _ROWS_EXPLAINED, 1)
    found = importance(forest.booster, split.test.x[::step])
    target = report or out / f"{made.manifest.id}.html"
    target.write_text(spread_page(made.manifest, forest, split, found, verdict), encoding="utf-8")
    if is_promoted:
        registry.promote(made.manifest.id)
    result = {
        "model": made.path,
        "is_champion": is_promoted,
        "report": target,
        "verdict": verdict.sentence,
        "metrics": manifest_metrics(verdict),
    }
    where = f"{made.path}{' (champion)' if is_promoted else ''}"
    return result, [*_lines(verdict), where, f"{target}: report"]


def _lines(verdict: "Verdict") -> Iterator[str]:
    from mmd.analytics.spread_verdict import told  # noqa: PLC0415

    offset, slope = verdict.sigma_rule
    yield f"model: {told(verdict.model)} a quote"
    yield f"fixed at {verdict.fixed_bps:.4g} bps: {told(verdict.fixed)}"
    yield f"{offset:.4g} bps + {slope:g} x sigma: {told(verdict.rule)}"
    yield verdict.sentence


def _nanos(text: str) -> int:
    return round(duration_s(text) * 1e9)


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar with how much is done; nothing where standard error is no terminal."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, disable=not console.is_terminal, transient=True
    ) as shown:
        task = shown.add_task(what, total=total)
        yield lambda: shown.advance(task)
