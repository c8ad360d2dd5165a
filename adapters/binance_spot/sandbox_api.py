"""The WebSocket API: requests and answers over one socket, and user data events between them.

Source: web-socket-api.md.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from adapters.binance_spot.sandbox_auth import Authority, Credential, check_time, signed_params
from adapters.binance_spot.sandbox_clock import ExchangeClock
from adapters.binance_spot.sandbox_connection import CLOSE_S, LIFE_NS, Connection
from adapters.binance_spot.sandbox_errors import ApiError
from adapters.binance_spot.sandbox_faults import RequestFate, RequestFaults
from adapters.binance_spot.sandbox_limits import RateLimits
from adapters.binance_spot.sandbox_operations import Operations
from adapters.binance_spot.sandbox_params import Params
from adapters.binance_spot.sandbox_router import EventRouter

OnRequest = Callable[[int, str], None]

_MESSAGE_MAX = 1024 * 1024
_WEIGHT = 2
_encode = msgspec.json.Encoder().encode


class _Request(msgspec.Struct):
    method: str = ""
    id: int | str | None = None
    params: dict[str, msgspec.Raw] = {}


_decode = msgspec.json.Decoder(_Request).decode


class _Session:
    """What one connection has logged on as and subscribed to."""

    __slots__ = (
        "connected_ms",
        "connection",
        "credential",
        "own_subscription",
        "since_ms",
        "started",
        "subscriptions",
        "wants_limits",
    )

    def __init__(self, connection: Connection, connected_ms: int, *, wants_limits: bool) -> None:
        self.connection = connection
        self.connected_ms = connected_ms
        self.wants_limits = wants_limits
        self.credential: Credential | None = None
        self.since_ms: int | None = None
        self.subscriptions: dict[int, str] = {}
        self.own_subscription: int | None = None  # ends with the log-on; signed ones do not
        self.started = 0


class ApiServer:
    """Accepts WebSocket API clients; `connections` are those to keep alive."""

    def __init__(
        self,
        operations: Operations,
        authority: Authority,
        limits: RateLimits,
        router: EventRouter,
        clock: ExchangeClock,
        faults: RequestFaults,
        on_request: OnRequest | None = None,
        life_ns: int = LIFE_NS,
    ) -> None:
        self._faults = faults
        self._life_ns = life_ns
        self.connections: set[Connection] = set()
        self._operations = operations
        self._authority = authority
        self._limits = limits
        self._router = router
        self._clock = clock
        self._on_request = on_request
        self._session_methods: dict[str, Callable[[_Session, dict[str, str]], Any]] = {
            "session.logon": self._log_on,
            "session.status": lambda s, _: self._status(s),
            "session.logout": self._log_out,
            "session.subscriptions": lambda s, _: [{"subscriptionId": i} for i in s.subscriptions],
            "userDataStream.subscribe": self._subscribe,
            "userDataStream.subscribe.signature": self._subscribe_signed,
            "userDataStream.unsubscribe": self._unsubscribe,
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one client until it leaves."""
        status = self._faults.handshakes.take("api")
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
            ws, writer, transport, now_ns, is_lossless=False, life_ns=self._life_ns
        )
        wants_limits = request.query.get("returnRateLimits", "true").lower() != "false"
        session = _Session(connection, self._now_ms(), wants_limits=wants_limits)
        self.connections.add(connection)
        try:
            async for message in ws:
                match message.type:
                    case WSMsgType.TEXT:
                        await self._serve(session, message.data)
                    case WSMsgType.PING:
                        connection.on_ping(message.data)
                    case WSMsgType.PONG:
                        connection.on_pong()
                    case _:
                        break
        finally:
            connection.closed = True
            self.connections.discard(connection)
            self._router.forget(connection)
        return ws

    def announce(self, message: dict[str, Any]) -> None:
        """Send a message to every connection."""
        payload = _encode(message)
        for connection in self.connections:
            connection.send_text(payload)

    async def _serve(self, session: _Session, text: str) -> None:
        """Answer a request; what it caused on the user data stream follows the answer, if not delayed."""
        ts_ns = self._clock.machine_ns()
        request = _Request()
        fate = RequestFate()
        self._router.hold()
        try:
            request = _decoded(text)
            if self._on_request is not None:
                self._on_request(ts_ns, request.method)
            operation = self._operations.by_method.get(request.method)
            is_order = operation is not None and operation.trade is not None
            fate = self._faults.take(self._clock.now_ns(), is_order=is_order)
            answer = self._answer(session, request, fate)
        except ApiError as error:
            answer = self._failure(error)
        answer = {"id": request.id, **answer}
        if session.wants_limits:
            answer["rateLimits"] = self._limits.usage(self._clock.now_ns())
        if fate.delay_s == 0.0 and not fate.is_lost:
            session.connection.send_text(_encode(answer))
        self._router.release()
        if fate.delay_s > 0.0:
            await asyncio.sleep(fate.delay_s)
            if not fate.is_lost:
                session.connection.send_text(_encode(answer))

    def _answer(self, session: _Session, request: _Request, fate: RequestFate) -> dict[str, Any]:
        if fate.error is not None and not fate.is_done:
            raise fate.error
        if fate.is_lost and not fate.is_done:
            return {}
        params = {name: _text(raw) for name, raw in request.params.items()}
        result = self._run(session, request.method, params)
        if fate.error is not None:
            raise fate.error
        return {"status": 200, "result": result}

    def _failure(self, error: ApiError) -> dict[str, Any]:
        """An error as this transport has it: with the time to wait where there is one."""
        body = error.body()
        if error.retry_after_s > 0:
            now_ms = self._now_ms()
            retry_ms = now_ms + error.retry_after_s * 1000
            body["data"] = {"serverTime": now_ms, "retryAfter": retry_ms}
        return {"status": error.status, "error": body}

    def _run(self, session: _Session, method: str, params: dict[str, str]) -> Any:
        now_ns = self._clock.now_ns()
        if method in self._session_methods:
            self._limits.charge(_WEIGHT, now_ns)
            return self._session_methods[method](session, params)
        operation = self._operations.by_method.get(method)
        if operation is None:
            raise ApiError(-1020, "This operation is not supported.")
        account = None
        if operation.keyed is not None:
            credential = session.credential or self._authority.credential(params.get("apiKey", ""))
            return self._operations.run_keyed(operation, credential, Params(params), now_ns)
        if operation.is_signed:
            account = self._account(session, params, now_ns)
        return self._operations.run(operation, account, Params(params), now_ns)

    def _account(self, session: _Session, params: dict[str, str], now_ns: int) -> str:
        """Who asks: the signer, or who logged on. Raises: ApiError."""
        if session.credential is not None and "apiKey" not in params:
            check_time(params.get("timestamp"), params.get("recvWindow"), now_ns)
            return session.credential.account
        return self._signer(params, now_ns).account

    def _signer(self, params: dict[str, str], now_ns: int) -> Credential:
        if not params.get("apiKey"):
            raise ApiError(
                -1102, "Mandatory parameter 'apiKey' was not sent, was empty/null, or malformed."
            )
        credential = self._authority.credential(params["apiKey"])
        self._authority.verify(credential, signed_params(params), params.get("signature"))
        check_time(params.get("timestamp"), params.get("recvWindow"), now_ns)
        return credential

    def _log_on(self, session: _Session, params: dict[str, str]) -> Any:
        credential = self._signer(params, self._clock.now_ns())
        if not credential.is_ed25519:
            raise ApiError(-4056, "HMAC_SHA256 API key is not supported.", 400)
        session.credential = credential
        session.since_ms = self._now_ms()
        return self._status(session)

    def _log_out(self, session: _Session, _: dict[str, str]) -> Any:
        session.credential = None
        session.since_ms = None
        if session.own_subscription is not None:
            self._end(session, session.own_subscription)
        return self._status(session)

    def _status(self, session: _Session) -> dict[str, Any]:
        return {
            "apiKey": None if session.credential is None else session.credential.key,
            "authorizedSince": session.since_ms,
            "connectedSince": session.connected_ms,
            "returnRateLimits": session.wants_limits,
            "serverTime": self._now_ms(),
            "userDataStream": len(session.subscriptions) > 0,
        }

    def _subscribe(self, session: _Session, _: dict[str, str]) -> dict[str, int]:
        if session.credential is None:
            raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        started = self._start(session, session.credential.account)
        session.own_subscription = started["subscriptionId"]
        return started

    def _subscribe_signed(self, session: _Session, params: dict[str, str]) -> dict[str, int]:
        return self._start(session, self._signer(params, self._clock.now_ns()).account)

    def _start(self, session: _Session, account: str) -> dict[str, int]:
        if account in session.subscriptions.values():
            raise ApiError(-2035, "User Data Stream subscription already active.")
        number = session.started
        session.started += 1
        session.subscriptions[number] = account
        self._router.listen(account, session.connection, number)
        return {"subscriptionId": number}

    def _unsubscribe(self, session: _Session, params: dict[str, str]) -> dict[str, Any]:
        number = Params(params).integer("subscriptionId")
        if number is not None and number not in session.subscriptions:
            raise ApiError(-2036, "User Data Stream subscription not active.")
        for ended in [number] if number is not None else list(session.subscriptions):
            self._end(session, ended)
        return {}

    def _end(self, session: _Session, number: int) -> None:
        del session.subscriptions[number]
        self._router.forget(session.connection, number)
        if session.own_subscription == number:
            session.own_subscription = None

    def _now_ms(self) -> int:
        return self._clock.now_ns() // 1_000_000


def _decoded(text: str) -> _Request:
    try:
        return _decode(text)
    except msgspec.DecodeError:
        raise ApiError(-1135, "Invalid JSON Request") from None


def _text(raw: msgspec.Raw) -> str:
    """A parameter as the text that its sender signed: strings without quotes, all else as written."""
    written = bytes(raw)
    if written.startswith(b'"'):
        return msgspec.json.decode(written, type=str)
    return "" if written == b"null" else written.decode()
