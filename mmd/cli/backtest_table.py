"""The results of backtests side by side, on a terminal of 80 columns."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

if TYPE_CHECKING:
    from mmd.backtest.result import BacktestResult

_Columns = dict[str, list[str]]


def result_tables(results: "Sequence[BacktestResult]") -> list[Table]:
    """One line a run: what differs between them, fills and money; beside swept settings there is no room for both."""
    first = results[0]
    title = f"{first.instrument} {first.strategy}"
    runs: _Columns = {"queue": [r.queue for r in results]}
    for key in first.overrides:
        runs[key.rpartition(".")[2]] = [str(r.overrides[key]) for r in results]
    if first.overrides:
        return [_table(title, runs | _fills(results)), _table("", runs | _money(results))]
    return [_table(title, runs | _fills(results) | _money(results))]


def _table(title: str, columns: _Columns) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=0, show_edge=False)
    for heading in columns:
        is_first = heading == "queue"
        table.add_column(heading, justify="left" if is_first else "right", no_wrap=True)
    for row in zip(*columns.values(), strict=True):
        table.add_row(*row)
    return table


def _fills(results: "Iterable[BacktestResult]") -> _Columns:
    rows = list(results)
    markouts = [r.markout_ticks.get("5s") for r in rows]
    return {
        "orders": [f"{r.orders:,}" for r in rows],
        "fills": [f"{r.fills:,}" for r in rows],
        "position": [_short(r.position) for r in rows],
        "5s ticks": ["-" if m is None else _short(m) for m in markouts],
        "quoted": [f"{r.quoted_ratio:.0%}" for r in rows],
    }


def _money(results: "Iterable[BacktestResult]") -> _Columns:
    rows = list(results)
    return {
        "PnL": [_short(r.pnl) for r in rows],
        "edge": [_short(r.edge) for r in rows],
        "invent.": [_short(r.inventory) for r in rows],
        "fees": [_short(r.fees).removeprefix("+") for r in rows],
    }


def _short(value: float | Decimal) -> str:
    """Two decimals, fewer where the number is large."""
    size = abs(float(value))
    if size < 99.995:
        return f"{value:+.2f}"
    return f"{value:+.1f}" if size < 999.95 else f"{value:+,.0f}"
