"""What it costs to put a record into the journal: on the loop that trades, to a real file."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.table import Table

from mmd.core.commands import ReplaceOrder
from mmd.core.events import Decision
from mmd.core.market.record import DIFF, MARKET
from mmd.core.units import ClientOrderId, InstrumentId, Side, TimeInForce
from mmd.jit.kernel import new
from mmd.journal.writer import JournalWriter
from tests.bench.quantiles import row
from tests.session import SESSION, session_spec

BATCH = 50
"""Appends between two looks at the clock, which would otherwise be much of what is measured."""
LEVELS = 30


def table(count: int = 100_000) -> Table:
    """Microseconds per append, by kind of record."""
    market = new(MARKET)
    market["kind"], market["n"] = DIFF, LEVELS // 2
    first = ClientOrderId(SESSION << 32 | 1)
    command = ReplaceOrder(
        InstrumentId(0), first, ClientOrderId(first + 1), Side.BUY, 10_000, 5, TimeInForce.POST_ONLY
    )
    decision = Decision(123_456_789_012, 12_345)
    out = Table(title=f"Journal: one append (µs, mean of {BATCH} in a row)")
    for column in ("record", "bytes", "p50", "p90", "p99"):
        out.add_column(column, justify="left" if column == "record" else "right")
    with tempfile.TemporaryDirectory() as folder:
        journal = JournalWriter(
            Path(folder) / "journal", session_spec(), segment_bytes=1 << 28, sync_ns=50_000_000
        )
        kinds: dict[str, Callable[[], None]] = {
            f"frame of {LEVELS} levels": lambda: journal.market(market),
            "decision": lambda: journal.event(decision),
            "order": lambda: journal.command(command),
        }
        for name, append in kinds.items():
            before = journal.bytes_written
            each = [_batch(append) for _ in range(count // BATCH)]
            size = (journal.bytes_written - before) / (len(each) * BATCH)
            out.add_row(name, f"{size:.0f}", *row([int(ns) for ns in np.array(each)], 2))
        journal.close()
    return out


def _batch(append: Callable[[], None]) -> float:
    began = time.perf_counter_ns()
    for _ in range(BATCH):
        append()
    return (time.perf_counter_ns() - began) / BATCH
