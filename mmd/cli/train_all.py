"""`mmd train all`: every model from the same tapes, one after the other, to be gone on with after an interruption."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from mmd.cli.options import AsJson
from mmd.cli.results import on_the_way
from mmd.cli.train_bandit import bandit
from mmd.cli.train_lstm import checkpoint_of, lstm
from mmd.cli.train_q import q
from mmd.cli.train_spread import spread
from mmd.errors import TrainingError

EXAMPLES = """
Examples:

  mmd train all nexo.tape.parquet --out var/models --reports reports

  mmd train all monday.tape.parquet tuesday.tape.parquet --resume --promote
"""
PARTS: Final = ("lstm", "spread", "q", "bandit")
_HORIZONS: Final = "10,50"


def all_(
    tapes: Annotated[
        list[Path], typer.Argument(metavar="TAPE...", help="tapes of one instrument, in order")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="folder of models")] = Path("var/models"),
    reports: Annotated[Path, typer.Option(help="folder of the HTML reports")] = Path("var/reports"),
    bar: Annotated[str, typer.Option(help="length of a bar", metavar="DURATION")] = "100ms",
    horizons: Annotated[str, typer.Option(help="bars ahead, e.g. 1,3,10")] = _HORIZONS,
    preset: Annotated[
        str, typer.Option(help="generated market, or file of mmd calibrate, for the policy")
    ] = "default",
    epochs: Annotated[int, typer.Option(help="at most so many passes of the network", min=1)] = 30,
    rounds: Annotated[int, typer.Option(help="at most so many trees", min=1, max=1000)] = 500,
    episodes: Annotated[int, typer.Option(help="of the policy", min=1)] = 1_000,
    seed: Annotated[int, typer.Option(help="of all randomness", min=0)] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="leave out what an interrupted run has done")
    ] = False,
    promote: Annotated[
        bool, typer.Option("--promote", help="make network and trees champions; never the policy")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train the network, the trees and the policy, and compare the bandits; each part leaves its own report.

    What a part needs and does not find (too little data, numbers that are none, time that goes back) ends the run with its
    message; the parts before it are kept, and --resume goes on there. With --json each part's result is a line.
    """
    reports.mkdir(parents=True, exist_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    chosen = [str(tapes), bar, horizons, preset, epochs, rounds, episodes, seed]
    done = _Done(out, chosen, is_kept=resume)
    is_begun = checkpoint_of(out, tapes, bar, horizons).is_file()
    parts: dict[str, Callable[[], None]] = {
        "lstm": lambda: lstm(
            tapes, out, horizons, bar, epochs=epochs, seed=seed, resume=resume and is_begun,
            report=reports / "lstm.html", promote=promote, as_json=as_json,
        ),
        "spread": lambda: spread(
            tapes, out, bar, rounds=rounds, seed=seed, report=reports / "spread.html",
            promote=promote, as_json=as_json,
        ),
        "q": lambda: q(out, preset, episodes, seed=seed, report=reports / "q.html", as_json=as_json),
        "bandit": lambda: bandit(reports / "bandits.html", as_json=as_json),
    }  # fmt: skip
    for number, name in enumerate(PARTS, start=1):
        if name in done:
            on_the_way(f"{number}/{len(PARTS)} {name}: done before", as_json=as_json)
            continue
        on_the_way(f"{number}/{len(PARTS)} {name}", as_json=as_json)
        try:
            parts[name]()
        except TrainingError as error:
            raise TrainingError(f"{name}: {error}; then go on with --resume") from error
        done.add(name)
    done.remove()


class _Done:
    """Which parts of a run are over, in a small file that outlives an interruption."""

    def __init__(self, out: Path, chosen: list[object], *, is_kept: bool) -> None:
        """Raises: TrainingError where another run was interrupted and nobody said --resume."""
        digest = hashlib.sha256(json.dumps(chosen).encode()).hexdigest()[:12]
        self._path = out / f".all-{digest}.json"
        self._parts: list[str] = []
        if not self._path.is_file():
            return
        if not is_kept:
            raise TrainingError(
                f"{self._path} is of a run that was interrupted: go on with --resume, or remove it"
            )
        self._parts = json.loads(self._path.read_text())

    def __contains__(self, name: str) -> bool:
        return name in self._parts

    def add(self, name: str) -> None:
        """Another part is over; the file is replaced as a whole."""
        self._parts.append(name)
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(self._parts))
        partial.replace(self._path)

    def remove(self) -> None:
        """Everything is done."""
        self._path.unlink(missing_ok=True)
