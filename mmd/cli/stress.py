"""`mmd stress`: the daemon's engine in markets that a market maker must survive, on virtual time."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from mmd.cli.options import AsJson, ConfigFile, Overrides, duration_s, parse_overrides
from mmd.errors import MmdError

if TYPE_CHECKING:
    from mmd.simulation.result import StressResult

EXAMPLES = """
Examples:

  mmd stress

  mmd stress --preset flash_crash --seeds 10 --for 30m --set risk.loss_max=20

  mmd stress --preset news_jump --seeds 1 --for 2m --journal var/stress && mmd explain last --journal var/stress
"""
_Preset = Annotated[
    list[str] | None,
    typer.Option(help="of the generated market; repeatable; default: every stress preset"),
]
_Seeds = Annotated[int, typer.Option(help="runs of each preset, from seed 1 on", min=1)]
_FirstSeed = Annotated[int, typer.Option(help="the first seed", min=0)]
_For = Annotated[str, typer.Option("--for", help="how long each run is, e.g. 90s, 10m, 2h")]
_Jobs = Annotated[int, typer.Option(help="runs at a time, each in a process of its own", min=1)]
_Journal = Annotated[
    Path | None, typer.Option(help="keep each session's journal in here", metavar="FOLDER")
]


def stress(
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    preset: _Preset = None,
    seeds: _Seeds = 3,
    first_seed: _FirstSeed = 1,
    length: _For = "10m",
    jobs: _Jobs = 1,
    journal: _Journal = None,
    as_json: AsJson = False,
) -> None:
    """Run the engine against the generated exchange and hold it against its bounds.

    Fails where an invariant breaks, inventory passes 110 % of its limit, the loss passes the configured stop and
    the cost of closing, or quotes are not withdrawn where they must be.
    """
    from mmd.cli.stress_tables import stress_tables  # noqa: PLC0415
    from mmd.shell.warmup import compile_progress  # noqa: PLC0415 - loads the compiler, as what follows
    from mmd.simulation.stress import PRESETS, StressRequest, load_settings, run_all  # noqa: PLC0415

    requests = [
        StressRequest(
            preset=name,
            seed=seed,
            seconds=duration_s(length),
            config=config_file,
            overrides=parse_overrides(overrides),
            journal=journal,
        )
        for name in preset or PRESETS
        for seed in range(first_seed, first_seed + seeds)
    ]
    load_settings(requests[0])
    with compile_progress():
        results = run_all(requests, jobs, None if as_json else _tell)
    if as_json:
        rows = [msgspec.to_builtins(r) | {"faults": r.faults} for r in results]
        typer.echo(msgspec.json.encode(rows).decode())
    else:
        from rich.console import Console  # noqa: PLC0415

        for table in stress_tables(results):
            Console().print(table)
    faults = [f"{r.preset} seed {r.seed}: {fault}" for r in results for fault in r.faults]
    if faults:
        raise MmdError("\n".join(faults))


def _tell(result: "StressResult") -> None:
    verdict = "; ".join(result.faults) or "within bounds"
    speed = result.seconds / max(result.wall_s, 1e-9)
    typer.echo(f"{result.preset} seed {result.seed}: {verdict} ({speed:.0f} x real time)", err=True)
