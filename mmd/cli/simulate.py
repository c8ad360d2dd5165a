"""`mmd simulate`: whole systems with faults on virtual time, from seeds; a failing seed is shrunk to one line."""

import contextlib
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from mmd.cli.options import AsJson, ConfigFile, Overrides, parse_overrides
from mmd.cli.simulate_report import report_lines
from mmd.errors import ConfigError, MmdError

if TYPE_CHECKING:
    from mmd.simulation.fault import FaultKind
    from mmd.simulation.results_file import ResultsFile
    from mmd.simulation.simulate import Reproduction, SimulateRequest, SimulateResult
    from mmd.simulation.worlds import MarketPace

EXAMPLES = """
Examples:

  mmd simulate --seeds 20 --minutes 2

  mmd simulate --hours 10 --jobs 2 --faults crash,entry_down,answer_lost

  mmd simulate --first-seed 7 --seeds 1 --seconds 41 --only 3,9

  mmd simulate --pace calm --hours 1000 --results night.jsonl
  mmd simulate --summary night.jsonl
"""
_S_PER_HOUR = 3_600.0
_Seeds = Annotated[int, typer.Option(help="how many seeds to run", min=1)]
_FirstSeed = Annotated[int, typer.Option(help="the first seed", min=0)]
_Minutes = Annotated[float, typer.Option(help="virtual minutes of each seed")]
_Seconds = Annotated[
    float | None, typer.Option(help="virtual seconds of each seed, instead of minutes")
]
_Hours = Annotated[
    float | None, typer.Option(help="go on with further seeds until so many virtual hours are run")
]
_Faults = Annotated[str, typer.Option(help="kinds of faults, with commas between; or all, or none")]
_Only = Annotated[
    str | None, typer.Option(help="numbers of the faults to keep, as a reproduction names them")
]
_Results = Annotated[
    Path | None,
    typer.Option(
        "--results", help="add each seed's result here, and go on where it ends", metavar="FILE"
    ),
]
_Pace = Annotated[
    str,
    typer.Option(help="how busy the markets are: usual, or calm as a quiet instrument's"),
]
_Summary = Annotated[
    Path | None,
    typer.Option("--summary", help="run nothing: add up the results in this file", metavar="FILE"),
]
_Jobs = Annotated[int, typer.Option(help="seeds at a time, each in a process of its own", min=1)]


def simulate(
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    seeds: _Seeds = 10,
    first_seed: _FirstSeed = 1,
    minutes: _Minutes = 2.0,
    seconds: _Seconds = None,
    hours: _Hours = None,
    faults: _Faults = "all",
    only: _Only = None,
    jobs: _Jobs = 1,
    pace: _Pace = "usual",
    results_file: _Results = None,
    summary: _Summary = None,
    as_json: AsJson = False,
) -> None:
    """Run exchanges, failing networks and daemons that crash, and check every invariant after each event.

    A failing seed is shrunk to the fewest faults and the shortest time, and printed as one line that shows it again.
    """
    from mmd.simulation.results_file import ResultsFile  # noqa: PLC0415 - loads the compiler
    from mmd.simulation.simulate import (  # noqa: PLC0415
        SimulateRequest,
        conditions_of,
        load_settings,
    )

    if summary is not None:
        _tell(ResultsFile(summary).read(), [], as_json)
        return
    template = SimulateRequest(
        seed=first_seed,
        seconds=minutes * 60.0 if seconds is None else seconds,
        pace=_pace(pace),
        kinds=_kinds(faults),
        only=_numbers(only),
        config=config_file,
        overrides=parse_overrides(overrides),
    )
    if template.seconds <= 0.0:
        raise ConfigError(f"--minutes: expected more than 0, found {minutes:g}")
    load_settings(template)
    last = None if hours is not None else first_seed + seeds
    total_s = seeds * template.seconds if hours is None else hours * _S_PER_HOUR
    kept = None if results_file is None else ResultsFile(results_file)
    with contextlib.ExitStack() as stack:
        held = None if kept is None else stack.enter_context(kept.resume(conditions_of(template)))
        before = held or []
        requests = _requests(template, last, {r.seed for r in before})
        results = _run(requests, jobs, last is None, total_s, before, kept)
    found = [_shrunk(template, r) for r in results if r.broken]
    _tell(results, found, as_json)
    if found:
        raise MmdError("\n".join(_line(f) for f in found))


def _tell(results: "list[SimulateResult]", found: "list[Reproduction]", as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.encode({"results": results, "failures": found}).decode())
    else:
        for line in report_lines(results):
            typer.echo(line)


def _pace(name: str) -> "MarketPace":
    from mmd.simulation.worlds import MarketPace  # noqa: PLC0415

    try:
        return MarketPace(name)
    except ValueError as error:
        raise ConfigError(f"--pace: expected {' or '.join(MarketPace)}, found {name!r}") from error


def _kinds(text: str) -> "tuple[FaultKind, ...]":
    from mmd.simulation.fault import FaultKind  # noqa: PLC0415

    if text in ("all", "none"):
        return tuple(FaultKind) if text == "all" else ()
    try:
        return tuple(FaultKind(name.strip()) for name in text.split(","))
    except ValueError as error:
        names = ", ".join(FaultKind)
        raise ConfigError(f"--faults: {error}: expected all, none or some of {names}") from error


def _numbers(text: str | None) -> tuple[int, ...] | None:
    if text is None or text == "none":
        return None if text is None else ()
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError as error:
        raise ConfigError(
            f"--only: expected numbers with commas between, found {text!r}"
        ) from error


def _requests(
    template: "SimulateRequest", last: int | None, done: set[int]
) -> "Iterator[SimulateRequest]":
    """A request for each seed that is not done; without a last one there is no end."""
    for seed in itertools.count(template.seed):
        if last is not None and seed >= last:
            return
        if seed not in done:
            yield msgspec.structs.replace(template, seed=seed)


def _run(
    requests: "Iterator[SimulateRequest]",
    jobs: int,
    is_endless: bool,
    total_s: float,
    before: "list[SimulateResult]",
    kept: "ResultsFile | None",
) -> "list[SimulateResult]":
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from mmd.shell.warmup import compile_progress  # noqa: PLC0415
    from mmd.simulation.simulate import run_seeds  # noqa: PLC0415

    results = list(before)
    done_s, began_s = sum(r.simulated_s for r in before), time.perf_counter()
    before_s = done_s
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with compile_progress(), Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("simulating", total=total_s, completed=int(done_s))
        ran = run_seeds(iter(()) if is_endless and done_s >= total_s else requests, jobs)
        for result in ran:
            results.append(result)
            if kept is not None:
                kept.append(result)
            done_s += result.simulated_s
            speed = (done_s - before_s) / 60.0 / max(time.perf_counter() - began_s, 1e-9)
            said = f"seed {result.seed}: {result.broken or 'held'} ({speed:.2f} simulated h/min)"
            bar.update(task, completed=done_s, description=said)
            if is_endless and done_s >= total_s:
                break
        ran.close()
    return results


def _shrunk(template: "SimulateRequest", failed: "SimulateResult") -> "Reproduction":
    from mmd.simulation.simulate import shrink  # noqa: PLC0415

    typer.echo(f"seed {failed.seed}: {failed.broken}: shrinking ...", err=True)
    return shrink(msgspec.structs.replace(template, seed=failed.seed), failed)


def _line(found: "Reproduction") -> str:
    kinds = ", ".join(f.kind.value for f in found.faults) or "no fault"
    return (
        f"{found.result.broken} (event {found.result.events}, {kinds})\n"
        f"  to see it again: {found.command}"
    )
