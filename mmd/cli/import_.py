"""`mmd import`: market data of other formats into a tape, validated on the way."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from mmd.cli.options import AsJson
from mmd.core.instrument import Kind
from mmd.errors import ConfigError
from mmd.tape.importers.formats import Format
from mmd.tape.importers.meter import Meter
from mmd.tape.importers.options import ImportOptions
from mmd.tape.names import SUFFIX

if TYPE_CHECKING:
    from mmd.tape.validation import Finding

EXAMPLES = """
Examples:

  mmd import binance-raw day1.gz day2.gz btc.tape.parquet

  mmd import lobster AAPL_2012-06-21_34200000_57600000_message_10.csv aapl.tape.parquet

  mmd import tardis trades.csv.gz incremental_book_L2.csv.gz btc.tape.parquet --tick 0.1 --lot 0.001

  mmd import nbbo 20131007_quote.zip 20131007_trade.zip bac.tape.parquet --allow crossed_book

Formats: see mmd import --list.
"""


def import_(
    format_name: Annotated[
        str, typer.Argument(metavar="FORMAT", help="what the sources are; --list shows them")
    ] = "",
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="SOURCE... OUT", help=f"source files, then the tape, *{SUFFIX}"),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="show the formats and end")] = False,
    symbol: Annotated[str | None, typer.Option(help="symbol, where the data does not say")] = None,
    venue: Annotated[str | None, typer.Option(help="venue's name for the header")] = None,
    base: Annotated[str | None, typer.Option(help="asset that is traded")] = None,
    quote: Annotated[str | None, typer.Option(help="asset that it is priced in")] = None,
    kind: Annotated[str | None, typer.Option(help="spot, linear or inverse")] = None,
    tick: Annotated[
        str | None, typer.Option(help="price step; default: the greatest that fits the data")
    ] = None,
    lot: Annotated[
        str | None, typer.Option(help="quantity step; default: the greatest that fits the data")
    ] = None,
    day: Annotated[
        str | None, typer.Option(help="YYYY-MM-DD of times that count from midnight")
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            help="count this issue instead of stopping at it; repeatable", metavar="ISSUE"
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="replace an existing tape")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import market data into a tape: checked, counted, nothing repaired; half a tape is never left behind."""
    formats = _formats()
    if list_:
        for name, known in sorted(formats.items()):
            typer.echo(f"{name:<13} {known.summary}")
        return
    chosen = _format(formats, format_name)
    sources, out = _paths(paths or [], overwrite)
    options = ImportOptions(
        venue=venue,
        symbol=symbol,
        base=base,
        quote=quote,
        kind=_kind(kind),
        tick=_step("--tick", tick),
        lot=_step("--lot", lot),
        day=_day(day),
        command="mmd " + shlex.join(sys.argv[1:]),
    )
    _run(chosen, sources, out, options, allow or [], as_json)


def _run(
    chosen: Format,
    sources: list[Path],
    out: Path,
    options: ImportOptions,
    allow: list[str],
    as_json: bool,
) -> None:
    """Import and report."""
    from mmd.shell.warmup import compile_progress  # noqa: PLC0415 - loads the compiler
    from mmd.tape.importing import import_tape  # noqa: PLC0415

    with _progress() as meter, compile_progress():
        source = chosen.importer()(sources, options, meter)
        result = import_tape(source, out, allow=allow, on_batch=meter.report)
    if as_json:
        found = {f.issue.name: {"count": f.times, "places": f.places} for f in result.findings}
        header = msgspec.to_builtins(result.header)
        typer.echo(
            msgspec.json.encode(
                {"header": header, "findings": found, "left_out": result.left_out}
            ).decode()
        )
        return
    console = Console()
    if result.findings:
        console.print(_report(result.findings))
    else:
        console.print("validation: time, sequence, books, prices and sizes: nothing wrong")
    for what, times in sorted(result.left_out.items()):
        console.print(
            f"left out: {times:,} {what}" if not what.startswith("(") else f"note: {what[1:-1]}"
        )
    at, counts = result.header.instrument, result.header.counts
    inferred = " (tick inferred)" if result.header.is_tick_inferred else ""
    inferred += " (lot inferred)" if result.header.is_lot_inferred else ""
    console.print(
        f"{out}: {at.venue} {at.symbol} tick {at.tick_size:f} lot {at.lot_size:f}{inferred}, {counts.rows:,} rows, "
        + ", ".join(f"{n:,} {name}" for name, n in sorted(counts.frames.items())),
        soft_wrap=True,
    )


def _report(findings: "list[Finding]") -> Table:
    """What validation found, one line an issue."""
    table = Table(title="validation", title_justify="left")
    table.add_column("issue")
    table.add_column("count", justify="right")
    table.add_column("first at", overflow="fold")
    for finding in findings:
        table.add_row(finding.issue.name, f"{finding.times:,}", "\n".join(finding.places))
    return table


@contextmanager
def _progress() -> Iterator[Meter]:
    """A bar on the terminal, by bytes of the sources; nothing where standard error is no terminal."""
    columns = (TextColumn("importing"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, disable=not console.is_terminal, transient=True
    ) as bar:
        task = bar.add_task("importing", total=None)
        yield Meter(lambda done, total: bar.update(task, completed=done, total=total or None))


def _formats() -> dict[str, Format]:
    from adapters.registry import RECORDING_FORMATS  # noqa: PLC0415 - adapters load only for this
    from mmd.tape.importers.formats import FORMATS  # noqa: PLC0415

    return FORMATS | RECORDING_FORMATS


def _format(formats: dict[str, Format], name: str) -> Format:
    found = formats.get(name)
    if found is None:
        raise ConfigError(
            f"FORMAT: expected one of {', '.join(sorted(formats))}, found {name!r} (mmd import --list)"
        )
    return found


def _paths(paths: list[Path], overwrite: bool) -> tuple[list[Path], Path]:
    if len(paths) < 2:
        raise ConfigError("expected SOURCE... OUT: at least one source and the tape to write")
    *sources, out = paths
    if not out.name.endswith(SUFFIX):
        raise ConfigError(f"OUT: expected a name that ends in {SUFFIX}, found {str(out)!r}")
    if out.exists() and not overwrite:
        raise ConfigError(f"{out} exists; name another tape or pass --overwrite")
    if not out.absolute().parent.is_dir():
        raise ConfigError(f"{out}: its folder does not exist; create it first")
    return sources, out


def _kind(text: str | None) -> Kind | None:
    if text is None:
        return None
    try:
        return Kind[text.upper()]
    except KeyError:
        raise ConfigError(f"--kind: expected spot, linear or inverse, found {text!r}") from None


def _step(option: str, text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        step = Decimal(text)
    except InvalidOperation:
        step = Decimal(0)
    if not (step.is_finite() and step > 0):
        raise ConfigError(f"{option}: expected a decimal number above zero, found {text!r}")
    return step


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--day: expected a date like 2012-06-21, found {text!r}") from None
