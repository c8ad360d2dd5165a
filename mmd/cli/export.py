"""`mmd export`: tapes in other programs' formats."""

from pathlib import Path
from typing import Annotated

import typer

from mmd.cli.options import AsJson
from mmd.cli.results import tell
from mmd.errors import ConfigError

export = typer.Typer(no_args_is_help=True, help="Write tapes in other formats.")


@export.command()
def hftbacktest(
    tape: Annotated[Path, typer.Argument(help="a tape, or the folder that mmd record wrote")],
    out: Annotated[Path, typer.Argument(help="npz to write", metavar="OUT.npz")],
    level: Annotated[
        int, typer.Option(help="2: the book; 3: the orders, where the tape has them", min=2, max=3)
    ] = 2,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="replace an existing file")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a tape as an hftbacktest v2 event array.

    Example: mmd export hftbacktest btc.tape.parquet btc.npz
    """
    from mmd.tape.hftbacktest_export import export_hftbacktest  # noqa: PLC0415 - loads the compiler
    from mmd.tape.reader import open_tape  # noqa: PLC0415

    if out.suffix != ".npz":
        raise ConfigError(f"OUT.npz: expected a name that ends in .npz, found {str(out)!r}")
    if out.exists() and not overwrite:
        raise ConfigError(f"{out} exists; name another file or pass --overwrite")
    made = export_hftbacktest(open_tape(tape), out, level=level)
    shown = [f"{out}: {made.events:,} events"]
    if made.shift_ns:
        shown.append(
            f"receive times moved by {made.shift_ns / 1e6:,.3f} ms: some were before their events"
        )
    if made.split:
        shown.append(
            f"{made.split:,} events split in two: they came in another order than they happened"
        )
    shown += [f"left out: {times:,} {what}" for what, times in sorted(made.left_out.items())]
    tell({"file": out} | made._asdict(), shown, as_json=as_json)
