"""Faults on command that concern requests, handshakes and account events, on real sockets."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest

from adapters.binance_spot.sandbox import Sandbox
from adapters.binance_spot.sandbox_control import PATH
from adapters.binance_spot.sandbox_faults import FrameFault
from adapters.binance_spot.sandbox_options import SandboxOptions
from adapters.binance_spot.sandbox_wrong_frames import damaged, unknown_event
from tests.sandbox_client import rest, socket

_TOKEN = "only for tests"
_ORDER = {
    "symbol": "MMDUSDT",
    "side": "BUY",
    "type": "LIMIT_MAKER",
    "price": "99",
    "quantity": "1",
}
_DIFF = b'{"stream":"mmdusdt@depth","data":{"e":"depthUpdate","s":"MMDUSDT","b":[["99.50000000","1.00000000"]],"a":[["100.00000000","0.00000000"]]}}'


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A generated market that takes orders for faults."""
    async with Sandbox(SandboxOptions(faults_token=_TOKEN)) as running:
        yield running


async def _order(sandbox: Sandbox, **fault: Any) -> None:
    async with (
        aiohttp.ClientSession(headers={"X-MMD-Token": _TOKEN}) as session,
        session.post(sandbox.rest_url + PATH, json=fault) as answer,
    ):
        assert answer.status == 204, await answer.text()


async def test_a_lost_request_is_neither_answered_nor_done(sandbox: Sandbox) -> None:
    """Unlike a lost acknowledgement it leaves no order."""
    async with rest(sandbox) as client, socket(sandbox.api_url) as api:
        await _order(sandbox, fault="lose_requests")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await api.call("order.place", newClientOrderId="lost", **_ORDER)
        _, opened, _ = await client.signed("GET", "/api/v3/openOrders")
        assert opened == []


async def test_order_requests_are_refused_with_any_code(sandbox: Sandbox) -> None:
    """So often as was ordered, other requests not at all."""
    async with rest(sandbox) as client:
        await _order(sandbox, fault="refuse", code=-1022, message="no such signature", status=401)
        status, _, _ = await client.signed("GET", "/api/v3/account")
        assert status == 200
        status, body, _ = await client.signed("POST", "/api/v3/order", **_ORDER)
        assert (status, body) == (401, {"code": -1022, "msg": "no such signature"})
        status, _, _ = await client.signed("POST", "/api/v3/order", **_ORDER)
        assert status == 200


@pytest.mark.parametrize("target", ["streams", "api"])
async def test_handshakes_are_refused_where_ordered(sandbox: Sandbox, target: str) -> None:
    """Once, and at the other server not at all."""
    urls = {"streams": f"{sandbox.stream_url}/ws/x", "api": sandbox.api_url}
    other = next(url for name, url in urls.items() if name != target)
    await _order(sandbox, fault="handshakes", status=429, target=target)
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(other):
            pass
        with pytest.raises(aiohttp.WSServerHandshakeError, match="429"):
            await session.ws_connect(urls[target])
        async with session.ws_connect(urls[target]):
            pass


async def test_a_stale_snapshot_is_the_one_before(sandbox: Sandbox) -> None:
    """The next question has a new answer again."""
    async with rest(sandbox) as client:

        async def last_id() -> int:
            _, body, _ = await client.public("/api/v3/depth", symbol="MMDUSDT", limit=5)
            return body["lastUpdateId"]

        first = await last_id()
        await asyncio.sleep(0.5)
        await _order(sandbox, fault="stale_snapshots")
        assert await last_id() == first
        assert await last_id() > first


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("gap", ["outboundAccountPosition"]),
        ("duplicate", ["executionReport", "executionReport", "outboundAccountPosition"]),
        ("reorder", ["outboundAccountPosition", "executionReport"]),
    ],
)
async def test_account_events_are_lost_repeated_and_swapped(
    sandbox: Sandbox, kind: str, seen: list[str]
) -> None:
    """What the stream tells of an order that is placed: its report, then the changed balance."""
    async with socket(sandbox.api_url) as api:
        await api.call("userDataStream.subscribe.signature")
        await _order(sandbox, fault="frames", kind=kind, stream="userData")
        await api.call("order.place", newClientOrderId="one", **_ORDER)
        await api.call("ping", signed=False)
        assert [event["event"]["e"] for event in api.events] == seen


def test_wrong_frames() -> None:
    """Each is what its name says, and still a message where it should be one."""
    wrong = msgspec.json.decode(damaged(_DIFF, FrameFault.WRONG_SYMBOL))
    assert wrong["data"]["s"] == "NOSUCHUSDT"
    crossed = msgspec.json.decode(damaged(_DIFF, FrameFault.CROSSED))["data"]
    assert float(crossed["b"][-1][0]) > 100.0
    assert crossed["a"] == [["100.00000000", "0.00000000"]]
    assert len(damaged(_DIFF, FrameFault.OVERSIZED)) > 8 * 2**20
    assert damaged(_DIFF, FrameFault.GAP) == _DIFF
    assert damaged(b'{"data":{"e":"trade"}}', FrameFault.CROSSED) == b'{"data":{"e":"trade"}}'
    assert msgspec.json.decode(unknown_event())["data"]["e"] == "somethingNew"
