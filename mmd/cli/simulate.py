"""`mmd simulate`: whole systems with faults on virtual time, from seeds; a failing seed is shrunk to one line."""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from mmd.cli.options import AsJson, ConfigFile, Overrides, parse_overrides
from mmd.errors import ConfigError, MmdError

if TYPE_CHECKING:
    from mmd.simulation.fault import FaultKind
    from mmd.simulation.results_file import ResultsFile
    from mmd.simulation.simulate import Reproduction, SimulateRequest, SimulateResult

EXAMPLES = """
Examples:

  mmd simulate --seeds 20 --minutes 2

  mmd simulate --hours 10 --jobs 2 --faults crash,entry_down,answer_lost

  mmd simulate --first-seed 7 --seeds 1 --seconds 41 --only 3,9
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
    results_file: _Results = None,
    as_json: AsJson = False,
) -> None:
    """Run exchanges, failing networks and daemons that crash, and check every invariant after each event.

    A failing seed is shrunk to the fewest faults and the shortest time, and printed as one line that shows it again.
    """
    from mmd.simulation.results_file import ResultsFile  # noqa: PLC0415 - loads the compiler
    from mmd.simulation.simulate import SimulateRequest, load_settings  # noqa: PLC0415

    template = SimulateRequest(
        seed=first_seed,
        seconds=minutes * 60.0 if seconds is None else seconds,
        kinds=_kinds(faults),
        only=_numbers(only),
        config=config_file,
        overrides=parse_overrides(overrides),
    )
    if template.seconds <= 0.0:
        raise ConfigError(f"--minutes: expected more than 0, found {minutes:g}")
    load_settings(template)
    last = None if hours is not None else first_seed + seeds
    kept = None if results_file is None else ResultsFile(results_file)
    before = [] if kept is None else kept.read()
    if before:
        following = max(first_seed, max(r.seed for r in before) + 1)
        template = msgspec.structs.replace(template, seed=following)
    requests = _requests(template, last)
    until_s = None if hours is None else hours * _S_PER_HOUR
    began_s = time.perf_counter()
    total_s = seeds * template.seconds if until_s is None else until_s
    results = _run(requests, jobs, until_s, total_s, before, kept)
    wall_s = time.perf_counter() - began_s
    found = [_shrunk(template, r) for r in results if r.broken]
    if as_json:
        typer.echo(msgspec.json.encode({"results": results, "failures": found}).decode())
    else:
        _report(results, wall_s)
    if found:
        raise MmdError("\n".join(_line(f) for f in found))


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


def _requests(template: "SimulateRequest", last: int | None) -> "Iterator[SimulateRequest]":
    """A request for each seed; without a last one there is no end."""
    for seed in itertools.count(template.seed):
        if last is not None and seed >= last:
            return
        yield msgspec.structs.replace(template, seed=seed)


def _run(
    requests: "Iterator[SimulateRequest]",
    jobs: int,
    until_s: float | None,
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
        ran = run_seeds(requests if until_s is None or done_s < until_s else iter(()), jobs)
        for result in ran:
            results.append(result)
            if kept is not None:
                kept.append(result)
            done_s += result.simulated_s
            speed = (done_s - before_s) / 60.0 / max(time.perf_counter() - began_s, 1e-9)
            said = f"seed {result.seed}: {result.broken or 'held'} ({speed:.2f} simulated h/min)"
            bar.update(task, completed=done_s, description=said)
            if until_s is not None and done_s >= until_s:
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


def _report(results: "list[SimulateResult]", wall_s: float) -> None:
    hours = sum(r.simulated_s for r in results) / _S_PER_HOUR
    failed = sum(bool(r.broken) for r in results)
    kinds: dict[str, int] = {}
    for result in results:
        for kind, n in result.faults.items():
            kinds[kind] = kinds.get(kind, 0) + n
    typer.echo(
        f"{len(results)} seeds, {hours:.2f} simulated hours, {sum(r.wall_s for r in results):.0f} s of runs "
        f"in {wall_s:.0f} s: {failed} failed"
    )
    typer.echo(
        f"{sum(r.events for r in results):,} events, {sum(r.orders for r in results):,} orders, "
        f"{sum(r.fills for r in results):,} fills, {sum(r.crashes for r in results):,} crashes, "
        f"{sum(r.guarded for r in results):,} times the guardian saw all gone, "
        f"{sum(r.checks for r in results):,} checks ({sum(r.checks_at_rest for r in results):,} at rest), "
        f"worst case {max((r.worst_case_ratio_max for r in results), default=0.0):.0%} of the limit"
    )
    cpu_s = sum(r.cpu_s for r in results)
    typer.echo(f"{hours * _S_PER_HOUR / max(cpu_s, 1e-9):.0f} times real time on one core")
    typer.echo("faults: " + (", ".join(f"{k} {n}" for k, n in sorted(kinds.items())) or "none"))
