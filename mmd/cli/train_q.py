"""`mmd train q`: the inventory policy, learned on a simulated market and judged on paths that it has not seen."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TextColumn

from mmd.cli.options import AsJson
from mmd.cli.results import tell

if TYPE_CHECKING:
    from models.q_evaluation import Difference

EXAMPLES = """
Examples:

  mmd train q

  mmd train q --preset btcusdt --episodes 3000 --seed 7 --report q.html
"""


def q(
    out: Annotated[Path, typer.Option("--out", "-o", help="folder of models")] = Path("var/models"),
    preset: Annotated[
        str, typer.Option(help="generated market, or file of mmd calibrate, to learn in")
    ] = "default",
    episodes: Annotated[int, typer.Option(help="to learn from", min=1)] = 1_000,
    bars: Annotated[int, typer.Option(help="seconds of an episode", min=10)] = 10_000,
    pairs: Annotated[int, typer.Option(help="held-out episodes to judge it by", min=8)] = 200,
    seed: Annotated[int, typer.Option(help="of everything", min=0)] = 1,
    maker_fee_bps: Annotated[float, typer.Option(help="of a fill; negative is a rebate")] = 0.0,
    inventory_sd: Annotated[
        float, typer.Option(help="usual inventory in order sizes, a tenth of the limit each")
    ] = 2.5,
    report: Annotated[
        Path | None, typer.Option(help="HTML file; default: beside the model")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train the Q-learning inventory policy; a thousand episodes take under a minute on one core.

    It is compared with always taking the spread model's own quotes, on pairs of paths that training never
    has. The table is kept either way: the verdict stands in its manifest, in the report and below.
    """
    from mmd.analytics.q_report import write_q_report  # noqa: PLC0415 - loads the compiler
    from mmd.calibration.catalogue import find_preset  # noqa: PLC0415
    from mmd.shell.warmup import compile_progress  # noqa: PLC0415
    from models.q_artefact import write_q  # noqa: PLC0415
    from models.q_evaluation import evaluate_q  # noqa: PLC0415
    from models.q_market import QMarket  # noqa: PLC0415
    from models.q_training import EpisodeResult, QSettings, train_q  # noqa: PLC0415

    market = QMarket.of_preset(find_preset(preset))
    settings = QSettings(
        episodes=episodes,
        bars=bars,
        seed=seed,
        maker_fee_bps=maker_fee_bps,
        inventory_sd_units=inventory_sd,
    )
    with compile_progress(), _progress() as progress:
        learning = progress.add_task("learning", total=episodes, told="")

        def on_episode(_: int, result: EpisodeResult) -> None:
            progress.update(learning, advance=1, told=f"reward {result.reward:,.0f} ticks")

        trained = train_q(market, settings, on_episode)
        judging = progress.add_task("judging", total=pairs, told="")
        found = evaluate_q(
            market,
            settings,
            trained.weights,
            pairs=pairs,
            on_pair=lambda _: progress.advance(judging),
        )
    command = f"mmd {shlex.join(sys.argv[1:])}"
    path = write_q(out, trained, found, market, settings, preset=preset, command=command)
    page = report or out / f"{path.name}.html"
    write_q_report(page, path.name, preset, settings, trained, found)
    _tell(found.reward, found.pnl, path, page, as_json=as_json)


def _tell(
    reward: "Difference", pnl: "Difference", path: Path, page: Path, *, as_json: bool
) -> None:
    """The verdict, and where everything is."""
    lines = [
        f"reward: {_told(reward)}",
        f"PnL: {_told(pnl)}",
        f"{path}: the table; {page}: the report",
    ]
    result = {
        "model": path,
        "report": page,
        "reward_ticks": _gain(reward),
        "pnl_ticks": _gain(pnl),
    }
    tell(result, lines, as_json=as_json)


def _gain(gain: "Difference") -> dict[str, object]:
    """One comparison for programs."""
    return gain._asdict() | {"verdict": gain.verdict}


def _told(gain: "Difference") -> str:
    """One comparison in a line."""
    return (
        f"{gain.learned:,.1f} against {gain.normal:,.1f} ticks an episode, difference {gain.mean:+,.1f} "
        f"[{gain.low:+,.1f}, {gain.high:+,.1f}]: {gain.verdict}"
    )


@contextmanager
def _progress() -> Iterator[Progress]:
    """Bars on standard error."""
    columns = (*Progress.get_default_columns(), TextColumn("{task.fields[told]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield progress
