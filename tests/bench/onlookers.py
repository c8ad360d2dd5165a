"""What pages cost: the ops process's share of a core with five of them open, and whether the engine notices one that is stuck.

Usage: python -m tests.bench.onlookers [--seconds 20] [--rounds 3]
"""

import argparse
import asyncio
import base64
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import NamedTuple

import aiohttp

from mmd.ops.histogram_state import EDGES_S
from tests.monitoring.stack import Stack, running

PAGES = 5
STUCK_S = 10.0
"""After which another stuck page takes its place; at 12 s it would be dropped, for it answers no ping."""
_TICKS_S = os.sysconf("SC_CLK_TCK")


class Seen(NamedTuple):
    """One stretch of time."""

    ops_ratio: float
    """Of a core."""
    decisions: int
    decide_us: tuple[float, float, float]
    """Mean, and upper bounds of median and 99th percentile, of the stage."""
    order_us: tuple[float, float, float]
    """The same from a message to the order."""


async def watched(stack: Stack, seconds: float, *, pages: int, stuck: bool) -> Seen:
    """A stretch with so many pages that read, and perhaps one that does not."""
    async with contextlib.AsyncExitStack() as around, aiohttp.ClientSession() as http:
        for _ in range(pages):
            await around.enter_async_context(_running(_page(http, stack.page)))
        if stuck:
            await around.enter_async_context(_running(_stuck(stack.page)))
        await asyncio.sleep(2.0)
        pid = stack.daemon.children()["ops"]
        before, cpu_s = await asyncio.to_thread(stack.state), _cpu_s(pid)
        began_s = asyncio.get_running_loop().time()
        await asyncio.sleep(seconds)
        cpu_s, took_s = _cpu_s(pid) - cpu_s, asyncio.get_running_loop().time() - began_s
        after = await asyncio.to_thread(stack.state)
    decide = [s["stages_us"]["decide"]["histogram"] for s in (before, after)]
    order = [s["tick_to_order_us"]["histogram"] for s in (before, after)]
    count = decide[1]["cumulative"][-1] - decide[0]["cumulative"][-1]
    return Seen(cpu_s / took_s, count, _between(*decide), _between(*order))


@contextlib.asynccontextmanager
async def _running(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _page(http: aiohttp.ClientSession, address: str) -> None:
    """Reads whatever comes, as a browser does."""
    async with http.ws_connect(f"{address}/api/live") as link:
        await link.send_json({"watch": "embedded:MMDUSDT"})
        async for _ in link:
            pass


async def _stuck(address: str) -> None:
    """Opens a picture and never reads of it; again whenever it must have been dropped."""
    host, port = address.removeprefix("http://").split(":")
    while True:
        _, writer = await asyncio.open_connection(host, int(port), limit=1)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET /api/live HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        await asyncio.sleep(0.5)
        words = b'{"watch": "embedded:MMDUSDT"}'
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(words))
        writer.write(bytes((0x81, 0x80 | len(words))) + mask + masked)
        await asyncio.sleep(STUCK_S)
        writer.transport.abort()


def _cpu_s(pid: int) -> float:
    """Processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_S


def _between(
    before: dict[str, list[int]], after: dict[str, list[int]]
) -> tuple[float, float, float]:
    """Mean and quantiles' bucket ends of what came between two pictures, us."""
    edges_us = [1e6 * edge for edge in EDGES_S] + [float("inf")]
    counts = [b - a for a, b in zip(before["cumulative"], after["cumulative"], strict=True)]
    if counts[-1] == 0:
        return 0.0, 0.0, 0.0
    mean_us = 1e6 * (after["total_s"] - before["total_s"]) / counts[-1]
    p50, p99 = (
        next(e for e, c in zip(edges_us, counts, strict=True) if c >= q * counts[-1])
        for q in (0.5, 0.99)
    )
    return mean_us, p50, p99


def main() -> None:
    """A row for each stretch, in turn."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--seconds", type=float, default=20.0)
    words.add_argument("--rounds", type=int, default=3)
    given = words.parse_args()
    kinds = {
        "nobody": (0, False),
        "five pages": (PAGES, False),
        "five pages, one more stuck": (PAGES, True),
    }
    print(
        "| open | ops, % of a core | decisions | decide mean us | p50 <= | p99 <= | message to order mean us |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|")
    with (
        tempfile.TemporaryDirectory(prefix="mmd-onlookers-") as folder,
        running(Path(folder)) as stack,
    ):
        stack.is_quoting()
        for _ in range(given.rounds):
            for name, (pages, stuck) in kinds.items():
                seen = asyncio.run(watched(stack, given.seconds, pages=pages, stuck=stuck))
                mean, p50, p99 = seen.decide_us
                print(
                    f"| {name} | {seen.ops_ratio:.1%} | {seen.decisions:,} | {mean:.0f} | {p50:.0f} | {p99:.0f} | "
                    f"{seen.order_us[0]:.0f} |",
                    flush=True,
                )
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
