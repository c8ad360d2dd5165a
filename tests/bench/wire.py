"""Wire to wire on loopback: depth frame written by the exchange to the first order frame read by it.

Each client runs in a process of its own against the same embedded exchange, which plays the same market. Time
is taken by the exchange alone, on one clock, so all clients are measured alike.
"""

import asyncio
import os
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.table import Table

from adapters.binance_spot.sandbox import Sandbox, SandboxOptions
from tests.bench import moving_market
from tests.bench.quantiles import row
from tests.daemon import EMBEDDED

ROOT = Path(__file__).parents[2]
ORDER_METHODS = frozenset({"order.place", "order.cancelReplace", "order.cancel"})
OURS = "mmd, GLFT"
PLAIN = {"answers only, no maker": "noop", "websockets + orjson, no model": "orjson"}
CLIENTS = (OURS, *PLAIN, "ccxt.pro")
SETTLE_S = 6.0
SKIP = 20
"""First frames that are not counted: clients warm up."""


class Measured(NamedTuple):
    """One client at one pace."""

    answers_ns: list[int]
    frames: int
    cpu_us_per_frame: float


class Stopwatch:
    """Pairs each move of the market with the first order request that follows it."""

    def __init__(self) -> None:
        self.answers_ns: list[int] = []
        self.frames = 0
        self._written_ns = 0

    def on_frame_sent(self, ts_ns: int, stream: str, update_id: int) -> None:
        """The first frame of a move starts the watch; what follows of the same move does not."""
        del update_id
        if stream.endswith("@depth@100ms"):
            self.frames += 1
            self._written_ns = ts_ns

    def on_request(self, ts_ns: int, method: str) -> None:
        """The first order after a move stops it."""
        if method in ORDER_METHODS and self._written_ns:
            if self.frames > SKIP:
                self.answers_ns.append(ts_ns - self._written_ns)
            self._written_ns = 0


async def measure(client: str, frames: int, gap_ms: float) -> Measured:
    """Run one client against so many moves, gap_ms apart."""
    with tempfile.TemporaryDirectory() as folder:
        tape = Path(folder) / "moving.txt"
        moving_market.write_tape(tape, frames, int(gap_ms * 1e6), int(SETTLE_S * 1e9))
        watch = Stopwatch()
        options = SandboxOptions(tapes=(tape,), orders_per_10s=10**7)
        async with Sandbox(
            options, on_frame_sent=watch.on_frame_sent, on_request=watch.on_request
        ) as sandbox:
            process = await _start(client, sandbox, Path(folder))
            before, after = 0.0, 0.0
            try:
                while watch.frames < SKIP:
                    _expect_alive(client, process)
                    await asyncio.sleep(0.05)
                before = _cpu_s(process.pid)
                while watch.frames < frames:
                    _expect_alive(client, process)
                    await asyncio.sleep(0.05)
                after = _cpu_s(process.pid)
            finally:
                process.terminate()
                await process.wait()
    counted = max(watch.frames - SKIP, 1)
    return Measured(watch.answers_ns, counted, (after - before) * 1e6 / counted)


async def _start(client: str, sandbox: Sandbox, folder: Path) -> Process:
    """The client's process, told where the exchange is."""
    half_spread = str(moving_market.HALF_SPREAD_BPS)
    if client in PLAIN:
        addresses = (sandbox.stream_url, sandbox.api_url)
        command = [
            "-m",
            "tests.bench.plain_makers",
            PLAIN[client],
            *addresses,
            moving_market.SYMBOL,
            half_spread,
        ]
    elif client == "ccxt.pro":
        addresses = (sandbox.rest_url, sandbox.stream_url, sandbox.api_url)
        command = ["-m", "tests.bench.ccxt_maker", *addresses, "BENCH/USDT", half_spread]
    else:
        port = sandbox.rest_url.rsplit(":", 1)[1]
        settings = {
            "embedded.autostart": "false",
            "embedded.port": port,
            "http.port": "0",
            "journal.folder": str(folder / "journal"),
            "quoting.spread_bps_min": str(2 * moving_market.HALF_SPREAD_BPS),
            "quoting.requote_tolerance_bps": "0",
            "risk.orders_per_10s": "100000000",
            "risk.orders_per_day": "1000000000",
            "risk.messages_per_minute": "1000000000",
        }
        pairs = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
        command = ["-m", "mmd.cli.main", "run", "--config", str(EMBEDDED), *pairs]
    return await asyncio.create_subprocess_exec(
        sys.executable, *command, cwd=ROOT, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
    )


def _expect_alive(client: str, process: Process) -> None:
    if process.returncode is not None:
        raise RuntimeError(
            f"{client} ended with exit code {process.returncode} before the market did"
        )


def _cpu_s(pid: int) -> float:
    """User and system time of a process and its children so far."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:  # it has ended
            continue
        if pid in (int(stat.parent.name), int(fields[1])):
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def table(paces: Sequence[tuple[float, int]] = ((20.0, 500), (4.0, 2_000))) -> Table:
    """Every client at every pace, with its median against ours."""
    out = Table(title="Wire to wire on loopback, exchange's clock (µs)")
    for column in (
        "client",
        "gap",
        "moves",
        "answered",
        "p50",
        "p90",
        "p99",
        "p50 / ours",
        "CPU per move",
    ):
        out.add_column(column, justify="left" if column == "client" else "right")
    for gap_ms, frames in paces:
        ours_ns = 0.0
        for client in CLIENTS:
            measured = asyncio.run(measure(client, frames, gap_ms))
            median_ns = (
                float(np.median(measured.answers_ns)) if measured.answers_ns else float("nan")
            )
            ours_ns = median_ns if client == OURS else ours_ns
            counts = (f"{gap_ms:g} ms", f"{measured.frames:,}", f"{len(measured.answers_ns):,}")
            ratio = f"{median_ns / ours_ns:.2f}"
            cpu = f"{measured.cpu_us_per_frame:.0f}"
            out.add_row(client, *counts, *row(measured.answers_ns), ratio, cpu)
        out.add_section()
    return out
