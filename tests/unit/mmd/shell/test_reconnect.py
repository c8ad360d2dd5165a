"""Keeping a connection: what is told at once, what is tried again, what ends it."""

import asyncio

import numpy as np
import pytest
import structlog

from mmd.errors import AuthError, CodecError, VenueUnreachableError
from mmd.shell.backoff import Backoff
from mmd.shell.clock import SystemClock
from mmd.shell.connect_error import HttpRefusedError
from mmd.shell.reconnect import keep_connected, while_open


class Script:
    """live_once as a list: None for a connection that was up and lost, an error for one that never was."""

    def __init__(self, *outcomes: Exception | None) -> None:
        self.outcomes = list(outcomes)
        self.at_s: list[float] = []

    async def __call__(self) -> None:
        self.at_s.append(asyncio.get_running_loop().time())
        if not self.outcomes:
            await asyncio.Event().wait()
        outcome = self.outcomes.pop(0)
        if outcome is not None:
            raise outcome


def backoff() -> Backoff:
    return Backoff(np.random.default_rng(1), first_s=0.001, longest_s=0.01)


async def keep(script: Script) -> None:
    await keep_connected(script, backoff(), SystemClock(), venue="v")


@pytest.mark.parametrize("error", [VenueUnreachableError("no"), AuthError("no"), CodecError("no")])
async def test_first_failure_is_raised(error: Exception):
    """A wrong address or key is told at once."""
    with pytest.raises(type(error)):
        await keep(Script(error))


async def test_later_failures_are_logged_and_retried():
    """After one success nothing expected ends it."""
    script = Script(None, VenueUnreachableError("gone"), AuthError("no"), CodecError("odd"), None)
    with structlog.testing.capture_logs() as logs:
        task = asyncio.create_task(keep(script))
        while len(script.at_s) < 6:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        task.cancel()
    assert [(entry["event"], entry["error"]) for entry in logs] == [
        ("connect_failed", "gone"),
        ("connect_failed", "no"),
        ("connect_failed", "odd"),
    ]
    assert logs[0]["venue"] == "v"


async def test_bugs_are_never_retried():
    """What is no expected failure goes up, whenever it happens."""
    with pytest.raises(ZeroDivisionError):
        await keep(Script(None, ZeroDivisionError()))


async def test_servers_wait_is_respected():
    """A 429 with Retry-After delays the next attempt by at least that."""
    script = Script(None, HttpRefusedError("slow down", 429, 0.2))
    task = asyncio.create_task(keep(script))
    while len(script.at_s) < 3:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    task.cancel()
    assert script.at_s[2] - script.at_s[1] >= 0.2


class Socket:
    """As much of a WebSocket as while_open needs."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self.close_reason = "reset"
        self.failure: Exception | None = None

    async def wait_closed(self) -> None:
        await self.gone.wait()


async def test_work_is_given_up_when_the_connection_goes():
    """The work is cancelled; the reason, or the failure that ended the connection, is raised."""
    cancelled = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    for failure, expected in ((None, VenueUnreachableError), (AuthError("key"), AuthError)):
        ws = Socket()
        ws.failure = failure
        asyncio.get_running_loop().call_later(0.01, ws.gone.set)
        with pytest.raises(expected, match=r"connection lost: reset|key"):
            await while_open(ws, work())
    assert cancelled == [True, True]
    assert len(asyncio.all_tasks()) == 1


async def test_result_and_errors_of_work_pass_through():
    """An open connection changes nothing."""

    async def fine() -> int:
        await asyncio.sleep(0)
        return 7

    async def broken() -> int:
        raise ZeroDivisionError

    assert await while_open(Socket(), fine()) == 7
    with pytest.raises(ZeroDivisionError):
        await while_open(Socket(), broken())
    assert len(asyncio.all_tasks()) == 1
