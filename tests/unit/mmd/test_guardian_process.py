"""What the guardian's process makes of a daemon that comes back while its orders are being taken back."""

import asyncio
import os
import signal
from collections.abc import Sequence

import pytest

from mmd import guardian_process
from mmd.guardian.sweep import OwnOrder
from mmd.guardian_process import GuardedVenue, GuardianOptions, GuardianProcess

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
