"""The live picture by WebSocket: each frame is made once for all clients, and no client is waited for.

A client hears of the session, and of the one instrument that it asks for with {"watch": "<venue>:<symbol>"}. Its first
frame of each is whole, the following ones hold the fields that changed. Every client has a queue of its own; one that
is full, or a client that does not answer a ping, is dropped.

    {"of": "session", "whole": true, "fields": {...}, "rows": [...], "events": [...]}
    {"of": "<venue>:<symbol>", "whole": false, "fields": {...}, "point": [...], "fills": [...]}
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterable

import msgspec
import structlog
from aiohttp import WSMsgType, web

from mmd.ops.live_frames import InstrumentFrames, SessionFrames
from mmd.ops.observer import Observer, Sight, name_of

CLIENTS_MAX = 32
QUEUE_MAX = 40
"""Frames that may wait for one client: five to ten seconds of them."""
SEND_BUFFER_BYTES = 128 * 1024
HEARTBEAT_S = 8.0
_MESSAGE_MAX = 4096
_log = structlog.get_logger()


class _Watch(msgspec.Struct):
    """What a client may say."""

    watch: str


class Client:
    """One page; its queue is all that the feed knows of it."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE_MAX)
        self.watched = ""
        self.is_slow = False
        self.ends = asyncio.Event()

    def offer(self, frame: bytes) -> None:
        """Queue a frame; a client whose queue is full is dropped."""
        try:
            self.queue.put_nowait(frame)
        except asyncio.QueueFull:
            self.is_slow = True
            self.ends.set()


class LiveFeed:
    """All clients of one server."""

    def __init__(self, observer: Observer, *, controls: bool) -> None:
        """`controls` tells pages whether orders by HTTP are on."""
        self._observer = observer
        self._clients: set[Client] = set()
        self._session = SessionFrames(controls=controls)
        self._instruments: dict[str, InstrumentFrames] = {}
        self._seen: Sight | None = None
        self.dropped = 0

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._clients)

    def show(self, sight: Sight) -> None:
        """Make the frames of one look and queue them for everybody."""
        self._seen = sight
        if not self._clients:
            self._instruments.clear()
            return
        _offer(self._clients, self._session.next(sight))
        watched = {client.watched for client in self._clients} - {""}
        self._instruments = {k: v for k, v in self._instruments.items() if k in watched}
        for row in () if sight.state is None else sight.state.instruments:
            name = name_of(row)
            if name in watched:
                frame = self._instruments.setdefault(name, InstrumentFrames(name)).next(row, sight)
                _offer((c for c in self._clients if c.watched == name), frame)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Be one client's connection until it goes or is dropped."""
        if request.headers.get("Origin", _own(request)) != _own(request):
            return web.json_response({"error": "live pictures are for our own page"}, status=403)
        if len(self._clients) >= CLIENTS_MAX:
            return web.json_response({"error": f"{CLIENTS_MAX} pages are open already"}, status=503)
        _bound_send_buffer(request)
        answer = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, max_msg_size=_MESSAGE_MAX, compress=False
        )
        await answer.prepare(request)
        client = Client()
        self._greet(client)
        self._clients.add(client)
        tasks = [
            asyncio.create_task(self._send(answer, client)),
            asyncio.create_task(self._listen(answer, client)),
            asyncio.create_task(client.ends.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._clients.discard(client)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            if client.is_slow:
                self.dropped += 1
                _log.warning("page_dropped", remote=request.remote, frames_waiting=QUEUE_MAX)
                if request.transport is not None:
                    request.transport.abort()
        return answer

    def _greet(self, client: Client) -> None:
        """The whole session, so that changes have something to change."""
        if self._seen is not None:
            if not self._clients:  # nobody has kept the frames going
                self._session.next(self._seen)
            client.offer(self._session.whole(self._observer.log.kept))

    def _watch(self, client: Client, name: str) -> None:
        """From now on the client hears of this instrument."""
        state = None if self._seen is None else self._seen.state
        row = (
            None
            if state is None
            else next((r for r in state.instruments if name_of(r) == name), None)
        )
        if row is None or self._seen is None:
            return
        if name not in self._instruments:
            self._instruments[name] = InstrumentFrames(name)
            self._instruments[name].next(row, self._seen)
        client.watched = name
        client.offer(self._instruments[name].whole())

    def close(self) -> None:
        """Let every client go."""
        for client in self._clients:
            client.ends.set()

    async def _send(self, answer: web.WebSocketResponse, client: Client) -> None:
        """Until the connection is gone."""
        with contextlib.suppress(ConnectionError):
            while True:
                await answer.send_frame(await client.queue.get(), WSMsgType.TEXT)

    async def _listen(self, answer: web.WebSocketResponse, client: Client) -> None:
        """Until the client has gone; what is not understood ends it."""
        async for message in answer:
            if message.type is not WSMsgType.TEXT:
                return
            try:
                self._watch(client, msgspec.json.decode(message.data, type=_Watch).watch)
            except msgspec.MsgspecError:
                return


def _offer(clients: Iterable[Client], frame: bytes) -> None:
    for client in clients:
        client.offer(frame)


def _own(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"


def _bound_send_buffer(request: web.Request) -> None:
    """What the kernel keeps for a client that does not read, so that this shows soon."""
    link = None if request.transport is None else request.transport.get_extra_info("socket")
    if link is not None:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
