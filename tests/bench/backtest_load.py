"""How fast and how large a backtest is: python -m tests.bench.backtest_load TAPE [FEES].

The whole engine with GLFT and the default settings, with orders, answers and fills, by itself; then once more, of the
first hour and of the whole tape, with what a report is made of and its page. Each run has a process of its own, whose
largest resident memory is told. CPU seconds are what compares on a shared machine.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from mmd.analytics.report import report_of, save_html
from mmd.backtest.run import BacktestRequest, run_watched
from mmd.backtest.settings import BacktestSettings
from mmd.core.units import NANOS_PER_SECOND
from mmd.exchange.fills.fee_tiers import fee_tier
from mmd.tape.reader import open_tape

HOUR_NS = 3_600 * NANOS_PER_SECOND
_END_OF_TIME_NS = 2**63 - 1


class Cost(NamedTuple):
    """What a run came to and what it took."""

    book_frames: int
    commands: int
    fills: int
    run_cpu_s: float
    report_cpu_s: float
    memory_mib: float


def cost(tape: Path, fees: str | None, end_ns: int, *, has_report: bool) -> Cost:
    """Run a backtest here; kernels are compiled before the clock starts."""
    settings = BacktestSettings(fees=None if fees is None else fee_tier(fees), end_ns=end_ns)
    request = BacktestRequest(tape=tape, settings=settings, is_watched=has_report)
    result, session = run_watched(request)
    began_s = time.process_time()
    if session is not None:
        with tempfile.TemporaryDirectory() as folder:
            save_html(report_of(session), Path(folder) / "report.html")
    return Cost(
        result.book_frames,
        result.commands,
        result.fills,
        result.cpu_s,
        time.process_time() - began_s,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def apart(tape: Path, fees: str | None, end_ns: int, *, has_report: bool) -> Cost:
    """The same in a new process, so that its memory is the run's alone."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(cost, tape, fees, end_ns, has_report=has_report).result()


def table(tape: Path, fees: str | None) -> Table:
    """The three runs."""
    first_ns = open_tape(tape).header.counts.first_ns
    shown = Table(title=tape.name)
    names = ("run", "book frames", "commands", "fills", "CPU s", "frames/s", "report CPU s", "MiB")
    for name in names:
        shown.add_column(name, justify="left" if name == "run" else "right")
    for name, end_ns, has_report in (
        ("whole", _END_OF_TIME_NS, False),
        ("first hour, report", first_ns + HOUR_NS, True),
        ("whole, report", _END_OF_TIME_NS, True),
    ):
        c = apart(tape, fees, end_ns, has_report=has_report)
        shown.add_row(
            name,
            f"{c.book_frames:,}",
            f"{c.commands:,}",
            f"{c.fills:,}",
            f"{c.run_cpu_s:.2f}",
            f"{c.book_frames / c.run_cpu_s:,.0f}",
            f"{c.report_cpu_s:.2f}" if has_report else "",
            f"{c.memory_mib:,.0f}",
        )
    return shown


if __name__ == "__main__":
    Console().print(table(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
