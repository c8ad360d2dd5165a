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
        (address,) = await exchange.start()
        tap = Tap(int(address.rsplit(":", 1)[1]), SKIP)
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


def table(rounds: int, moves: int, gap_ms: float = 20.0) -> Table:
    """Every client in turn, so many rounds of so many moves; medians of all rounds against ours.

    In rounds, because a shared machine has better and worse minutes, which must not all fall on one client.
    """
    out = Table(
        title=f"Wire to wire on loopback, moves {gap_ms:g} ms apart, taken by a tap at the client's side (µs)"
    )
    columns = ("client", "moves", "answered", "p50", "p90", "p99", "p50 / ours", "CPU per move")
    for column in columns:
        out.add_column(column, justify="left" if column == "client" else "right")
    measured: dict[str, list[Measured]] = {client: [] for client in CLIENTS}
    for _ in range(rounds):
        for client, results in measured.items():
            results.append(uvloop.run(measure(client, moves, gap_ms)))
    ours_ns = float(np.median(_answers(measured[OURS])))
    for client, results in measured.items():
        answers = _answers(results)
        frames = sum(at.frames for at in results)
        ratio = f"{float(np.median(answers)) / ours_ns:.2f}"
        cpu = f"{np.mean([at.cpu_us_per_frame for at in results]):.0f}"
        out.add_row(client, f"{frames:,}", f"{len(answers):,}", *row(answers), ratio, cpu)
    return out


def _answers(results: Sequence[Measured]) -> list[int]:
    return [ns for result in results for ns in result.answers_ns]
