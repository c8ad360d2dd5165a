"""The stream server: /ws, /ws/<stream>, /stream?streams=a/b, and requests to change subscriptions.

Source: web-socket-streams.md. Any path below /ws is taken for stream names, as the venue's clients use /ws/0.
"""

import asyncio
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from adapters.binance_spot.sandbox_clock import ExchangeClock
from adapters.binance_spot.sandbox_connection import CLOSE_S, LIFE_NS, Connection
from adapters.binance_spot.sandbox_faults import HandshakeFaults
from adapters.binance_spot.sandbox_hub import MICROSECOND_NS, MILLISECOND_NS, Listener, StreamHub
from adapters.binance_spot.sandbox_listen_keys import ListenKeys

_STREAMS_MAX = 1024
_MESSAGE_MAX = 1024 * 1024
_METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_encode = msgspec.json.encode


class StreamServer:
    """Accepts stream clients; `connections` are those to keep alive.

    A client that sends more than messages_per_s (pings and pongs included) is cut.
    """

    def __init__(
        self,
        hub: StreamHub,
        clock: ExchangeClock,
        listen_keys: ListenKeys,
        handshakes: HandshakeFaults,
        *,
        is_lossless: bool,
        messages_per_s: int,
        life_ns: int = LIFE_NS,
    ) -> None:
        self._listen_keys = listen_keys
        self._handshakes = handshakes
        self._messages_per_s = messages_per_s
        self._life_ns = life_ns
        self.connections: set[Connection] = set()
        self._hub = hub
        self._clock = clock
        self._is_lossless = is_lossless

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one client until it leaves."""
        status = self._handshakes.take("streams")
        if status is not None:
            return web.Response(status=status)
        ws = web.WebSocketResponse(
            autoping=False, compress=False, max_msg_size=_MESSAGE_MAX, timeout=CLOSE_S
        )
        writer = await ws.prepare(request)
        transport = request.transport
        if not isinstance(transport, asyncio.Transport):
            return ws  # gone during the handshake
        now_ns = self._clock.machine_ns()
        connection = Connection(
            ws, writer, transport, now_ns, is_lossless=self._is_lossless, life_ns=self._life_ns
        )
        is_micro = request.query.get("timeUnit", "").upper() == "MICROSECOND"
        combined = request.path.startswith("/stream")
        unit_ns = MICROSECOND_NS if is_micro else MILLISECOND_NS
        listener = Listener(connection, combined=combined, unit_ns=unit_ns)
        self.connections.add(connection)
        try:
            for stream in self._named_streams(request, combined=combined):
                self._hub.subscribe(listener, stream)
            await self._converse(ws, connection, listener)
        finally:
            connection.closed = True
            self.connections.discard(connection)
            self._hub.leave(listener)
        return ws

    async def _converse(
        self, ws: web.WebSocketResponse, connection: Connection, listener: Listener
    ) -> None:
        async for message in ws:
            if not connection.counts_message(self._clock.machine_ns(), self._messages_per_s):
                connection.cut()
                break
            match message.type:
                case WSMsgType.TEXT:
                    connection.send_text(_encode(self._answer(message.data, listener)))
                case WSMsgType.PING:
                    connection.on_ping(message.data)
                case WSMsgType.PONG:
                    connection.on_pong()
                case _:
                    break

    def _named_streams(self, request: web.Request, *, combined: bool) -> list[str]:
        """Streams that the address asks for; another name is a client's numbering, not a stream."""
        text = request.query.get("streams", "") if combined else request.match_info.get("names", "")
        text = text.replace(" ", "+")  # @kline_1d@+08:00, in which clients do not escape the plus
        names = [n for n in text.split("/") if "@" in n or self._listen_keys.is_valid(n)]
        return names[:_STREAMS_MAX]

    def _answer(self, text: str, listener: Listener) -> dict[str, Any]:
        try:
            request = msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            return {"code": 3, "msg": f"Invalid JSON: {error}"}
        if not isinstance(request, dict) or "method" not in request:
            return _refusal("missing field `method` at line 1 column 1", None)
        request_id = request.get("id")
        if not (request_id is None or isinstance(request_id, int) or _is_name(request_id)):
            return _refusal("request ID must be an unsigned integer", None)
        method, params = request["method"], request.get("params", [])
        if method not in _METHODS:
            known = ", ".join(f"`{m}`" for m in _METHODS)
            return _refusal(f"unknown variant `{method}`, expected one of {known}", request_id)
        if not isinstance(params, list):
            return _refusal("params must be an array", request_id)
        return self._run(method, params, request_id, listener)

    def _run(
        self, method: str, params: list[Any], request_id: object, listener: Listener
    ) -> dict[str, Any]:
        if method in {"SET_PROPERTY", "GET_PROPERTY"}:
            return _property(method, params, request_id, listener)
        if method == "LIST_SUBSCRIPTIONS":
            return {"result": list(listener.streams), "id": request_id}
        if not all(isinstance(name, str) for name in params):
            return _refusal("stream names must be strings", request_id)
        if method == "SUBSCRIBE":
            if len(listener.streams.keys() | set(params)) > _STREAMS_MAX:
                return _refusal("too many streams", request_id)
            for name in params:
                self._hub.subscribe(listener, name)
        else:
            for name in params:
                self._hub.unsubscribe(listener, name)
        return {"result": None, "id": request_id}


def _property(
    method: str, params: list[Any], request_id: object, listener: Listener
) -> dict[str, Any]:
    if not params or not isinstance(params[0], str):
        return _refusal("property name must be a string", request_id)
    if params[0] != "combined":
        return {"code": 0, "msg": "Unknown property", "id": request_id}
    if method == "GET_PROPERTY":
        return {"result": listener.combined, "id": request_id}
    if len(params) != 2 or not isinstance(params[1], bool):
        return {"code": 1, "msg": "Invalid value type: expected Boolean", "id": request_id}
    listener.combined = params[1]
    return {"result": None, "id": request_id}


def _refusal(what: str, request_id: object) -> dict[str, Any]:
    return {"code": 2, "msg": f"Invalid request: {what}", "id": request_id}


def _is_name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 36
