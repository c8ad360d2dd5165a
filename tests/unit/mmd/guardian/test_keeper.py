"""Daemon and guardian over a real socket: renewed, refused, released, silent."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mmd.errors import ConfigError, VenueError
from mmd.guardian.address import GuardianAddress, parse_address
from mmd.guardian.keeper import LeaseKeeper, LeaseTerms
from mmd.guardian.lease import Lease, LeaseState
from mmd.guardian.message import LeaseAnswer, LeaseRequest, read_request, signed_line
from mmd.guardian.server import LeaseServer
from mmd.shell.clock import SystemClock

WAIT_S = 5.0
TERMS = LeaseTerms("5f3a", 0.5, "secret", ("http://127.0.0.1:1",))


@contextlib.asynccontextmanager
async def serving(at: GuardianAddress, lease: Lease) -> AsyncIterator[LeaseServer]:
    """A server that answers with the lease's losses."""

    def answer(request: LeaseRequest) -> LeaseAnswer:
        assert request.addresses == TERMS.addresses
        return LeaseAnswer(ok=True, losses=lease.losses, canceled=3)

    server = LeaseServer(at, "secret", lease, SystemClock(), answer)
    await server.start()
    try:
        yield server
    finally:
        server.stop()


@contextlib.asynccontextmanager
async def keeping(keeper: LeaseKeeper) -> AsyncIterator[None]:
    """A keeper at work."""
    task = asyncio.create_task(keeper.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(condition: object) -> None:
    """Wait for it."""
    async with asyncio.timeout(WAIT_S):
        while not condition():  # type: ignore[operator] # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("local", [True, False])
async def test_a_lease_is_renewed_and_released(local: bool, tmp_path: Path) -> None:
    """Over a socket file that only its owner may open, and over TCP."""
    at = GuardianAddress(path=tmp_path / "g") if local else parse_address("127.0.0.1:0", "x")
    lease = Lease()
    async with serving(at, lease) as server:
        if local:
            assert (tmp_path / "g").stat().st_mode & 0o777 == 0o600
        keeper = LeaseKeeper(server.address, TERMS, SystemClock())
        async with keeping(keeper):
            await until(lambda: lease.renewals >= 3)
            assert lease.state is LeaseState.HELD
            view = keeper.view
            assert view is not None
            assert (view.answers, view.canceled) == (True, 3)
        await keeper.release()
        assert lease.state is LeaseState.IDLE


async def test_a_daemon_that_cannot_reach_its_orders_lets_the_lease_run_out(tmp_path: Path) -> None:
    """There, and at no other venue; it goes on talking, and what it hears shows that the lease was lost."""
    lease, out = Lease(), ()
    async with serving(GuardianAddress(path=tmp_path / "g"), lease) as server:
        keeper = LeaseKeeper(server.address, TERMS, SystemClock(), out_of_hand=lambda: out)
        async with keeping(keeper):
            await until(lambda: lease.renewals >= 2)
            out = ("a",)
            await until(lambda: lease.expire_at("a", SystemClock().monotonic_ns()))
            assert not lease.expire(SystemClock().monotonic_ns())
            assert not lease.expire_at("b", SystemClock().monotonic_ns())
            await until(lambda: keeper.view is not None and keeper.view.losses == 1)
            out = ()
            await until(lambda: not lease.expire_at("a", SystemClock().monotonic_ns()))


async def test_a_silent_guardian_is_told_once_and_found_again(tmp_path: Path) -> None:
    """After the length of a lease; who requires a guardian halts then."""
    told: list[int] = []
    at, lease = GuardianAddress(path=tmp_path / "g"), Lease()
    keeper = LeaseKeeper(at, TERMS, SystemClock(), on_silent=lambda: told.append(1))
    async with keeping(keeper):
        await asyncio.sleep(1.0)
        assert told == [1]
        async with serving(at, lease):
            await until(lambda: lease.renewals >= 1)


async def test_a_wrong_token_and_an_old_line_change_nothing(tmp_path: Path) -> None:
    """A line that was overheard cannot be said again."""
    lease = Lease()
    async with serving(GuardianAddress(path=tmp_path / "g"), lease) as server:
        reader, writer = await server.address.connect()
        request = LeaseRequest(
            action="renew", session="a", number=5, lease_ms=500, addresses=TERMS.addresses
        )
        good = signed_line(request, "secret")
        for line, ok in (
            (signed_line(request, "guess"), False),
            (b"nonsense\n", False),
            (good, True),
            (good, False),
        ):
            writer.write(line)
            assert (b'"ok":true' in await reader.readline()) is ok
        writer.close()
    assert lease.renewals == 1
    assert read_request(good.replace(b"500", b"900"), "secret") is None


class Switch:
    """A venue's cancel-all-after."""

    def __init__(self) -> None:
        self.refreshed: list[float] = []
        self.is_disarmed = False

    async def refresh(self, timeout_s: float) -> None:
        self.refreshed.append(timeout_s)
        if len(self.refreshed) == 1:
            raise VenueError("not now")

    async def disarm(self) -> None:
        self.is_disarmed = True


async def test_a_venues_own_switch_is_refreshed_by_the_same_loop() -> None:
    """Without a guardian, too, and after a refusal."""
    switch = Switch()
    keeper = LeaseKeeper(None, TERMS, SystemClock(), switches=[switch])
    async with keeping(keeper):
        await until(lambda: len(switch.refreshed) >= 3)
    await keeper.release()
    assert keeper.view is None
    assert switch.is_disarmed
    assert set(switch.refreshed) == {0.5}


@pytest.mark.parametrize("text", ["", "host", ":1", "host:x", "host:70000"])
def test_an_address_that_is_none_names_its_key(text: str) -> None:
    """With an example."""
    with pytest.raises(ConfigError, match=r"guardian\.address: expected host:port"):
        parse_address(text, "guardian.address")
