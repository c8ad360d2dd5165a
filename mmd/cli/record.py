"""`mmd record`: a venue's live market data to tapes."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from mmd import config
from mmd.cli.options import AsJson, ConfigFile, Overrides, duration_s, parse_overrides
from mmd.cli.results import tell
from mmd.errors import ConfigError
from mmd.shell import log

_NS_PER_S = 1_000_000_000

EXAMPLES = """
Examples:

  mmd record --config deploy/config/embedded.toml recordings --for 10m

  mmd record -c mmd.toml recordings --rotate-every 15m --flush-every 500ms

A folder per instrument: recordings/BTCUSDT/000001.tape.parquet, 000002... ; mmd tape reads the folder as one.
"""


def record(
    folder: Annotated[
        Path, typer.Argument(help="where to record; an instrument gets a folder in it")
    ],
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    for_: Annotated[
        str | None,
        typer.Option("--for", help="end by itself after this, e.g. 60s or 2h", metavar="DURATION"),
    ] = None,
    rotate_every: Annotated[
        str, typer.Option(help="begin a new segment after this", metavar="DURATION")
    ] = "1h",
    rotate_rows: Annotated[
        int, typer.Option(help="begin a new segment after so many rows", min=1_000)
    ] = 20_000_000,
    flush_every: Annotated[
        str,
        typer.Option(
            help="bring rows to the disk so often: what a crash can lose", metavar="DURATION"
        ),
    ] = "1s",
    as_json: AsJson = False,
) -> None:
    """Record a venue's market data until Ctrl-C; recording into the same folder again continues there.

    No orders are sent and no keys are used. After a crash at most --flush-every is lost: the next start (or mmd tape
    recover) makes a tape of the rest, and marks the hole.
    """
    if config_file is None:
        raise ConfigError("no settings: pass --config FILE (examples in deploy/config)")
    changes = dict(parse_overrides(overrides)) | {"quoting.enabled": False}
    settings = config.load(config_file, changes)
    log.configure(settings.log.level, settings.log.format)
    flush_s = duration_s(flush_every)
    from mmd.recording import RecordOptions, run_recording  # noqa: PLC0415 - loads the compiler
    from mmd.tape.recorder import Rotation  # noqa: PLC0415

    options = RecordOptions(
        folder,
        "mmd " + shlex.join(sys.argv[1:]),
        Rotation(int(duration_s(rotate_every) * _NS_PER_S), rotate_rows),
        flush_s,
        None if for_ is None else duration_s(for_),
    )
    typer.echo(f"recording to {folder}; a crash loses at most the last {flush_s:g} s", err=True)
    made = run_recording(settings, options)
    recovered = [{"tape": path, "rows": rows} for path, rows in made.recovered]
    recorded = [
        {"folder": folder / symbol, "frames": frames, "rows": made.rows[symbol]}
        for symbol, frames in made.frames.items()
    ]
    lines = [
        *(f"{p}: {n:,} rows of an interrupted recording recovered" for p, n in made.recovered),
        *(f"{r['folder']}: {r['frames']:,} frames, {r['rows']:,} rows" for r in recorded),
    ]
    tell({"recovered": recovered, "recorded": recorded}, lines, as_json=as_json)
