"""`mmd models bench`: what a prediction costs on this machine, by part and backend, beside the plain way."""

import json
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from mmd.cli.options import AsJson


def bench(
    hidden: Annotated[
        list[int] | None, typer.Option(help="sizes of the network; repeatable", min=1)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure each part of a prediction, back to back on one core.

    Example: mmd models bench --hidden 64
    """
    import msgspec  # noqa: PLC0415

    from models import bench as parts  # noqa: PLC0415 - loads the compiler

    found = list(parts.bench(tuple(hidden or (64, 128))))
    timings = [f for f in found if not isinstance(f, parts.Skipped)]
    skipped = [f for f in found if isinstance(f, parts.Skipped)]
    if as_json:
        told = {"timings": msgspec.to_builtins(timings), "skipped": [s._asdict() for s in skipped]}
        typer.echo(json.dumps(told | {"chosen": parts.chosen()}))
        return
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("part", overflow="fold")
    table.add_column("backend", overflow="fold")
    for heading in ("p50 us", "p99 us", "CPU us", "ratio"):
        table.add_column(heading, justify="right", no_wrap=True)
    for t in timings:
        ratio = "" if t.ratio is None else f"{t.ratio:.1f}"
        table.add_row(
            t.part, t.backend, f"{t.p50_us:.1f}", f"{t.p99_us:.1f}", f"{t.cpu_us:.1f}", ratio
        )
    Console().print(table)
    for line in skipped:
        typer.echo(f"{line.backend}: {line.why}")
    typer.echo("ratio: CPU time against that of the compiled kernel for the same part")
    typer.echo(f"chosen here by models.backend = auto: {parts.chosen()}")
