"""A tape through book and features in batch: level updates a second, reading from disk included.

Run it by itself: `python -m tests.bench.tape TAPE`; without a tape a synthetic one is made.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from mmd.core.market.record import DIFF, SNAPSHOT
from mmd.tape.book_replay import BookReplay
from mmd.tape.format import LAST_IN_FRAME, ROW, Rows, TapeHeader
from mmd.tape.reader import Tape, open_tape
from mmd.tape.writer import tape_writer
from tests.session import instrument

LEVELS_PER_FRAME = 8


def synthetic_rows(frames: int, seed: int = 1) -> Rows:
    """Diffs of eight levels at and near the touch, after a snapshot of 400 levels a side."""
    rng = np.random.default_rng(seed)
    opening = np.zeros(800, ROW)
    opening["kind"], opening["side"] = SNAPSHOT, np.repeat([0, 1], 400)
    opening["price_ticks"] = np.concatenate(
        [np.arange(100_000, 99_600, -1), np.arange(100_001, 100_401)]
    )
    opening["qty_lots"] = 50
    opening["flags"][-1] = LAST_IN_FRAME
    rows = np.zeros((frames, LEVELS_PER_FRAME), ROW)
    number = np.arange(1, frames + 1)[:, None]
    rows["kind"], rows["first"], rows["last"], rows["prev"] = DIFF, number, number, number - 1
    rows["ts_recv_ns"] = number * 10_000_000
    rows["ts_event_ns"] = rows["ts_recv_ns"]
    rows["side"] = rng.integers(0, 2, rows.shape)
    away = rng.geometric(0.1, rows.shape)
    rows["price_ticks"] = np.where(rows["side"] == 0, 100_001 - away, 100_000 + away)
    rows["qty_lots"] = rng.integers(0, 2, rows.shape) * rng.integers(1, 100, rows.shape)
    rows["flags"][:, -1] = LAST_IN_FRAME
    return np.concatenate([opening, rows.ravel()])


def rate(tape: Tape) -> tuple[int, int, float]:
    """Frames, level updates, and CPU seconds that one whole replay took."""
    warm = BookReplay()
    began = time.process_time()
    warm.run(tape)
    seconds = time.process_time() - began
    return int(warm.tally["frames"][0]), int(warm.tally["levels"][0]), seconds


def table(path: Path | None = None, repeats: int = 3) -> Table:
    """The best of so many replays."""
    with tempfile.TemporaryDirectory() as folder:
        if path is None:
            path = Path(folder) / "bench.tape.parquet"
            with tape_writer(path, TapeHeader(instrument=instrument(), source="bench")) as writer:
                writer.write(synthetic_rows(250_000))
        tape = open_tape(path)
        rate(tape)
        frames, levels, seconds = min((rate(tape) for _ in range(repeats)), key=lambda r: r[2])
    out = Table(title="Tape from disk through book, features and volatility, one thread of kernels")
    for column in ("tape", "frames", "levels", "CPU s", "frames/s", "level updates/s"):
        out.add_column(column, justify="left" if column == "tape" else "right")
    shares = (f"{frames / seconds:,.0f}", f"{levels / seconds:,.0f}")
    out.add_row(
        tape.header.instrument.symbol, f"{frames:,}", f"{levels:,}", f"{seconds:.2f}", *shares
    )
    return out


if __name__ == "__main__":
    Console().print(table(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
