"""The results of backtests side by side, on a terminal."""

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmd.backtest.result import BacktestResult


def result_table(results: "Sequence[BacktestResult]") -> Table:
    """One line a run: what differs between them, fills and money."""
    first = results[0]
    title = f"{first.instrument} {first.strategy}"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("queue", no_wrap=True, min_width=max(len(r.queue) for r in results))
    for key in first.overrides:
        table.add_column(key.rpartition(".")[2], justify="right", overflow="fold")
    headings = (
        "orders",
        "fills",
        "position",
        "PnL",
        "edge",
        "invent.",
        "fees",
        "5s t",
        "quoted",
    )
    for heading in headings:
        table.add_column(heading, justify="right", overflow="fold")
    for result in results:
        table.add_row(result.queue, *result.overrides.values(), *_cells(result))
    return table


def _cells(result: "BacktestResult") -> tuple[str, ...]:
    markout = result.markout_ticks.get("5s")
    return (
        f"{result.orders:,}",
        f"{result.fills:,}",
        f"{result.position:+,.2f}",
        f"{result.pnl:+,.2f}",
        f"{result.edge:+,.2f}",
        f"{result.inventory:+,.2f}",
        f"{result.fees:,.2f}",
        "-" if markout is None else f"{markout:+.2f}",
        f"{result.quoted_ratio:.0%}",
    )
