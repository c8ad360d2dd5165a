"""What a scrape of fifty instruments costs the ops process: the engine's picture read, turned into families, written as text."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace
from rich.table import Table

from mmd.ops.example_state import example_state
from mmd.ops.exposition import exposition
from mmd.ops.metrics import StateCollector
from mmd.ops.shared_state import SharedStateReader, SharedStateWriter
from mmd.ops.state import State

INSTRUMENTS, BOOK_LEVELS, QUOTE_LEVELS, FILLS = 50, 20, 3, 50


def large_state() -> State:
    """Fifty instruments with every feature on: whole books, six working orders and fifty fills each."""
    state = example_state()
    (one,) = state.instruments
    orders = [
        replace(one.orders[0], side=side, level=level, state="WORKING")
        for side in ("BUY", "SELL")
        for level in range(QUOTE_LEVELS)
    ]
    book = replace(one.book, bids=one.book.bids * BOOK_LEVELS, asks=one.book.asks * BOOK_LEVELS)
    fills = list(one.last_fills) * FILLS
    many = [
        replace(one, symbol=f"I{number}", book=book, orders=orders, last_fills=fills)
        for number in range(INSTRUMENTS)
    ]
    return replace(state, instruments=many)


def table(runs: int) -> Table:
    """Median milliseconds of processor time and of the clock, of each step and of all together."""
    shown = Table(title=f"A scrape of {INSTRUMENTS} instruments, ms", title_justify="left")
    for heading in ("step", "processor", "clock"):
        shown.add_column(heading, justify="left" if heading == "step" else "right")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        writer = SharedStateWriter(path)
        writer.publish(large_state())
        reader = SharedStateReader(path)
        state = reader.read()
        families = list(StateCollector(lambda: state).collect())
        steps: dict[str, Callable[[], object]] = {
            "read the engine's picture": reader.read,
            "collect": lambda: list(StateCollector(lambda: state).collect()),
            "write the text": lambda: exposition(families),
            "all": lambda: exposition(StateCollector(reader.read).collect()),
        }
        for name, step in steps.items():
            shown.add_row(name, *(f"{1e3 * s:.1f}" for s in _medians_s(step, runs)))
        lines = exposition(families).count(b"\n")
        shown.caption = f"{lines:,} lines, not compressed"
        writer.close()
        reader.close()
    return shown


def _medians_s(step: Callable[[], object], runs: int) -> tuple[float, float]:
    """Of processor time and of the clock."""
    cpu_s, wall_s = [], []
    for _ in range(runs):
        began_cpu_s, began_s = time.process_time(), time.perf_counter()
        step()
        cpu_s.append(time.process_time() - began_cpu_s)
        wall_s.append(time.perf_counter() - began_s)
    return sorted(cpu_s)[runs // 2], sorted(wall_s)[runs // 2]
