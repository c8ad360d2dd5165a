"""What the guardian's process makes of a daemon that comes back, and of one that has lost hold of one venue alone."""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence

import msgspec
import pytest

from mmd import guardian_process
from mmd.guardian.sweep import OwnOrder
from mmd.guardian_process import GuardedVenue, GuardianOptions, GuardianProcess
from mmd.shell.clock import SystemClock

WAIT_S = 10.0
OPTIONS = GuardianOptions(
    environment="sandbox",
    lease_s=0.05,
    at="127.0.0.1:0",
    is_child=False,
    armed=True,
    weight_per_minute=600,
    log_level="info",
    log_format="json",
    venues=(GuardedVenue(name="v", adapter="none", fields={}),),
)


class NoOrders:
    """A venue that lists none; the first to ask is told so only once `answers` is set."""

    name = "v"
    straggle_s = 0.05

    def __init__(self) -> None:
        self.asked, self.answers = asyncio.Event(), asyncio.Event()

    async def working(self) -> Sequence[OwnOrder]:
        """None."""
        self.asked.set()
        await self.answers.wait()
        return []

    async def cancel(self, order: OwnOrder) -> None:
        """There is none."""

    async def keep_ready(self) -> None:
        """It is."""

    async def close(self) -> None:
        """Nothing is open."""


async def test_a_daemon_that_comes_back_and_leaves_during_a_sweep_leaves_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has confirmed its orders gone itself: the guardian ends without OrdersLeftError."""
    orders = NoOrders()
    monkeypatch.setattr(guardian_process, "own_orders", lambda *_, **__: orders)
    process = GuardianProcess(OPTIONS)
    async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
        running = group.create_task(process.run())
        await orders.asked.wait()
        assert process.lease.losses == 1
        process.lease.renew("s", 10**12, 0)
        process.lease.release()
        orders.answers.set()
        os.kill(os.getpid(), signal.SIGUSR1)  # as its parent does once the daemon has ended
        await running


class OrdersAt:
    """A venue that lists what is put there, and notes what is asked of it."""

    straggle_s = 0.02

    def __init__(self, name: str) -> None:
        self.name = name
        self.open: list[OwnOrder] = []
        self.asked = 0

    async def working(self) -> Sequence[OwnOrder]:
        """What is left."""
        self.asked += 1
        return list(self.open)

    async def cancel(self, order: OwnOrder) -> None:
        """Gone."""
        self.open.remove(order)

    async def keep_ready(self) -> None:
        """It is."""

    async def close(self) -> None:
        """Nothing is open."""


async def until(holds: Callable[[], bool]) -> None:
    """Wait for the guardian's loop."""
    while not holds():  # noqa: ASYNC110 - the guardian signals nothing
        await asyncio.sleep(0.01)


async def test_a_venue_that_is_lost_alone_is_swept_once_for_each_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others are not even asked; with the venue again in the daemon's hand nothing more is canceled."""
    at = {name: OrdersAt(name) for name in "xy"}
    monkeypatch.setattr(guardian_process, "own_orders", lambda _, name, *__, **___: at[name])
    venues = tuple(GuardedVenue(name=name, adapter="none", fields={}) for name in at)
    process = GuardianProcess(msgspec.structs.replace(OPTIONS, venues=venues, armed=False))
    lease, clock = process.lease, SystemClock()
    async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
        running = group.create_task(process.run())
        for loss in (1, 2):
            at["x"].open = [OwnOrder("MMDUSDT", f"mmd5-{loss}")]
            at["y"].open = [OwnOrder("MMDUSDT", "mmd5-9")]
            lease.renew("s", 1_000_000, clock.monotonic_ns())
            lease.renew("s", 10**12, clock.monotonic_ns(), ("x",))
            await until(lambda: process.canceled == loss)  # noqa: B023 - awaited here
            await until(process._swept["x"].done)
            asked = at["x"].asked
            await asyncio.sleep(3 * guardian_process._LOOK_S)
            assert (lease.losses, at["x"].asked, at["x"].open) == (loss, asked, [])
            assert (at["y"].asked, len(at["y"].open)) == (0, 1)
            lease.renew("s", 10**12, clock.monotonic_ns())
            await until(lambda: not process._swept)
        at["x"].open = [OwnOrder("MMDUSDT", "mmd5-3")]
        await asyncio.sleep(3 * guardian_process._LOOK_S)
        assert len(at["x"].open) == 1
        lease.release()
        os.kill(os.getpid(), signal.SIGUSR1)
        await running
