"""Results of stress tests fit a terminal of 80 columns, whole."""

import io

import msgspec
import pytest
from rich.console import Console

from mmd.cli.stress_tables import stress_tables
from mmd.simulation.result import LevelStep, StressResult
from mmd.simulation.stress import PRESETS

QUIET = StressResult(
    preset=max(PRESETS, key=len), seed=12, seconds=600.0, wall_s=1.0, cpu_s=1.0, decisions=9, commands=9,
    fills=1_234, fills_by_purpose={"hedge": 123}, inventory_ratio_max=1.08, position_ratio=0.1, pnl=-123.456,
    loss=123.45, drawdown=1.0, loss_allowed=120.0, quoted_ratio=1.0, withdrawals={}, levels=(), level="NORMAL",
    gaps=0, mismatches=0, checks=1, checks_at_rest=1,
)  # fmt: skip


def _shown(*results: StressResult) -> list[str]:
    page = io.StringIO()
    for table in stress_tables(results):
        Console(file=page, width=80).print(table)
    return page.getvalue().splitlines()


def test_no_figure_is_cut() -> None:
    """With the longest preset's name and large numbers; nothing is told of what kept nobody from quoting."""
    lines = _shown(QUIET)
    assert not any("…" in line for line in lines)
    (row,) = (line for line in lines if QUIET.preset in line)
    assert row.split()[1:] == ["12", "1234", "123", "108%", "123.45", "120", "-123.46", "100%"]
    assert not any("withdrawn for" in line for line in lines)


@pytest.mark.parametrize(
    "changes",
    [
        {"withdrawals": {"VOLATILITY": 3, "BOOK_STALE": 10}},
        {"levels": (LevelStep(0.0, "NORMAL", ""), LevelStep(61.4, "HALTED", "DRAWDOWN"))},
    ],
)
def test_what_kept_a_run_from_quoting_stands_below(changes: dict[str, object]) -> None:
    """Reasons and levels with their times, of the runs that had any."""
    lines = _shown(QUIET, msgspec.structs.replace(QUIET, seed=13, **changes))
    below = " ".join(lines[lines.index(next(x for x in lines if "withdrawn for" in x)) :])
    assert "12" not in below.split()
    wanted = "VOLATILITY 3, BOOK_STALE 10" if "withdrawals" in changes else "HALTED (DRAWDOWN) 61 s"
    assert wanted in " ".join(below.split())
