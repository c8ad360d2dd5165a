"""The guardian on real sockets: whatever becomes of the daemon, its orders are gone at the exchange in time."""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp

from adapters.binance_spot.order_ids import decode_id
from adapters.binance_spot.sandbox import Sandbox, SandboxOptions
from mmd.core.units import ClientOrderId
from tests.daemon import EMBEDDED
from tests.frame_proxy import FrameProxy
from tests.live_daemon import WAIT_S, LiveDaemon, running
from tests.sandbox_client import RestClient

ACCOUNT = "main"
LEASE_S = 1.0
BOOK_AGE_S, TIMEOUT_S = 3.0, 2.0
"""Until a silent book is too old, and until a cancel that nobody answers is in doubt."""
SLACK_S = 5.0
"""What finding it out and cancelling may take on a machine that does other things as well; idle it is 0.1."""
QUICK = ("guardian.lease_s=1.0", "venues.embedded.recv_window_ms=500")


def settings(*more: str) -> list[str]:
    """As options of the command line."""
    return [word for pair in (*QUICK, *more) for word in ("--set", pair)]


def ours(sandbox: Sandbox) -> list[str]:
    """Client ids of our working orders, from the exchange's own book."""
    orders = sandbox.exchange.history.open_orders(ACCOUNT, 0)
    return [o.client_order_id for o in orders if decode_id(o.client_order_id) is not None]


async def gone(sandbox: Sandbox, began: float) -> float:
    """Seconds from then until none of our orders works."""
    async with asyncio.timeout(WAIT_S):
        while ours(sandbox):  # noqa: ASYNC110 - the exchange signals nothing
            await asyncio.sleep(0.005)
    return time.monotonic() - began


def note(what: str, seconds: float) -> None:
    """The figure, for whoever reads the output."""
    print(f"orders gone {1e3 * seconds:.0f} ms after {what} (lease {1e3 * LEASE_S:.0f} ms)")


async def guarded(daemon: LiveDaemon, count: int = 1) -> None:
    """Wait until both sides are quoted and the guardian answers."""
    await daemon.quoting()
    await daemon.event("guardian_answers", count)


async def place_by_hand(sandbox: Sandbox) -> str:
    """An order that somebody else places in the same account; returns its client id."""
    async with aiohttp.ClientSession() as http:
        client = RestClient(http, sandbox)
        status, placed, _ = await client.signed(
            "POST",
            "/api/v3/order",
            symbol="MMDUSDT",
            side="BUY",
            type="LIMIT",
            timeInForce="GTC",
            quantity="0.100",
            price="90.00",
            newClientOrderId="by-hand",
        )
    assert status == 200, placed
    return "by-hand"


async def test_a_guardian_of_mmd_run_survives_and_sees_to_hung_and_dead_engines(
    tmp_path: Path,
) -> None:
    """It dies and comes back unnoticed; an engine that stands still loses its orders; so does a killed family."""
    async with (
        Sandbox(SandboxOptions(seed=5)) as sandbox,
        running(tmp_path, sandbox.port, *settings()) as daemon,
    ):
        await guarded(daemon)
        os.kill(daemon.pid_of("mmd.guardian_process"), signal.SIGKILL)
        await daemon.event("guardian_restarted")
        await guarded(daemon, 2)
        assert not daemon.logged("lease_lost")
        assert not daemon.logged("private_down")

        stopped_at = time.monotonic()
        os.kill(daemon.engine_pid, signal.SIGSTOP)
        seconds = await gone(sandbox, stopped_at)
        note("SIGSTOP of the engine", seconds)
        assert LEASE_S / 2 < seconds < LEASE_S + SLACK_S
        row = await daemon.event("orders_gone")
        assert row["canceled"] > 1
        before = {number(o) for o in sandbox.exchange.history.all_orders(ACCOUNT, 0)}
        await asyncio.sleep(1.0)
        assert ours(sandbox) == []
        os.kill(daemon.engine_pid, signal.SIGCONT)
        down = await daemon.event("private_down")
        assert down["reason"].startswith("the process stood still for")
        await daemon.event("private_up", 2)
        await daemon.event("lease_was_lost")
        row = await daemon.quoting()
        assert row["position_drift_atoms"] == 0
        assert not before & {number(o) for o in sandbox.exchange.history.open_orders(ACCOUNT, 0)}
        assert (await daemon.state())["guardian"]["losses"] >= 1
        assert "mmd_guardian_leases_lost_total" in (await daemon.get("/metrics"))[1]

        engine, guardian = daemon.engine_pid, daemon.pid_of("mmd.guardian_process")
        rss_mib = resident_mib(guardian)
        print(f"the guardian takes {rss_mib:.0f} MiB, the engine {resident_mib(engine):.0f}")
        assert rss_mib < 80
        killed_at = time.monotonic()
        daemon.process.kill()
        os.kill(engine, signal.SIGKILL)
        seconds = await gone(sandbox, killed_at)
        note("SIGKILL of the engine and its parent", seconds)
        assert seconds < LEASE_S + SLACK_S
        await daemon.ended()
        assert daemon.logged("orders_gone")[-1]["canceled"] > 0


def number(order: Any) -> ClientOrderId | None:
    """Our number of an exchange's order."""
    return decode_id(order.client_order_id)


def resident_mib(pid: int) -> float:
    """Memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [x for x in status.splitlines() if x.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


async def test_the_engine_alone_is_killed(tmp_path: Path) -> None:
    """Its parent tells the guardian at once; strangers' orders stay; the next session starts from nothing."""
    async with Sandbox(SandboxOptions(seed=5)) as sandbox:
        async with running(tmp_path, sandbox.port, *settings("guardian.lease_s=20")) as daemon:
            await guarded(daemon)
            stranger = await place_by_hand(sandbox)
            killed_at = time.monotonic()
            os.kill(daemon.engine_pid, signal.SIGKILL)
            seconds = await gone(sandbox, killed_at)
            note("SIGKILL of the engine, its parent lives", seconds)
            assert seconds < SLACK_S
            done = await daemon.ended()
        assert done.code == 1
        (line,) = done.error_lines
        assert line.startswith(
            "mmd: the engine was killed by signal 9: the guardian saw its orders"
        )
        left = sandbox.exchange.history.open_orders(ACCOUNT, 0)
        assert [o.client_order_id for o in left] == [stranger]


async def test_a_guardian_on_another_host(tmp_path: Path) -> None:
    """Over TCP with a token: it sees to an engine whose network to the venue is cut, and to one that is gone."""
    async with Sandbox(SandboxOptions(seed=5)) as sandbox, FrameProxy(sandbox.rest_url) as proxy:
        own = f"guardian.venues.embedded.rest_url={sandbox.rest_url}"
        shared = ["guardian.token=a-long-random-text", "embedded.autostart=false"]
        process, at = await listening(tmp_path, sandbox.port, *QUICK, *shared, own)
        try:
            more = [*shared, f"guardian.address={at}"]
            async with running(tmp_path, proxy.port, *settings(*more)) as daemon:
                await guarded(daemon)
                stranger = await place_by_hand(sandbox)
                cut_at = time.monotonic()
                await proxy.cut()
                seconds = await gone(sandbox, cut_at)
                note("the engine's network to the venue was cut", seconds)
                assert seconds < LEASE_S + SLACK_S
                async with asyncio.timeout(SLACK_S):  # it hears of it with its next renewal
                    while (await daemon.state())["guardian"]["losses"] == 0:  # noqa: ASYNC110 - another process
                        await asyncio.sleep(0.05)
                proxy.restore()
                await daemon.quoting()

                swallowed_at, proxy.swallows = time.monotonic(), True
                seconds = await gone(sandbox, swallowed_at)
                note("the engine's network swallowed everything", seconds)
                assert seconds < BOOK_AGE_S + TIMEOUT_S + LEASE_S + SLACK_S
                proxy.restore()
                await daemon.quoting()
                engine, killed_at = daemon.engine_pid, time.monotonic()
                daemon.process.kill()
                os.kill(engine, signal.SIGKILL)
                seconds = await gone(sandbox, killed_at)
                note("SIGKILL of the whole family, the guardian elsewhere", seconds)
                assert LEASE_S / 2 < seconds < LEASE_S + SLACK_S
                left = sandbox.exchange.history.open_orders(ACCOUNT, 0)
                assert [o.client_order_id for o in left] == [stranger]
                assert process.returncode is None
                await asyncio.sleep(2.0 * LEASE_S)  # it looks once more after the receive window
        finally:
            process.terminate()
            _, err = await process.communicate()
    assert process.returncode == 0, err.decode()


async def listening(cwd: Path, port: int, *pairs: str) -> tuple[asyncio.subprocess.Process, str]:
    """A guardian that stands alone, and where it listens."""
    pairs = (*pairs, f"embedded.port={port}", "guardian.listen=127.0.0.1:0", "log.format=json")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "mmd.cli.main", "guardian", "--config", str(EMBEDDED)),
        *(word for pair in pairs for word in ("--set", pair)),
        cwd=cwd,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    async with asyncio.timeout(WAIT_S):
        row = json.loads(await process.stderr.readline())
    assert row["event"] == "guardian_up"
    return process, row["at"]
