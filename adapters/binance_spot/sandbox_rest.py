"""The REST server: one handler for every operation of the table, with signatures, headers and error bodies."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from adapters.binance_spot.sandbox_auth import Authority, check_time, signed_query
from adapters.binance_spot.sandbox_clock import ExchangeClock
from adapters.binance_spot.sandbox_errors import ApiError
from adapters.binance_spot.sandbox_faults import RequestFate, RequestFaults
from adapters.binance_spot.sandbox_limits import RateLimits
from adapters.binance_spot.sandbox_operations import Operation, Operations
from adapters.binance_spot.sandbox_params import Params

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
OnRequest = Callable[[int, str], None]

_encode = msgspec.json.Encoder().encode
_DEPTH = "/api/v3/depth"


class RestServer:
    """Turns requests into operations."""

    def __init__(
        self,
        operations: Operations,
        authority: Authority,
        limits: RateLimits,
        clock: ExchangeClock,
        faults: RequestFaults,
        on_request: OnRequest | None = None,
    ) -> None:
        self._faults = faults
        self._operations = operations
        self._authority = authority
        self._limits = limits
        self._clock = clock
        self._on_request = on_request
        self._snapshots: dict[str, Any] = {}
        """The latest order book given for each question, for who shall get it again."""

    def routes(self) -> list[web.RouteDef]:
        """One route for each operation that has a path, and an answer for unknown paths."""
        known = [
            web.route(o.verb, o.path, self._handler(o)) for o in self._operations.all if o.path
        ]
        unknown = [
            web.route("*", f"/{root}/{{tail:.*}}", self._unknown) for root in ("api", "sapi")
        ]
        return [*known, *unknown]

    def _handler(self, operation: Operation) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            body = (
                (await request.read()).decode("utf-8", "replace") if request.can_read_body else ""
            )
            if self._on_request is not None:
                self._on_request(self._clock.machine_ns(), f"{operation.verb} {operation.path}")
            query = request.raw_path.partition("?")[2]
            key = request.headers.get("X-MBX-APIKEY", "")
            is_order = operation.trade is not None
            is_snapshot = operation.path == _DEPTH
            fate = self._faults.take(
                self._clock.now_ns(), is_order=is_order, is_snapshot=is_snapshot
            )
            response = self._respond(operation, key, query, body, fate)
            if fate.delay_s > 0.0:
                await asyncio.sleep(fate.delay_s)
            if fate.is_lost and request.transport is not None:
                request.transport.abort()
            return response

        return handle

    def _respond(
        self, operation: Operation, key: str, query: str, body: str, fate: RequestFate
    ) -> web.Response:
        try:
            if fate.error is not None and not fate.is_done:
                raise fate.error
            if fate.is_lost and not fate.is_done:
                return self._response({}, 200)
            answer = self._run(operation, key, query, body)
            if fate.error is not None:
                raise fate.error
            if operation.path == _DEPTH:
                if fate.is_stale:
                    answer = self._snapshots.get(query, answer)
                self._snapshots[query] = answer
            return self._response(answer, 200)
        except ApiError as error:
            return self._response(error.body(), error.status, error.retry_after_s)

    def _run(self, operation: Operation, key: str, query: str, body: str) -> Any:
        now_ns = self._clock.now_ns()
        params = dict(parse_qsl(query, keep_blank_values=True))
        params.update(parse_qsl(body, keep_blank_values=True))
        account = None
        if operation.keyed is not None:
            return self._operations.run_keyed(
                operation, self._authority.credential(key), Params(params), now_ns
            )
        if operation.is_signed:
            credential = self._authority.credential(key)
            payload, signature = signed_query(query, body)
            self._authority.verify(credential, payload, signature)
            check_time(params.get("timestamp"), params.get("recvWindow"), now_ns)
            account = credential.account
        return self._operations.run(operation, account, Params(params), now_ns)

    async def _unknown(self, request: web.Request) -> web.Response:
        return self._response(
            {
                "code": -1020,
                "msg": f"This operation is not supported: {request.method} {request.path}",
            },
            404,
        )

    def _response(self, answer: Any, status: int, retry_after_s: int = 0) -> web.Response:
        headers = self._limits.headers(self._clock.now_ns())
        if retry_after_s > 0:
            headers["Retry-After"] = str(retry_after_s)
        return web.Response(
            body=_encode(answer), status=status, content_type="application/json", headers=headers
        )
