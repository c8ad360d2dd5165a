"""Wire to wire on loopback: depth frame written to the client, to the first bytes of an order read from it.

Each client runs in a process of its own against the same embedded exchange, which plays the same market. A tap on
the wire takes the time, so that the exchange's own work is not measured and all clients are measured alike. Where
there are two cores or more, clients have one (or the rest) to themselves, as they would on a trading host.
"""

import asyncio
import os
import sys
import tempfile
import zlib
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import uvloop
from rich.table import Table

from mmd.shell.exchange_process import ExchangeProcess
from tests.bench import moving_market
from tests.bench.quantiles import row
from tests.bench.tap import Tap
from tests.daemon import EMBEDDED

ROOT = Path(__file__).parents[2]
OURS = "mmd, GLFT"
WATCHED = "mmd, page open, scraped"
COLD = "mmd, not kept warm"
SPINNING = "mmd, spinning"
PLAIN = {"answers only, no maker": "noop", "websockets + orjson, no model": "orjson"}
CLIENTS = (OURS, SPINNING, WATCHED, COLD, *PLAIN, "ccxt.pro")
SETTLE_S = 6.0
START_S = 60.0
CORES = sorted(os.sched_getaffinity(0))
SKIP = 20
"""First frames that are not counted: clients warm up."""


class Measured(NamedTuple):
    """One client at one pace."""

    answers_ns: list[int]
    frames: int
    cpu_us_per_frame: float


async def measure(client: str, frames: int, gap_ms: float) -> Measured:
    """Run one client against so many moves, gap_ms apart."""
    with tempfile.TemporaryDirectory() as folder:
        tape = Path(folder) / "moving.txt"
        moving_market.write_tape(tape, frames, int(gap_ms * 1e6), int(SETTLE_S * 1e9))
        os.sched_setaffinity(0, CORES[:1])
        exchange = ExchangeProcess(
            ["--port", "0", "--tape", str(tape), "--orders-per-10s", "10000000"]
        )
        tap = Tap(int((await exchange.start()).rsplit(":", 1)[1]), SKIP)
        process = await _start(client, await tap.start(), Path(folder))
        watchers = await _watch(Path(folder)) if client == WATCHED else None
        try:
            async with asyncio.timeout(frames * gap_ms / 1e3 + START_S):
                await _until(lambda: tap.moves >= SKIP, client, process)
                before = _cpu_s(process.pid)
                await _until(lambda: tap.moves >= frames, client, process)
                after = _cpu_s(process.pid)
        finally:
            for running in (watchers, process):
                if running is not None and running.returncode is None:
                    running.terminate()
                    await running.wait()
            tap.stop()
            await exchange.stop()
    counted = max(tap.moves - SKIP, 1)
    return Measured(tap.answers_ns, counted, (after - before) * 1e6 / counted)


async def _until(condition: Callable[[], bool], client: str, process: Process) -> None:
    while not condition():
        if process.returncode is not None:
            raise RuntimeError(
                f"{client} ended with exit code {process.returncode} before the market did"
            )
        await asyncio.sleep(0.05)


async def _watch(folder: Path) -> Process:
    """Somebody who looks at the daemon's page, and a scraper."""
    return await _run("-m", "tests.bench.watchers", f"http://127.0.0.1:{_page_port(folder)}")


def _page_port(folder: Path) -> int:
    """A port for the daemon's page, the same for one run's folder."""
    return 20_000 + zlib.crc32(str(folder).encode()) % 10_000


async def _run(*command: str) -> Process:
    """A Python process on the clients' cores."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        cwd=ROOT,
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, CORES[1:] or CORES),
    )


async def _start(client: str, port: int, folder: Path) -> Process:
    """The client's process, told where the exchange is."""
    half_spread = str(moving_market.HALF_SPREAD_BPS)
    rest, stream = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
    api = f"{stream}/ws-api/v3"
    if client in PLAIN:
        addresses = (stream, api)
        command = [
            "-m",
            "tests.bench.plain_makers",
            PLAIN[client],
            *addresses,
            moving_market.SYMBOL,
            half_spread,
        ]
    elif client == "ccxt.pro":
        addresses = (rest, stream, api)
        command = ["-m", "tests.bench.ccxt_maker", *addresses, "BENCH/USDT", half_spread]
    else:
        settings = {
            "embedded.autostart": "false",
            "embedded.port": str(port),
            "http.port": str(_page_port(folder)),
            "journal.folder": str(folder / "journal"),
            "quoting.spread_bps_min": str(2 * moving_market.HALF_SPREAD_BPS),
            "quoting.requote_tolerance_bps": "0",
            "risk.orders_per_10s": "100000000",
            "risk.orders_per_day": "1000000000",
            "risk.messages_per_minute": "1000000000",
        }
        if client == COLD:
            settings["latency.keep_warm_ms"] = "0"
        if client == SPINNING:
            settings["latency.spin"] = "true"
        pairs = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
        command = ["-m", "mmd.cli.main", "run", "--config", str(EMBEDDED), *pairs]
    return await _run(*command)


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
    out = Table(title="Wire to wire on loopback, taken by a tap at the client's side (µs)")
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
            try:
                measured = uvloop.run(measure(client, frames, gap_ms))
            except TimeoutError:
                out.add_row(client, f"{gap_ms:g} ms", "not measured: heard no market in time")
                continue
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
