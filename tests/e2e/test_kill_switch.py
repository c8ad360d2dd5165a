"""The kill switch end to end: every operator's way in, and orders gone by the exchange's own book."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import aiohttp

from adapters.binance_spot.order_ids import decode_id
from adapters.binance_spot.sandbox import Sandbox, SandboxOptions
from tests.daemon import mmd
from tests.live_daemon import WAIT_S, LiveDaemon, running

ACCOUNT, TOKEN = "main", "t0ken-of-the-test"


def ours(sandbox: Sandbox) -> list[Any]:
    """Our working orders, from the exchange's own book."""
    orders = sandbox.exchange.history.open_orders(ACCOUNT, 0)
    return [o for o in orders if decode_id(o.client_order_id) is not None]


async def at_level(daemon: LiveDaemon, level: str) -> dict[str, Any]:
    """The state once that level is reached."""
    async with asyncio.timeout(WAIT_S):
        while (state := await daemon.state())["risk_level"] != level:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return state


async def halted(daemon: LiveDaemon, sandbox: Sandbox, reason: str) -> None:
    """HALTED is reached only when every order is confirmed gone: it must be so at the exchange, then and after."""
    state = await at_level(daemon, "HALTED")
    assert ours(sandbox) == []
    assert state["risk_reason"] == reason
    await asyncio.sleep(0.3)
    assert ours(sandbox) == []


async def resumed(daemon: LiveDaemon, folder: Path) -> None:
    """By command, until both sides are quoted."""
    done = await asyncio.to_thread(mmd, "resume", "--journal", "var/journal", cwd=folder)
    assert done.code == 0, done.err
    await at_level(daemon, "NORMAL")
    await daemon.quoting()


async def test_every_operators_way_in_leaves_no_order(tmp_path: Path) -> None:
    """HTTP with the token, the command line, the signal, the file; and resume after each."""
    async with (
        Sandbox(SandboxOptions(seed=5)) as sandbox,
        running(tmp_path, sandbox.port, "--set", f"http.token={TOKEN}") as daemon,
    ):
        await daemon.quoting()
        address = (await daemon.event("started"))["dashboard"]
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{address}/api/control/halt", headers=headers) as answer,
        ):
            assert answer.status == 200
        await halted(daemon, sandbox, "OPERATOR")
        await resumed(daemon, tmp_path)

        done = await asyncio.to_thread(mmd, "halt", "--journal", "var/journal", cwd=tmp_path)
        assert done.code == 0, done.err
        await halted(daemon, sandbox, "OPERATOR")
        await resumed(daemon, tmp_path)

        os.kill(daemon.process.pid, signal.SIGUSR1)
        await halted(daemon, sandbox, "OPERATOR")
        await resumed(daemon, tmp_path)

        file = tmp_path / "var/journal/HALT"
        file.touch()
        await halted(daemon, sandbox, "OPERATOR")
        file.unlink()
        await resumed(daemon, tmp_path)
        who = [row["who"] for row in daemon.logged("operator_command") if row["action"] == "halt"]
        assert len(who) >= 4
        done, _ = await daemon.end(signal.SIGTERM)
        assert done.code == 0, done.err
        assert ours(sandbox) == []
