"""The results of stress tests, on a terminal of 80 columns: figures of every run, then what kept some of them from quoting."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

if TYPE_CHECKING:
    from mmd.simulation.result import StressResult

_FIGURES = ("fills", "hedges", "inventory", "loss", "allowed", "PnL", "quoted")


def stress_tables(results: "Sequence[StressResult]") -> list[Table]:
    """Inventory and loss are the largest of the run; red is a run that broke a bound."""
    tables = [_figures(results)]
    stopped = [r for r in results if r.withdrawals or _levels(r)]
    return [*tables, _reasons(stopped)] if stopped else tables


def _figures(results: "Sequence[StressResult]") -> Table:
    table = _table("Stress tests: inventory and loss at their largest")
    for heading in _FIGURES:
        table.add_column(heading, justify="right", no_wrap=True)
    for r in results:
        table.add_row(
            r.preset,
            str(r.seed),
            str(r.fills),
            str(r.fills_by_purpose.get("hedge", 0)),
            f"{r.inventory_ratio_max:.0%}",
            f"{r.loss:.2f}",
            f"{r.loss_allowed:.0f}",
            f"{r.pnl:+.2f}",
            f"{r.quoted_ratio:.0%}",
            style="red" if r.faults else None,
        )
    return table


def _reasons(results: "Sequence[StressResult]") -> Table:
    table = _table("What kept them from quoting")
    table.add_column("withdrawn for")
    table.add_column("risk levels")
    for r in results:
        withdrawn = ", ".join(f"{reason} {n}" for reason, n in r.withdrawals.items())
        table.add_row(r.preset, str(r.seed), withdrawn, _levels(r))
    return table


def _levels(result: "StressResult") -> str:
    return ", ".join(f"{s.level} ({s.reason}) {s.at_s:.0f} s" for s in result.levels if s.reason)


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=0, show_edge=False)
    table.add_column("preset", no_wrap=True)
    table.add_column("seed", justify="right", no_wrap=True)
    return table
