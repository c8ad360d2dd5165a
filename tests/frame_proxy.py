"""A man in the middle between a client and the embedded exchange: it may change any frame or answer."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any, Self

import aiohttp
from aiohttp import web
from yarl import URL

Tamper = Callable[[str], list[str]]
DEPTH = '"stream":"mmdusdt@depth@100ms"'
PARTIAL = '"stream":"mmdusdt@depth20@100ms"'


class FrameProxy:
    """Forwards REST, streams and the WebSocket API.

    Attributes:
        swallows: whether nothing passes either way, as in a network that drops packets.
        rewrite: is applied to every frame of the exchange's; None: they go through as they are.
        tampers: each is applied to one depth frame, in order; what it returns is sent instead.
        answers: bodies to give for REST paths instead of the exchange's.
        tops: (bids, asks) of every top-20 frame that went through, by update id.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._runner: web.AppRunner | None = None
        self._client: aiohttp.ClientSession | None = None
        self.swallows = False
        self._is_cut = False
        self._sockets: set[web.WebSocketResponse] = set()
        self.rewrite: Callable[[str], str] | None = None
        self.tampers: deque[Tamper] = deque()
        self.answers: dict[str, Callable[[], Any]] = {}
        self.tops: dict[int, tuple[Any, Any]] = {}

    async def __aenter__(self) -> Self:
        self._client = aiohttp.ClientSession()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()
        await self._runner.cleanup()

    @property
    def port(self) -> int:
        return self._runner.addresses[0][1]

    async def cut(self) -> None:
        """Reset every connection and refuse new ones, until `restore`."""
        self._is_cut = True
        for socket in list(self._sockets):
            if socket._req is not None and socket._req.transport is not None:
                socket._req.transport.abort()

    def restore(self) -> None:
        """Let everything pass again."""
        self._is_cut = self.swallows = False

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if self._is_cut:
            assert request.transport is not None
            request.transport.abort()
            return web.Response(status=503)
        while self.swallows:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        url = URL(self._target + request.raw_path, encoded=True)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request, url)
        if request.path in self.answers:
            return web.json_response(self.answers[request.path]())
        headers = {k: v for k, v in request.headers.items() if k == "X-MBX-APIKEY"}
        async with self._client.request(
            request.method, url, headers=headers, data=await request.read()
        ) as answer:
            return web.Response(
                status=answer.status, body=await answer.read(), content_type="application/json"
            )

    async def _socket(self, request: web.Request, url: URL) -> web.WebSocketResponse:
        ours = web.WebSocketResponse()
        await ours.prepare(request)
        self._sockets.add(ours)
        async with self._client.ws_connect(url, max_msg_size=0) as theirs:
            ways = [
                asyncio.create_task(self._pump(theirs, ours, self._frames)),
                asyncio.create_task(self._pump(ours, theirs, lambda text: [text])),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)
        self._sockets.discard(ours)
        await ours.close()
        return ours

    async def _pump(self, source: Any, sink: Any, change: Tamper) -> None:
        async for message in source:
            if self.swallows:
                continue
            for text in change(message.data):
                try:
                    await sink.send_str(text)
                except ConnectionError:
                    return

    def _frames(self, text: str) -> list[str]:
        if self.rewrite is not None:
            text = self.rewrite(text)
        if PARTIAL in text:
            data = json.loads(text)["data"]
            self.tops[data["lastUpdateId"]] = (data["bids"], data["asks"])
        if DEPTH in text and self.tampers:
            return self.tampers.popleft()(text)
        return [text]
