"""`mmd report`: what recorded sessions came to, for the terminal, for programs and as one HTML file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from mmd.cli.options import AsJson
from mmd.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from mmd.analytics.report import Report

_PERIODS = ("day", "week", "month")
_WIDE = 120
"""Characters from which there is room for definitions."""
_WIDE_PERIODS = 200
"""And from which there is for every column of the periods."""
_PERIOD_BRIEF = ("period", "PnL", "spread", "fees", "inventory", "max drawdown", "fills")
EXAMPLES = "Example: mmd report var/journal --out report.html --period week"


def report(
    journal: Annotated[
        Path,
        typer.Argument(help="a session's folder, or the journal folder: then all its sessions"),
    ] = Path("var/journal"),
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="HTML to write", metavar="FILE.html")
    ] = None,
    period: Annotated[str, typer.Option(help="day, week or month: one row each")] = "day",
    as_json: AsJson = False,
) -> None:
    """Measure the latest session of a journal, sum up all of them by period, write an HTML report.

    Journals of live sessions and of backtests are the same.
    """
    if period not in _PERIODS:
        raise ConfigError(f"--period {period!r}: expected one of {', '.join(_PERIODS)}")
    from rich.console import Console  # noqa: PLC0415 - slow to load, as is what follows

    from mmd.analytics.periods import Period  # noqa: PLC0415 - loads the compiler
    from mmd.analytics.report import make_report, save_html  # noqa: PLC0415
    from mmd.shell.warmup import compile_progress  # noqa: PLC0415

    with compile_progress():
        made = make_report(journal, Period(period))
    if out is not None:
        save_html(made, out)
    if as_json:
        typer.echo(_json(made))
        return
    _show(made, Console())
    if out is not None:
        typer.echo(f"{out}: {out.stat().st_size:,} bytes")


def _json(made: "Report") -> str:
    """The report for programs: names and units as in mmd.analytics."""
    content = {
        "session": str(made.session.folder),
        "metrics": made.metrics,
        "periods": made.periods,
        "skipped": made.skipped,
    }
    return msgspec.json.encode(content).decode()


def _show(made: "Report", console: "Console") -> None:
    from rich.table import Table  # noqa: PLC0415

    from mmd.analytics.report import facts, warnings  # noqa: PLC0415
    from mmd.analytics.tables import PERIOD_HEADER, period_cells, sections  # noqa: PLC0415

    for line in facts(made.session):
        console.print(line, highlight=False)
    for line in warnings(made):
        console.print(line, style="red", highlight=False)
    is_wide = console.width >= _WIDE
    names = ("metric", "value", "95 % interval") + (("meaning",) if is_wide else ())
    for measured in made.metrics:
        table = Table(*names, title=f"{measured.venue}:{measured.symbol}")
        for section in sections(measured):
            table.add_section()
            table.add_row(f"[bold]{section.title}[/]")
            for row in section.rows:
                table.add_row(*row[: len(names)])
        console.print(table)
    shown = PERIOD_HEADER if console.width >= _WIDE_PERIODS else _PERIOD_BRIEF
    periods = Table(*shown, title="By period (UTC)")
    for period in made.periods:
        cells = dict(zip(PERIOD_HEADER, period_cells(period), strict=True))
        periods.add_row(*[cells[name] for name in shown])
    console.print(periods)
