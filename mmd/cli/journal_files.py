"""`mmd journal export` and `tidy`: sessions for other programs, and what becomes of old ones."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from mmd.cli.options import AsJson
from mmd.journal.reader import session_at
from mmd.journal.retention import tidy as tidy_folder
from mmd.shell.clock import SystemClock

_GIB = 2**30


def export(
    folder: Annotated[
        Path,
        typer.Argument(help="a session's folder, or the journal folder: then its latest session"),
    ],
    out: Annotated[Path, typer.Argument(help="a new folder: one Parquet file a kind of record")],
    as_json: AsJson = False,
) -> None:
    """Write a session as Parquet files for pandas, polars, DuckDB.

    Example: mmd journal export var/journal session/ && duckdb -c "select side, sum(qty_lots) from 'session/Fill.parquet' group by 1"
    """
    from mmd.journal.parquet import export as export_session  # noqa: PLC0415 - loads pyarrow

    columns = (SpinnerColumn(), TextColumn("{task.completed:,} records"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        rows = export_session(
            session_at(folder), out, lambda done: progress.update(task, completed=done)
        )
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for kind, count in rows.items():
        typer.echo(f"{out / kind}.parquet {count:>12,} rows")


def tidy(
    folder: Annotated[Path, typer.Argument(help="the journal folder")] = Path("var/journal"),
    keep_days: Annotated[
        float | None, typer.Option(help="remove sessions that began longer ago", min=0)
    ] = None,
    keep_gib: Annotated[
        float | None, typer.Option(help="remove the oldest sessions beyond this size", min=0)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="only say which sessions would be removed")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compress closed segments and, if told how much to keep, remove old sessions; a running daemon does it by itself.

    The newest session of each environment always stays: the next start reads its position and the day's loss.

    Example: mmd journal tidy var/journal --keep-days 30 --dry-run
    """
    done = tidy_folder(
        folder,
        SystemClock().unix_ns(),
        compress=True,
        keep_days=keep_days,
        keep_bytes=None if keep_gib is None else round(keep_gib * _GIB),
        is_dry_run=dry_run,
    )
    if as_json:
        typer.echo(json.dumps(done._asdict()))
        return
    would = "would be removed" if dry_run else "removed"
    for name in done.removed:
        typer.echo(f"{name} {would}")
    typer.echo(
        f"{len(done.removed)} sessions {would} ({done.freed_bytes:,} bytes); "
        f"{done.compressed} segments compressed, {done.saved_bytes:,} bytes less"
    )
