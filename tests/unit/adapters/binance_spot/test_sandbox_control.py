"""Faults on command, on real sockets: who may order them, and what each does."""

import asyncio
import time
from itertools import pairwise
from typing import Any

import aiohttp
import pytest

from adapters.binance_spot.sandbox import Sandbox
from adapters.binance_spot.sandbox_control import KINDS, PATH, describe
from adapters.binance_spot.sandbox_options import SandboxOptions
from tests.sandbox_client import Socket, now_ms, rest, socket

_TOKEN = "only for tests"
_ORDER = {
    "symbol": "MMDUSDT",
    "side": "BUY",
    "type": "LIMIT_MAKER",
    "price": "99",
    "quantity": "1",
}
_DEPTH = "mmdusdt@depth@100ms"


@pytest.fixture
async def sandbox():
    """A generated market that takes orders for faults."""
    async with Sandbox(SandboxOptions(faults_token=_TOKEN)) as running:
        yield running


async def _order(sandbox: Sandbox, token: str = _TOKEN, **fault: Any) -> tuple[int, str]:
    url = sandbox.rest_url + PATH
    async with (
        aiohttp.ClientSession(headers={"X-MMD-Token": token}) as session,
        session.post(url, json=fault) as answer,
    ):
        return answer.status, await answer.text()


async def test_only_the_token_orders_faults_and_wrong_orders_say_why(sandbox: Sandbox) -> None:
    """401 without it; 400 with the member that is wrong; without the option the address is unknown."""
    assert (await _order(sandbox, "guess", fault="shutdown"))[0] == 401
    for fault, complaint in (
        ({"fault": "party"}, "Invalid value 'party'"),
        ({"fault": "delay", "ms": -1}, "`float` > 0"),
        ({"fault": "cut", "who": "all"}, "unknown field `who`"),
        ({"fault": "status", "symbol": "NOPE", "status": "BREAK"}, "Invalid symbol."),
        ({"fault": "transfer", "asset": "NOPE", "amount": "1"}, "no NOPE in"),
        ({"fault": "transfer", "asset": "USDT", "amount": "1e3"}, "matching regex"),
        ({"fault": "transfer", "asset": "USDT", "amount": "-1", "account": "x"}, "account x"),
        ({"fault": "transfer", "asset": "USDT", "amount": "-99999999999"}, "are free"),
    ):
        status, text = await _order(sandbox, **fault)
        assert (status, complaint in text) == (400, True), text
    async with Sandbox(SandboxOptions()) as other:
        assert (await _order(other, fault="shutdown"))[0] == 404


def test_every_fault_is_described() -> None:
    """For the help: one example each."""
    for kind in KINDS:
        assert f'"fault":"{kind.__struct_config__.tag}"' in describe()


@pytest.mark.parametrize(
    ("how", "kinds"),
    [
        ("close", {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING}),
        ("reset", {aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSED}),
        ("drop", {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}),
    ],
)
async def test_connections_are_cut(sandbox: Sandbox, how: str, kinds: set[Any]) -> None:
    """Streams go, the WebSocket API stays."""
    async with aiohttp.ClientSession() as session, socket(sandbox.api_url) as api:
        async with session.ws_connect(f"{sandbox.stream_url}/ws/x", autoclose=False) as ws:
            assert await _order(sandbox, fault="cut", target="streams", how=how) == (204, "")
            assert (await ws.receive(timeout=5)).type in kinds
        assert (await api.call("ping", signed=False))["status"] == 200


async def test_silence_ends(sandbox: Sandbox) -> None:
    """Nothing comes for a while, then the stream goes on with a gap."""
    async with socket(f"{sandbox.stream_url}/ws/{_DEPTH}") as stream:
        before = await stream.receive()
        await _order(sandbox, fault="silence", seconds=0.5)
        began = time.monotonic()
        while (after := await stream.receive())["U"] == before["u"] + 1:
            before, began = after, time.monotonic()
        assert time.monotonic() - began > 0.4


async def _diffs(sandbox: Sandbox, stream: Socket, kind: str) -> list[dict[str, Any]]:
    """A message, and five that go out after a fault was ordered."""
    before = await stream.receive()
    await _order(sandbox, fault="frames", kind=kind, stream=_DEPTH)
    return [before, *[await stream.receive() for _ in range(5)]]


@pytest.mark.parametrize(
    ("kind", "is_broken"),
    [
        ("gap", lambda a, b: b["U"] > a["u"] + 1),
        ("duplicate", lambda a, b: b["u"] == a["u"]),
        ("reorder", lambda a, b: b["u"] < a["U"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_messages_are_lost_repeated_and_swapped(
    sandbox: Sandbox, kind: str, is_broken: Any
) -> None:
    """The chain of ids shows it once."""
    async with socket(f"{sandbox.stream_url}/ws/{_DEPTH}") as stream:
        diffs = await _diffs(sandbox, stream, kind)
    assert sum(is_broken(a, b) for a, b in pairwise(diffs)) == 1


async def test_messages_are_damaged(sandbox: Sandbox) -> None:
    """A frame arrives that is no JSON."""
    async with socket(f"{sandbox.stream_url}/ws/{_DEPTH}") as stream:
        with pytest.raises(ValueError, match="truncated"):
            await _diffs(sandbox, stream, "corrupt")


async def test_answers_come_late_or_never_and_orders_stand(sandbox: Sandbox) -> None:
    """A delayed answer comes after its event; a lost one does not come; the order works in both cases."""
    async with rest(sandbox) as client, socket(sandbox.api_url) as api:
        await api.call("userDataStream.subscribe.signature")
        await _order(sandbox, fault="delay", ms=200)
        answer = await api.call("order.place", newClientOrderId="late", **_ORDER)
        assert answer["status"] == 200
        assert api.events[0]["event"]["x"] == "NEW"
        await _order(sandbox, fault="lose_acks", count=2)
        with pytest.raises(aiohttp.ClientError):
            await client.signed("POST", "/api/v3/order", newClientOrderId="rest", **_ORDER)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await api.call("order.place", newClientOrderId="lost", **_ORDER)
        _, opened, _ = await client.signed("GET", "/api/v3/openOrders")
        assert [o["clientOrderId"] for o in opened] == ["late", "rest", "lost"]


async def test_server_errors_before_and_after_the_order_was_taken(sandbox: Sandbox) -> None:
    """504 leaves it open whether the order stands: here once it does, once it does not."""
    async with rest(sandbox) as client:
        for name, is_done in (("done", True), ("not done", False)):
            await _order(sandbox, fault="fail", status=504, is_done=is_done)
            order = _ORDER | {"newClientOrderId": name.replace(" ", "-")}
            status, body, _ = await client.signed("POST", "/api/v3/order", **order)
            assert (status, body["code"]) == (504, -1007)
        _, opened, _ = await client.signed("GET", "/api/v3/openOrders")
        assert [o["clientOrderId"] for o in opened] == ["done"]


async def test_limits_and_bans_on_command(sandbox: Sandbox) -> None:
    """Everything is refused for the time given, with Retry-After."""
    async with rest(sandbox) as client:
        for status in (429, 418):
            await _order(sandbox, fault="limit", seconds=30, status=status)
            got, body, headers = await client.public("/api/v3/time")
            assert (got, body["code"]) == (status, -1003)
            assert 29 <= int(headers["Retry-After"]) <= 30


async def test_the_clock_is_wrong_by_what_was_ordered(sandbox: Sandbox) -> None:
    """/time tells it and requests are judged by it, while the market goes on."""
    async with rest(sandbox) as client, socket(f"{sandbox.stream_url}/ws/{_DEPTH}") as stream:
        await _order(sandbox, fault="clock", shift_ms=-90_000)
        _, body, _ = await client.public("/api/v3/time")
        assert abs(body["serverTime"] + 90_000 - now_ms()) < 2_000
        _, body, _ = await client.signed("GET", "/api/v3/account")
        assert body["code"] == -1021
        while abs((await stream.receive())["E"] + 90_000 - now_ms()) > 2_000:
            pass


async def test_a_transfer_changes_the_balance_and_is_told(sandbox: Sandbox) -> None:
    """Both ways; the account's stream says what is held then, and no trade is behind it."""
    async with socket(sandbox.api_url) as api:
        await api.call("userDataStream.subscribe.signature")
        held = []
        for amount in ("-0.5", "0.25"):
            assert await _order(sandbox, fault="transfer", asset="MMD", amount=amount) == (204, "")
            event = (await api.event())["event"]
            assert (event["e"], len(event["B"]), event["B"][0]["a"]) == (
                "outboundAccountPosition", 1, "MMD",
            )  # fmt: skip
            account = (await api.call("account.status"))["result"]
            free = next(b["free"] for b in account["balances"] if b["asset"] == "MMD")
            assert free == event["B"][0]["f"]
            held.append(float(free))
    assert held[1] - held[0] == 0.25


async def test_a_shutdown_is_told(sandbox: Sandbox) -> None:
    """serverShutdown on all three forms of connection."""
    raw, combined = (
        f"{sandbox.stream_url}/ws/{_DEPTH}",
        f"{sandbox.stream_url}/stream?streams={_DEPTH}",
    )
    async with socket(raw) as one, socket(combined) as two, socket(sandbox.api_url) as api:
        await one.receive()
        await two.receive()
        await _order(sandbox, fault="shutdown")
        while (message := await one.receive()).get("e") != "serverShutdown":
            pass
        assert message.keys() == {"e", "E"}
        while (message := await two.receive())["stream"] != "!serverShutdown":
            pass
        assert message["data"]["e"] == "serverShutdown"
        assert (await api.receive())["event"]["e"] == "serverShutdown"


async def test_a_real_end_is_told_and_closed() -> None:
    """Leaving sends serverShutdown first, then closes with 1001."""
    sandbox = Sandbox(SandboxOptions())
    async with sandbox, aiohttp.ClientSession() as session:
        ws = await session.ws_connect(f"{sandbox.stream_url}/ws/{_DEPTH}")
        await ws.receive(timeout=5)
        leaving = asyncio.create_task(sandbox.__aexit__(None, None, None))
        texts = [message.data async for message in ws]
        await leaving
        assert '"e":"serverShutdown"' in texts[-1]
        assert ws.close_code == 1001
