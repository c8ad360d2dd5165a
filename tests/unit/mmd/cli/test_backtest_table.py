"""Results of backtests fit a terminal of 80 columns without a cut heading or number."""

from decimal import Decimal
from io import StringIO

import pytest
from rich.console import Console

from mmd.backtest.result import BacktestResult
from mmd.cli.backtest_table import result_tables


def told(queue: str, overrides: dict[str, str]) -> BacktestResult:
    """A run with large numbers in every column."""
    return BacktestResult(
        tape="nexo.tape.parquet",
        instrument="binance_spot NEXOUSDT",
        strategy="glft",
        queue=queue,
        seed=7,
        seconds=86_400.0,
        wall_s=60.0,
        cpu_s=60.0,
        book_frames=101_620,
        frames=120_000,
        frames_per_s=1_693.7,
        decisions=220_000,
        commands=209_408,
        orders=104_704,
        rejected=3,
        fills=11_543,
        maker_fills=11_543,
        turnover=Decimal(1_000_000),
        position=Decimal("-1289.28"),
        position_lots_max=130_000,
        pnl=Decimal("-1121.71"),
        edge=Decimal("1104.38"),
        inventory=Decimal("-1101.4"),
        fees=Decimal("1124.69"),
        quoted_ratio=1.0,
        markout_ticks={"5s": -10.09},
        feed_gaps=0,
        state="ACTIVE",
        level="NORMAL",
        identity_error=0,
        overrides=overrides,
    )


@pytest.mark.parametrize(
    "overrides", [{}, {"quoting.levels": "3", "quoting.spread_model": "avellaneda_stoikov"}]
)
def test_nothing_is_cut_on_a_terminal_of_80_columns(overrides: dict[str, str]) -> None:
    """Every heading and number stands whole on one line of its own run."""
    out = StringIO()
    for table in result_tables([told("risk_averse", overrides), told("log", overrides)]):
        Console(file=out, width=80).print(table)
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in out.getvalue()
    words = [w for line in lines if line.startswith("risk_averse") for w in line.split()]
    assert {"104,704", "11,543", "-1,289", "-10.09", "100%"} <= set(words)
    assert {"-1,122", "+1,104", "-1,101", "1,125"} <= set(words)
    assert set(overrides.values()) <= set(words)
    headings = {w for line in lines if line.startswith("queue") for w in line.split()}
    assert {"orders", "fills", "position", "5s", "quoted", "PnL", "invent.", "fees"} <= headings
