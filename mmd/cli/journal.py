"""`mmd journal`: look into a recorded session, verify it, replay it."""

import functools
import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from mmd.cli.journal_arbitrage import arbitrage
from mmd.cli.journal_files import export, tidy
from mmd.cli.options import AsJson
from mmd.errors import JournalError
from mmd.journal.format import Kind, Record, command_decoder, event_decoder, spec_decoder
from mmd.journal.reader import records, session_at, size_on_disk

journal = typer.Typer(no_args_is_help=True, help="Look into recorded sessions.")
for command in (arbitrage, export, tidy):
    journal.command()(command)
Folder = Annotated[
    Path,
    typer.Argument(
        help="a session's folder, or the journal folder: then its latest session", show_default=True
    ),
]
_DEFAULT = Path("var/journal")


@journal.command()
def show(
    folder: Folder = _DEFAULT,
    kind: Annotated[
        list[str] | None, typer.Option(help="only these, e.g. --kind Fill --kind PlaceOrder")
    ] = None,
    limit: Annotated[int, typer.Option(help="stop after so many lines; 0: all", min=0)] = 0,
) -> None:
    """Print records as one JSON object a line.

    Example: mmd journal show --kind Fill --kind OrderRejected
    """
    printed = 0
    for record in records(session_at(folder)):
        row = _row(record)
        if kind and row["kind"] not in kind:
            continue
        typer.echo(json.dumps(row, default=str))
        printed += 1
        if limit and printed >= limit:
            break


@journal.command()
def verify(folder: Folder = _DEFAULT, as_json: AsJson = False) -> None:
    """Check every record's checksum and sequence and count what is there.

    Example: mmd journal verify var/journal
    """
    session = session_at(folder)
    counts = Counter(_row(record)["kind"] for record in records(session))
    result = {
        "session": session.name,
        "bytes": size_on_disk(session),
        "records": sum(counts.values()),
        "kinds": dict(counts),
    }
    if as_json:
        typer.echo(json.dumps(result))
        return
    typer.echo(f"{session}: {result['records']} records verify, {result['bytes']:,} bytes")
    for name, count in counts.most_common():
        typer.echo(f"  {name:<18} {count:>10,}")


@journal.command()
def replay(
    folder: Folder = _DEFAULT,
    models: Annotated[
        Path | None,
        typer.Option(help="the registry of models, if it is not where the session had it"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the recorded session through a fresh engine and compare every command byte by byte.

    Example: mmd journal replay var/journal
    """
    from mmd.journal.replay import replay as replay_session  # noqa: PLC0415 - loads the compiler
    from mmd.shell.warmup import compile_progress  # noqa: PLC0415
    from models.serving import models_of  # noqa: PLC0415

    session = session_at(folder)
    with compile_progress():
        result = replay_session(session, models=models_of(session, models))
    equal = result.divergence is None
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "session": session.name,
                    "events": result.events,
                    "commands": result.commands,
                    "equal": equal,
                }
            )
        )
    elif equal:
        typer.echo(
            f"{session}: {result.events:,} events replayed to {result.commands:,} byte-equal commands"
        )
    if result.divergence is not None:
        at = result.divergence
        raise JournalError(
            f"{at.record.segment} offset {at.record.offset} record {at.record.sequence}: replay differs; "
            f"recorded {_command_text(at.recorded)}, replayed {_command_text(at.replayed)}"
        )


def _command_text(body: bytes | None) -> str:
    return "no command" if body is None else str(command_decoder.decode(body))


@functools.cache
def _market_names() -> dict[int, str]:
    from mmd.core.market import record  # noqa: PLC0415 - loads the compiler, which the command line does without

    names = ("SNAPSHOT", "DIFF", "TOP", "TRADE", "PARTIAL")
    return {getattr(record, name): name.capitalize() for name in names}


def _row(record: Record) -> dict[str, Any]:
    """A record as something JSON can print; market records by their head only."""
    row: dict[str, Any] = {"sequence": record.sequence}
    match record.kind:
        case Kind.MARKET:
            words = memoryview(record.body).cast("q")
            row |= {
                "kind": _market_names()[words[0] & 0xFF],
                "instrument": words[0] >> 16,
                "ts_recv_ns": words[2],
            }
            row |= {"first": words[3], "last": words[4], "bids": words[6], "asks": words[7]}
        case Kind.EVENT:
            event = event_decoder.decode(record.body)
            row |= {"kind": type(event).__name__} | {
                f: getattr(event, f) for f in event.__struct_fields__
            }
        case Kind.COMMAND:
            command = command_decoder.decode(record.body)
            row |= {"kind": type(command).__name__} | {
                f: getattr(command, f) for f in command.__struct_fields__
            }
        case Kind.HEADER:
            row |= {"kind": "Header"} | msgspec.to_builtins(spec_decoder.decode(record.body))
    return row
