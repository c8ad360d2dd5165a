"""What can happen to this machine's clock: steps back and forward while quoting, by libfaketime."""

import asyncio
import signal
from pathlib import Path

from mmd.core.events import ClockOffset
from tests.faults.alone_rows import AloneFamily, Told
from tests.faults.process_rows import restarted
from tests.faults.rig import rig
from tests.faults.rows import SkipError

FAMILY = AloneFamily("clock")
_row = FAMILY.row
_LATENCY_S_MAX = 1.0
"""A feed that is taken to be later, or to come from the future, is judged by the wrong clock."""
_LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))


def _faked(clock: Path) -> dict[str, str]:
    """The environment of a process whose clock is off by what a file says. Raises: SkipError."""
    if not _LIBRARIES:
        raise SkipError("libfaketime is not installed (apt install faketime)")
    clock.write_text("+0s\n")
    return {
        "LD_PRELOAD": str(_LIBRARIES[0]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


async def _stepped(folder: Path, step: str, seconds: float) -> Told:
    clock = folder / "faketime"
    fake = _faked(clock)
    async with rig(folder) as made, made.started(**fake):
        await asyncio.sleep(1)
        injected_ns = made.mark()
        clock.write_text(f"{step}\n")
        detected_ns = await made.event(
            ClockOffset, holds=lambda e: abs(e.offset_ns / 1e9 + seconds) < 2
        )
        at_ns = await made.recovered(detected_ns)
        await made.seen(lambda row: abs(row["feed_latency_s"]) < _LATENCY_S_MAX)
        status, _ = await made.daemon.get("/healthz")
        assert status == 200, "the engine is taken for dead"
        seen = "measured against the venue's and made up for; engine time never goes back"
        return Told(injected_ns, detected_ns, at_ns, seen, await made.losses())


@_row("stepped back by 90 s")
async def back(folder: Path) -> Told:
    return await _stepped(folder, "-90s", -90)


@_row("stepped forward by an hour")
async def forward(folder: Path) -> Told:
    return await _stepped(folder, "+3600s", 3600)


@_row("stepped back by an hour between kill -9 and restart")
async def back_at_restart(folder: Path) -> Told:
    clock = folder / "faketime"
    fake = _faked(clock)
    async with rig(folder) as made:
        async with made.started(**fake) as daemon:
            await asyncio.sleep(1)
            made.hit()
            injected_ns = made.mark()
            done, _ = await daemon.end(signal.SIGKILL, daemon.engine_pid)
            assert done.code == 1, done.err
            first = made.witness.session
        clock.write_text("-3600s\n")
        seen = "numbered after the killed session, reconciled, quotes again"
        told = await restarted(made, injected_ns, seen, **fake)
        assert made.witness.session > first, "sessions are numbered by the clock"
        return told
