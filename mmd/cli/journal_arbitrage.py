"""`mmd journal arbitrage`: what a recorded session found, traded and routed between venues, by replaying it."""

import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from mmd.errors import JournalError
from mmd.journal.reader import session_at

_FOLDER = Annotated[
    Path, typer.Argument(help="a session's folder, or the journal folder: then its latest session")
]


def arbitrage(folder: _FOLDER = Path("var/journal")) -> None:
    """Print every opportunity, execution and route of a session as one JSON object a line.

    A replay of the journal makes them again; money is in the reporting currency, times count from the session's start.

    Example: mmd journal arbitrage var/journal-two-venues
    """
    from mmd.journal.replay import replay  # noqa: PLC0415 - loads the compiler
    from mmd.ops.crossvenue_history import CrossVenueHistory  # noqa: PLC0415
    from mmd.shell.warmup import compile_progress  # noqa: PLC0415

    session = session_at(folder)
    history = CrossVenueHistory()
    with compile_progress():
        result = replay(session, lambda engine, _: history.look(engine))
    if result.engine.crossvenue is None:
        raise JournalError(
            f"{session}: no two instruments share a base asset, or arbitrage.enabled was false; "
            "expected a session over several venues"
        )
    history.finish(result.engine)
    told = history.told
    for kind, rows in (
        ("Opportunity", told.opportunities),
        ("Execution", told.executions),
        ("Route", told.routes),
    ):
        for row in rows:
            typer.echo(json.dumps({"kind": kind} | msgspec.to_builtins(row)))
