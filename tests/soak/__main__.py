"""Soak: ten million messages at full speed, or `mmd run` on the embedded exchange in real time with `--for 1h`.

Prints memory, descriptors, tasks or threads, and latency at the start and at the end.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

from adapters.binance_spot.sandbox import Sandbox, SandboxOptions
from mmd.cli.options import duration_s
from tests.live_daemon import LiveDaemon, running
from tests.load.__main__ import soak

_EVERY_S = 30.0
_WARM_SHARE = 0.5
"""Of the time: until then what is remembered up to a bound (4,096 orders, as many fills, texts of prices) fills up."""
_GROWTH_MAX = 0.01


class Sample(NamedTuple):
    """The engine's process at one moment."""

    minute: float
    resident_mib: float
    """Without mapped files: the journal's pages stay in memory until its segment is full."""
    descriptors: int
    threads: int
    tasks: int
    """Of its event loop."""
    tick_to_order_p50_us: float
    tick_to_order_p99_us: float
    fills: int
    identity_error: int


@contextlib.asynccontextmanager
async def _daemon(folder: Path) -> AsyncIterator[LiveDaemon]:
    async with (
        Sandbox(SandboxOptions(seed=5)) as sandbox,
        running(folder, sandbox.port, wait_s=180.0) as daemon,
    ):
        await daemon.quoting()
        yield daemon


def _sample(pid: int, state: dict[str, Any]) -> Sample:
    process, row = Path(f"/proc/{pid}"), state["instruments"][0]
    fields = dict(
        line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line
    )
    return Sample(
        state["uptime_s"] / 60.0,
        int(fields["RssAnon"].split()[0]) / 1024,
        sum(1 for _ in (process / "fd").iterdir()),
        int(fields["Threads"]),
        state["process"]["tasks"],
        state["tick_to_order_us"]["p50"],
        state["tick_to_order_us"]["p99"],
        row["fills"],
        row["identity_error"],
    )


async def watch(seconds: float) -> list[Sample]:
    """Run the daemon for so long, with a sample every half minute."""
    samples: list[Sample] = []
    with tempfile.TemporaryDirectory(prefix="mmd-soak-") as folder:
        async with _daemon(Path(folder)) as daemon:
            loop = asyncio.get_running_loop()
            until_s = loop.time() + seconds
            while loop.time() < until_s:
                samples.append(_sample(daemon.engine_pid, await daemon.state()))
                print(" | ".join(f"{value:,.1f}" for value in samples[-1]), flush=True)
                await asyncio.sleep(min(_EVERY_S, max(0.0, until_s - loop.time())))
    return samples


def judged(samples: list[Sample]) -> tuple[str, bool]:
    """What came of it from the end of the warm-up on, and whether all of it held."""
    last = samples[-1]
    before = [s for s in samples if s.minute < _WARM_SHARE * last.minute]
    warm = samples[len(before)]
    grown = last.resident_mib / warm.resident_mib - 1.0
    wrong = max(abs(s.identity_error) for s in samples)
    said = (
        f"minute {warm.minute:.1f} to {last.minute:.1f}: memory {warm.resident_mib:.1f} -> {last.resident_mib:.1f} MiB "
        f"({grown:+.2%}; {samples[0].resident_mib:.1f} at the start), "
        f"descriptors {warm.descriptors} -> {last.descriptors}, threads {warm.threads} -> {last.threads}, "
        f"tasks {warm.tasks} -> {last.tasks}, "
        f"tick to order p50 {warm.tick_to_order_p50_us:.0f} -> {last.tick_to_order_p50_us:.0f} us, p99 "
        f"{warm.tick_to_order_p99_us:.0f} -> {last.tick_to_order_p99_us:.0f} us, {last.fills} fills, "
        f"identity error {wrong}"
    )
    known = before or samples
    more = last.descriptors > max(s.descriptors for s in known)
    more = more or last.tasks > max(s.tasks for s in known)
    return said, not (grown > _GROWTH_MAX or more or wrong != 0)


def main() -> int:
    """The command; returns 1 where memory, descriptors or tasks grew, or PnL does not add up."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument(
        "--for",
        dest="real_time",
        help="in real time, e.g. 1h; from 40m on memory has levelled off by half time",
    )
    parser.add_argument("--messages", type=int, default=10_000_000)
    given = parser.parse_args()
    if not given.real_time:
        return soak(given.messages)
    samples = asyncio.run(watch(duration_s(given.real_time)))
    said, holds = judged(samples)
    print(said)
    return int(not holds)


if __name__ == "__main__":
    sys.exit(main())
