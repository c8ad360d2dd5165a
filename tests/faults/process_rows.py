"""What can happen to the daemon's process: signals, stalls, limits of the operating system."""

import asyncio
import os
import resource
import signal
from pathlib import Path

from mmd.core.events import FeedDown, PrivateDown
from tests.faults.alone_rows import AloneFamily, Told, now_ns, stretch
from tests.faults.rig import Rig, rig

FAMILY = AloneFamily("process")
_row = FAMILY.row
_STOP_S = 5.0
_STALL_S = 4.0


async def gone(made: Rig) -> int:
    """When the exchange held none of our orders any more."""
    async with asyncio.timeout(20):
        while made.working():  # noqa: ASYNC110 - the exchange signals nothing
            await asyncio.sleep(0.005)
    return now_ns()


async def _ends(folder: Path, number: signal.Signals) -> Told:
    async with rig(folder) as made, made.started() as daemon:
        injected_ns = made.mark()
        ending = asyncio.create_task(daemon.end(number))
        gone_ns = await gone(made)
        done, seconds = await ending
        assert (done.code, done.error_lines) == (0, []), done.err
        slow = stretch()
        assert seconds < _STOP_S * slow, (
            f"took {seconds:.1f} s where time is stretched by {slow:.1f}"
        )
        return Told(
            injected_ns,
            gone_ns,
            injected_ns + int(seconds * 1e9),
            f"quotes confirmed gone, journal closed, ended in {seconds:.1f} s (others stretch time by {slow:.1f})",
            made.losses_at_end(),
        )


@_row("SIGTERM")
async def sigterm(folder: Path) -> Told:
    return await _ends(folder, signal.SIGTERM)


@_row("SIGINT")
async def sigint(folder: Path) -> Told:
    return await _ends(folder, signal.SIGINT)


async def restarted(made: Rig, injected_ns: int, seen: str, *arguments: str, **env: str) -> Told:
    """A new daemon: the old orders are gone before its first, and its position is the venue's."""
    async with made.started(*arguments, **env) as daemon:
        made.witness.poll()
        session = made.witness.session
        assert session != 0, "a journal begins with its session's number"
        old = [o for o in made.working_ids() if o >> 32 != session]
        at_ns = await made.recovered(injected_ns)
        orders, fills, drift = await made.losses()
        await daemon.end(signal.SIGTERM)
        return Told(injected_ns, None, at_ns, seen, (orders + len(old), fills, drift))


@_row("kill -9 of the engine, then a restart")
async def kill_9(folder: Path) -> Told:
    async with rig(folder) as made:
        async with made.started() as daemon:
            injected_ns = made.mark()
            done, _ = await daemon.end(signal.SIGKILL, daemon.engine_pid)
            assert done.code == 1
        return await restarted(made, injected_ns, "old orders taken back before the first new one")


@_row("kill -9 of the parent")
async def kill_parent(folder: Path) -> Told:
    async with rig(folder) as made, made.started() as daemon:
        injected_ns = made.mark()
        ending = asyncio.create_task(daemon.end(signal.SIGKILL))
        await daemon.event("parent_gone")
        gone_ns = await gone(made)
        await ending
        losses = made.losses_at_end()
        return Told(injected_ns, gone_ns, None, "the engine pulls its quotes and ends", losses)


@_row("event loop stalled for 4 s (SIGSTOP, SIGCONT)")
async def stalled(folder: Path) -> Told:
    async with rig(folder) as made, made.started() as daemon:
        pid = daemon.engine_pid
        injected_ns = made.mark()
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(_STALL_S)
        os.kill(pid, signal.SIGCONT)
        async with asyncio.timeout(30):
            while (await daemon.state())["loop_lag_us"]["max"] < 3e6:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        detected_ns = now_ns()
        at_ns = await made.recovered(detected_ns)
        losses = await made.losses()
        return Told(
            injected_ns, detected_ns, at_ns, "lag counted, what had queued up is stale", losses
        )


@_row("out of file descriptors")
async def no_descriptors(folder: Path) -> Told:
    async with rig(folder) as made, made.started() as daemon:
        pid = daemon.engine_pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        await asyncio.sleep(0.5)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, before[1]))
        injected_ns = await made.fault(fault="cut", how="reset")
        detected_ns = await made.event(PrivateDown)
        await made.event(FeedDown)
        await made.logged("connect_failed")
        await asyncio.sleep(1.0)
        assert daemon.process.returncode is None, "it ended"
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        at_ns = await made.recovered(detected_ns)
        losses = await made.losses()
        return Told(
            injected_ns, detected_ns, at_ns, "no new connection until there are some again", losses
        )


def _address_space_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmSize"))


@_row("memory limit")
async def no_memory(folder: Path) -> Told:
    async with rig(folder) as made:
        async with made.started() as daemon:
            pid = daemon.engine_pid
            used_bytes = _address_space_bytes(pid)
            resource.prlimit(pid, resource.RLIMIT_AS, (used_bytes, used_bytes))
            injected_ns = await made.fault(
                fault="frames", kind="oversized", stream="mmdusdt@depth@100ms"
            )
            await asyncio.sleep(3)
            is_alive = daemon.process.returncode is None
            if is_alive:
                at_ns = await made.recovered(injected_ns)
                losses = await made.losses()
                seen = "the oversized frame was refused by its length; no memory was wanted for it"
                return Told(injected_ns, None, at_ns, seen, losses)
            gone_ns = await gone(made)
        return await restarted(
            made,
            injected_ns,
            f"ended, quotes gone after {(gone_ns - injected_ns) / 1e6:.0f} ms, restarted",
        )


@_row("ops process killed")
async def ops_killed(folder: Path) -> Told:
    async with rig(folder) as made, made.started() as daemon:
        injected_ns = made.mark()
        os.kill(daemon.pid_of("ops"), signal.SIGKILL)
        detected_ns = await made.logged("ops_restarted")
        async with asyncio.timeout(60):
            while True:
                try:
                    await daemon.state()
                    break
                except OSError:
                    await asyncio.sleep(0.05)
        at_ns = await made.recovered(detected_ns)
        return Told(
            injected_ns, detected_ns, at_ns, "restarted; the engine went on", await made.losses()
        )
