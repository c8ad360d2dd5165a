"""`mmd tape`: look into tapes, verify them, chart them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from mmd.cli.options import AsJson
from mmd.cli.results import tell
from mmd.cli.tape_generate import generate

if TYPE_CHECKING:
    from mmd.tape.format import TapeHeader

tape = typer.Typer(no_args_is_help=True, help="Look into tapes of market data.")
tape.command()(generate)
TapePath = Annotated[Path, typer.Argument(help="a tape, or the folder that mmd record wrote")]


@tape.command()
def info(path: TapePath, as_json: AsJson = False) -> None:
    """Show what a tape holds and where it comes from.

    Example: mmd tape info btc.tape.parquet
    """
    from mmd.tape.reader import open_tape  # noqa: PLC0415 - loads the compiler, which help does without

    opened = open_tape(path)
    header, size = opened.header, sum(file.stat().st_size for file in opened.files)
    if as_json:
        row = msgspec.to_builtins(header) | {"files_on_disk": len(opened.files), "bytes": size}
        typer.echo(json.dumps(row))
        return
    for name, value in _facts(header).items():
        typer.echo(f"{name:<12} {value}")
    rows = max(header.counts.rows, 1)
    typer.echo(
        f"{'on disk':<12} {len(opened.files)} files, {size:,} bytes, {size / rows:.1f} a row"
    )


@tape.command()
def head(
    path: TapePath,
    frames: Annotated[int, typer.Option("--frames", "-n", help="how many", min=1)] = 10,
    levels: Annotated[int, typer.Option(help="levels a side to show of each", min=0)] = 3,
) -> None:
    """Print the first frames, one JSON object a line, in prices and quantities.

    Example: mmd tape head btc.tape.parquet -n 20
    """
    from mmd.tape.shown_frames import shown_frames  # noqa: PLC0415

    for number, row in enumerate(shown_frames(path, levels)):
        if number == frames:
            break
        typer.echo(json.dumps(row))


@tape.command()
def verify(
    path: TapePath,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            help="count this issue instead of stopping at it; repeatable", metavar="ISSUE"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read a whole tape, check it as an import does, and compare its counts with its header.

    Example: mmd tape verify btc.tape.parquet
    """
    from mmd.shell.warmup import compile_progress  # noqa: PLC0415
    from mmd.tape.reader import open_tape  # noqa: PLC0415
    from mmd.tape.verifying import verify_tape  # noqa: PLC0415

    opened = open_tape(path)
    with compile_progress(), _progress("verifying", opened.header.counts.rows) as on_rows:
        findings = verify_tape(opened, allow or [], on_rows)
    if as_json:
        issues = {f.issue.name: {"count": f.times, "places": f.places} for f in findings}
        typer.echo(json.dumps({"rows": opened.header.counts.rows, "issues": issues}))
        return
    typer.echo(f"{path}: {opened.header.counts.rows:,} rows verify")
    for finding in findings:
        typer.echo(f"  {finding.issue.name:<18} {finding.times:>10,}  {'; '.join(finding.places)}")


@tape.command()
def plot(
    path: TapePath,
    out: Annotated[Path | None, typer.Argument(help="HTML file; default: beside the tape")] = None,
    points: Annotated[int, typer.Option(help="moments to show", min=10, max=200_000)] = 4_000,
    as_json: AsJson = False,
) -> None:
    """Chart touch, mid, trades, spread and depth into one HTML file that needs nothing else.

    Example: mmd tape plot btc.tape.parquet btc.html --points 10000
    """
    from mmd.shell.warmup import compile_progress  # noqa: PLC0415
    from mmd.tape.plot import write_chart  # noqa: PLC0415
    from mmd.tape.reader import open_tape  # noqa: PLC0415

    opened = open_tape(path)
    target = out or path.with_name(path.name.split(".")[0] + ".html")
    with compile_progress():
        shown = write_chart(opened, target, points)
    rows = opened.header.counts.rows
    result = {"chart": target, "moments": shown, "rows": rows}
    tell(result, [f"{target}: {shown:,} moments of {rows:,} rows"], as_json=as_json)


@tape.command()
def recover(
    folder: Annotated[Path, typer.Argument(help="a folder that mmd record was killed in")],
    as_json: AsJson = False,
) -> None:
    """Make tapes of what an interrupted recorder had on disk; a restart of mmd record does the same.

    Example: mmd tape recover recordings/BTCUSDT
    """
    from mmd.tape.recorder import recover_segments  # noqa: PLC0415

    made = recover_segments(folder)
    lines = [f"{path}: {rows:,} rows recovered" for path, rows in made]
    result = {"recovered": [{"tape": path, "rows": rows} for path, rows in made]}
    tell(result, lines or [f"{folder}: nothing to recover"], as_json=as_json)


@contextmanager
def _progress(what: str, total: int) -> Iterator[Any]:
    """A bar on the terminal; the yielded function is told how many rows more are done."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda rows: bar.advance(task, rows)


def _facts(header: "TapeHeader") -> dict[str, str]:
    """A header for people."""
    at, counts = header.instrument, header.counts
    seconds = (counts.last_ns - counts.first_ns) / 1e9
    return {
        "instrument": f"{at.venue} {at.symbol} ({at.base}/{at.quote}, {at.kind.name.lower()})",
        "tick": f"{at.tick_size:f}" + (" (inferred)" if header.is_tick_inferred else ""),
        "lot": f"{at.lot_size:f}" + (" (inferred)" if header.is_lot_inferred else ""),
        "source": f"{header.source}: {', '.join(header.files)}" if header.files else header.source,
        "command": header.command,
        "sequence": "the venue's" if header.has_sequence else "numbered by the importer",
        "received": "measured" if header.has_recv_time else "running maximum of the venue's times",
        "from, to": f"{_utc(counts.first_ns)} .. {_utc(counts.last_ns)} ({seconds:,.1f} s)",
        "rows": f"{counts.rows:,}",
        "frames": ", ".join(f"{n:,} {name}" for name, n in sorted(counts.frames.items())),
        "issues": _issues(header),
    }


def _issues(header: "TapeHeader") -> str:
    """What the import counted; a recording is checked by `mmd tape verify`."""
    if header.source == "record":
        return "not checked; see mmd tape verify"
    return ", ".join(f"{n:,} {name}" for name, n in sorted(header.issues.items())) or "none"


def _utc(ts_ns: int) -> str:
    """Nanoseconds since 1970 as a UTC time."""
    return f"{datetime.fromtimestamp(ts_ns // 10**9, UTC):%Y-%m-%d %H:%M:%S}.{ts_ns % 10**9 // 10**6:03d}"
