"""The live feed on real sockets: whole frames first, then what changed; whoever does not read is dropped."""

import asyncio
import contextlib
import socket
from typing import Any

import aiohttp
import msgspec

from mmd.core.units import Side
from mmd.ops import live_feed
from mmd.ops.live_feed import QUEUE_MAX, Client
from tests.ops_state import quoting
from tests.unit.mmd.ops.test_http import Served, serving

NAME = "embedded:MMDUSDT"


class Page:
    """What a page knows: frames joined as its script joins them."""

    def __init__(self, live: aiohttp.ClientWebSocketResponse) -> None:
        self.live = live
        self.known: dict[str, dict[str, Any]] = {}

    async def frame(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            frame = msgspec.json.decode((await self.live.receive()).data)
        before = {} if frame["whole"] else self.known.get(frame["of"], {})
        self.known[frame["of"]] = before | frame["fields"]
        return frame

    async def frames(self, count: int) -> list[dict[str, Any]]:
        return [await self.frame() for _ in range(count)]


@contextlib.asynccontextmanager
async def page(served: Served, **headers: str) -> Any:
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(served.url + "/api/live", headers=headers) as live,
    ):
        yield Page(live)


async def test_whole_first_then_what_changed_adds_up_to_the_state() -> None:
    """Fields that stay are sent once; joined they are what /api/state says."""
    async with serving(quoting()) as served, page(served) as one:
        first = await one.frame()
        assert (first["of"], first["whole"]) == ("session", True)
        await one.live.send_json({"watch": NAME})
        seen = await one.frames(8)
        whole = next(f for f in seen if f["of"] == NAME)
        assert whole["whole"]
        assert all("book" not in f["fields"] for f in seen if f["of"] == NAME and not f["whole"])
        best = next(i for i, o in served.bench.open.items() if o is served.bench.best(Side.SELL))
        served.bench.fill(best)
        fills = [fill for f in await one.frames(8) for fill in f.get("fills", [])]
        assert [fill["side"] for fill in fills] == ["SELL"]
        _, body = await served.get("/api/state")
        row = msgspec.json.decode(body)["instruments"][0]
        known = one.known[NAME]
        for name in ("position", "pnl_total", "last_fills", "orders", "book", "sources"):
            assert known[name] == row[name], name
        assert known["orders"][0]["queue_ahead"] is not None


async def test_who_comes_later_gets_all_of_it_and_the_history() -> None:
    """The same picture as who was there before."""
    async with serving(quoting()) as served, page(served) as one:
        await one.frames(3)
        async with page(served) as other:
            await other.live.send_json({"watch": NAME})
            await other.frames(4)
            await one.frames(2)
            assert other.known["session"].keys() == one.known["session"].keys()
        status, body = await served.get(f"/api/history?instrument={NAME}")
        assert status == 200
        columns = msgspec.json.decode(body)["columns"]
        assert len(columns["mid"]) >= 1
        assert (await served.get("/api/history?instrument=nobody"))[0] == 404


async def test_a_page_of_another_site_is_refused() -> None:
    """A browser states whose page it is; one that is not ours may not look."""
    async with serving(quoting()) as served:
        with contextlib.suppress(aiohttp.WSServerHandshakeError):
            async with page(served, Origin="https://elsewhere.example"):
                raise AssertionError("was let in")
        async with page(served, Origin=served.url) as own:
            assert (await own.frame())["whole"]


async def test_nonsense_ends_the_connection_and_nothing_else() -> None:
    """The server goes on."""
    async with serving(quoting()) as served, page(served) as one, page(served) as other:
        await one.live.send_str("{nonsense")
        while (await one.live.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
        assert (await other.frames(3))[-1]["of"] == "session"


async def test_who_does_not_read_is_dropped_and_others_do_not_notice(monkeypatch: Any) -> None:
    """Neither its socket nor its queue is waited for."""
    monkeypatch.setattr(live_feed, "HEARTBEAT_S", 0.6)
    async with serving(quoting()) as served, page(served) as other:
        host, port = served.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as stuck:
            stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stuck.sendall(
                f"GET /api/live HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
            )
            loop = asyncio.get_running_loop()
            counts = set()
            gaps = []
            for _ in range(12):
                began = loop.time()
                await other.frame()
                gaps.append(loop.time() - began)
                counts.add(served.server.feed.clients)
        assert 2 in counts, "the stuck client was never connected"
        assert served.server.feed.clients == 1
        assert max(gaps) < 1.0


def test_a_full_queue_ends_its_client_only() -> None:
    """Never waits, never grows."""
    slow, quick = Client(), Client()
    for _ in range(QUEUE_MAX + 1):
        slow.offer(b"{}")
        quick.offer(b"{}")
        quick.queue.get_nowait()
    assert slow.is_slow
    assert slow.ends.is_set()
    assert slow.queue.qsize() == QUEUE_MAX
    assert not quick.ends.is_set()
