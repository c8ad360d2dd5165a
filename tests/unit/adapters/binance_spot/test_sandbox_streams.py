"""Streams over real sockets: forms of address, subscriptions, and a book kept by the documented procedure."""

import asyncio
from typing import Any

import aiohttp
import pytest

from adapters.binance_spot.sandbox import Sandbox, SandboxOptions
from tests.sandbox_client import Socket, rest, socket

_DEPTH = "mmdusdt@depth@100ms"


@pytest.fixture
async def sandbox():
    """A generated market on a free port."""
    async with Sandbox(SandboxOptions()) as running:
        yield running


@pytest.mark.parametrize(
    "path", ["/ws", "/ws/0", "/stream", f"/ws/{_DEPTH}", f"/stream?streams={_DEPTH}"]
)
async def test_addresses(sandbox: Sandbox, path: str) -> None:
    """Raw paths send payloads, combined ones wrap them; a bare number subscribes to nothing."""
    async with socket(sandbox.stream_url + path) as stream:
        if "depth" not in path:
            assert (await stream.request(method="LIST_SUBSCRIPTIONS", id=1))["result"] == []
            await stream.request(method="SUBSCRIBE", params=[_DEPTH], id=2)
        message = await stream.event()
        if path.startswith("/stream"):
            assert message["stream"] == _DEPTH
            message = message["data"]
        assert (message["e"], message["s"]) == ("depthUpdate", "MMDUSDT")


async def test_subscriptions_change_and_are_listed() -> None:
    """Ids of any kind come back; errors name what is wrong."""
    async with (
        Sandbox(SandboxOptions(messages_per_s=50)) as sandbox,
        socket(sandbox.stream_url + "/ws") as stream,
    ):
        for request_id in (5, "five", None):
            answer = await stream.request(
                method="SUBSCRIBE", params=["mmdusdt@trade"], id=request_id
            )
            assert answer == {"result": None, "id": request_id}
        listed = await stream.request(method="LIST_SUBSCRIPTIONS", id=1)
        assert listed["result"] == ["mmdusdt@trade"]
        await stream.request(method="UNSUBSCRIBE", params=["mmdusdt@trade"], id=2)
        assert (await stream.request(method="LIST_SUBSCRIPTIONS", id=3))["result"] == []
        assert (await stream.request(method="GET_PROPERTY", params=["combined"], id=4))[
            "result"
        ] is False
        await stream.request(method="SET_PROPERTY", params=["combined", True], id=5)
        assert (await stream.request(method="GET_PROPERTY", params=["combined"], id=6))[
            "result"
        ] is True
        assert (await stream.request(method="DANCE", id=7))["code"] == 2
        await stream.ws.send_str("{")
        assert (await stream.receive())["code"] == 3


@pytest.mark.parametrize("server", ["streams", "api"])
async def test_pings_are_answered_and_bytes_end_the_connection(
    sandbox: Sandbox, server: str
) -> None:
    """A pong that nobody asked for is no offence."""
    url = sandbox.api_url if server == "api" else f"{sandbox.stream_url}/ws/0"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, autoping=False) as ws,
    ):
        await ws.pong(b"unasked")
        await ws.ping(b"are you there")
        answer = await ws.receive(timeout=10)
        assert (answer.type, answer.data) == (aiohttp.WSMsgType.PONG, b"are you there")
        await ws.send_bytes(b"{}")
        ended = await ws.receive(timeout=10)
        assert ended.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}


async def _book_after(
    stream: Socket, depth: dict[str, Any], events: int
) -> tuple[dict[str, str], ...]:
    """Apply diffs to a snapshot as the venue's documents say; fails on a gap or a crossed book."""
    sides = (dict(map(tuple, depth["bids"])), dict(map(tuple, depth["asks"])))
    last = depth["lastUpdateId"]
    is_first = True
    while events > 0:
        event = (await stream.event())["data"]
        if event.get("e") != "depthUpdate" or event["u"] <= last:
            continue
        assert event["U"] <= last + 1 if is_first else event["U"] == last + 1
        is_first = False
        last = event["u"]
        for levels, changes in zip(sides, (event["b"], event["a"]), strict=True):
            for price, qty in changes:
                levels[price] = qty
                if float(qty) == 0.0:
                    del levels[price]
        assert max(map(float, sides[0])) < min(map(float, sides[1]))
        events -= 1
    return (*sides, {"id": str(last)})


async def test_a_book_kept_from_the_stream_equals_the_exchanges(sandbox: Sandbox) -> None:
    """Snapshot and diffs give the same book as a later snapshot, levels and all, with our order in it."""
    async with (
        socket(f"{sandbox.stream_url}/stream?streams={_DEPTH}") as stream,
        rest(sandbox) as client,
    ):
        stream.events.append(await stream.receive())
        _, depth, _ = await client.public("/api/v3/depth", symbol="MMDUSDT", limit=5000)
        await client.signed(
            "POST",
            "/api/v3/order",
            symbol="MMDUSDT",
            side="BUY",
            type="LIMIT_MAKER",
            price="95.55",
            quantity="1",
        )
        bids, asks, at = await _book_after(stream, depth, 8)
        assert bids["95.55000000"] == "1.00000000"
        for _ in range(50):
            _, now, _ = await client.public("/api/v3/depth", symbol="MMDUSDT", limit=5000)
            while int(at["id"]) < now["lastUpdateId"]:
                seen = {
                    "bids": list(bids.items()),
                    "asks": list(asks.items()),
                    "lastUpdateId": int(at["id"]),
                }
                bids, asks, at = await _book_after(stream, seen, 1)
            if int(at["id"]) == now["lastUpdateId"]:
                break
        assert int(at["id"]) == now["lastUpdateId"], "no snapshot fell on an event's id in 50 tries"
        assert (bids, asks) == (dict(map(tuple, now["bids"])), dict(map(tuple, now["asks"])))


async def test_every_stream_speaks(sandbox: Sandbox) -> None:
    """Trades, best prices, partial books and the slow depth stream, consistent in form."""
    names = ["trade", "aggTrade", "bookTicker", "depth", "depth5@100ms", "depth20@100ms", "depth10"]
    wanted = {f"mmdusdt@{n}" for n in names}
    url = f"{sandbox.stream_url}/stream?streams={'/'.join(sorted(wanted))}&timeUnit=MICROSECOND"
    heard: dict[str, dict[str, Any]] = {}
    async with socket(url) as stream, asyncio.timeout(20):
        while heard.keys() != wanted:
            message = await stream.event()
            heard[message["stream"]] = message["data"]
    assert heard["mmdusdt@trade"]["E"] > 10**15
    assert {"t", "p", "q", "T", "m", "M"} <= heard["mmdusdt@trade"].keys()
    assert heard["mmdusdt@bookTicker"].keys() == {"u", "s", "b", "B", "a", "A"}
    assert len(heard["mmdusdt@depth20@100ms"]["bids"]) == 20
    assert len(heard["mmdusdt@depth5@100ms"]["asks"]) == 5


async def test_our_trades_are_public(sandbox: Sandbox) -> None:
    """What we take appears on the trade stream under the same id."""
    async with socket(f"{sandbox.stream_url}/ws/mmdusdt@trade") as stream, rest(sandbox) as client:
        await stream.request(method="LIST_SUBSCRIPTIONS", id=1)
        _, placed, _ = await client.signed(
            "POST", "/api/v3/order", symbol="MMDUSDT", side="SELL", type="MARKET", quantity="2.345"
        )
        wanted = {f["tradeId"]: f["qty"] for f in placed["fills"]}
        seen: dict[int, str] = {}
        while not wanted.keys() <= seen.keys():
            event = await stream.event()
            seen[event["t"]] = event["q"]
            if event["t"] in wanted:
                assert event["m"] is True
        assert wanted.items() <= seen.items()


async def test_hooks_see_frames_and_requests() -> None:
    """For latency benchmarks: each frame with its stream and id, each request with its method."""
    frames: list[tuple[int, str, int]] = []
    requests: list[tuple[int, str]] = []
    hooked = Sandbox(
        SandboxOptions(),
        on_frame_sent=lambda ts_ns, stream, update_id: frames.append((ts_ns, stream, update_id)),
        on_request=lambda ts_ns, method: requests.append((ts_ns, method)),
    )
    async with (
        hooked,
        socket(f"{hooked.stream_url}/ws/{_DEPTH}") as stream,
        socket(hooked.api_url) as api,
    ):
        event = await stream.event()
        await api.call("time", signed=False)
    assert (frames[0][1], frames[0][2]) == (_DEPTH, event["u"])
    assert requests[0][1] == "time"


async def test_pings_are_answered_with_their_payload(sandbox: Sandbox) -> None:
    """A client's own ping comes back as a pong."""
    url = f"{sandbox.stream_url}/ws"
    async with aiohttp.ClientSession() as session, session.ws_connect(url, autoping=False) as ws:
        await ws.ping(b"hello")
        message = await ws.receive(timeout=5)
        assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, b"hello")


async def test_a_talkative_client_is_cut(sandbox: Sandbox) -> None:
    """More than five messages within a second end the connection."""
    async with socket(sandbox.stream_url + "/ws") as stream:
        for number in range(6):
            await stream.ws.send_str(f'{{"method":"LIST_SUBSCRIPTIONS","id":{number}}}')
        kinds = [(await stream.ws.receive(timeout=5)).type for _ in range(6)]
        assert kinds[-1] in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}


@pytest.mark.parametrize(
    ("request_", "code", "complaint"),
    [
        ({"params": []}, 2, "missing field `method`"),
        ({"method": "SUBSCRIBE", "params": [], "id": 1.5}, 2, "request ID must be"),
        ({"method": "SUBSCRIBE", "params": {}, "id": 1}, 2, "params must be an array"),
        ({"method": "SUBSCRIBE", "params": [7], "id": 1}, 2, "stream names must be strings"),
        ({"method": "SUBSCRIBE", "params": [str(n) for n in range(1025)], "id": 1}, 2, "too many"),
        ({"method": "GET_PROPERTY", "params": [7], "id": 1}, 2, "property name must be a string"),
        ({"method": "GET_PROPERTY", "params": ["colour"], "id": 1}, 0, "Unknown property"),
        ({"method": "SET_PROPERTY", "params": ["combined", 1], "id": 1}, 1, "Invalid value type"),
    ],
)
async def test_wrong_requests_are_named(
    sandbox: Sandbox, request_: dict[str, object], code: int, complaint: str
) -> None:
    """With the venue's codes for requests on streams."""
    async with socket(sandbox.stream_url + "/ws") as stream:
        await stream.ws.send_json(request_)
        answer = await stream.receive()
    assert (answer["code"], complaint in answer["msg"]) == (code, True)
