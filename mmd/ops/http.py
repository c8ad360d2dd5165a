"""The daemon's HTTP server: health, readiness, metrics, state, and control behind a token.

No GET changes anything. What it shows is a State, taken on demand or read from the engine's shared memory.
"""

import errno
import hmac
import time
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from mmd.errors import ConfigError, MmdError
from mmd.ops.exposition import CONTENT_TYPE, exposition
from mmd.ops.metrics import StateCollector
from mmd.ops.state import State

_encode = msgspec.json.Encoder().encode
_BODY_MAX = 64 * 1024
STALE_S = 3.0
"""Age of the last picture at which the engine counts as not well."""


class HttpServer:
    """Serves a State on demand; each request costs one snapshot."""

    def __init__(
        self,
        host: str,
        port: int,
        snapshot: Callable[[], State],
        control: Callable[[str, str], Awaitable[None]],
        token: str = "",
    ) -> None:
        """Nothing listens before `start`; without a token control is off."""
        self._host = host
        self._port = port
        self._snapshot = snapshot
        self._collector = StateCollector(snapshot)
        self._control = control
        self._token = token
        self._runner: web.AppRunner | None = None

    @property
    def address(self) -> str:
        """Where it listens, with the port that it really got."""
        assert self._runner is not None, "not started"
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def start(self) -> None:
        """Bind and serve. Raises: ConfigError if the port is taken or the address is none of ours."""
        app = web.Application(client_max_size=_BODY_MAX, middlewares=[_no_engine])
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/readyz", self._ready)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/api/state", self._state)
        app.router.add_get("/api/orders", self._orders)
        app.router.add_get("/api/fills", self._fills)
        app.router.add_post("/api/control/{action}", self._operate)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self.stop()
            raise ConfigError(_listen_failure(self._host, self._port, error)) from error

    async def stop(self) -> None:
        """Close every connection."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _health(self, _: web.Request) -> web.Response:
        """Whether the engine's event loop turns: its last picture is not old."""
        age_s = time.time() - self._snapshot().taken_unix_s  # noqa: TID251 - compared across processes
        alive = age_s < STALE_S
        answer = {"alive": alive, "engine_age_s": round(age_s, 3)}
        return web.json_response(answer, status=200 if alive else 503)

    async def _ready(self, _: web.Request) -> web.Response:
        """200 once books are in sync and orders reconciled, else 503 and why."""
        state = self._snapshot()
        waiting = {i.symbol: i.reason for i in state.instruments if not i.book.synced}
        return web.json_response(
            {"ready": state.ready, "waiting": waiting}, status=200 if state.ready else 503
        )

    async def _metrics(self, _: web.Request) -> web.Response:
        body = exposition(self._collector.collect())
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    async def _state(self, _: web.Request) -> web.Response:
        return web.Response(body=_encode(self._snapshot()), content_type="application/json")

    async def _orders(self, _: web.Request) -> web.Response:
        orders = {i.symbol: i.orders for i in self._snapshot().instruments}
        return web.Response(body=_encode(orders), content_type="application/json")

    async def _fills(self, _: web.Request) -> web.Response:
        fills = {i.symbol: i.last_fills for i in self._snapshot().instruments}
        return web.Response(body=_encode(fills), content_type="application/json")

    async def _operate(self, request: web.Request) -> web.Response:
        """Pass on a person's order; 403 without the token, 400 for an action that there is not."""
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not self._token or not hmac.compare_digest(given.encode(), self._token.encode()):
            text = "wrong or no bearer token" if self._token else "control is off: set http.token"
            return web.json_response({"ok": False, "error": text}, status=403)
        try:
            await self._control(request.match_info["action"], f"http {request.remote}")
        except MmdError as error:
            return web.json_response({"ok": False, "error": str(error)}, status=400)
        return web.json_response({"ok": True})


@web.middleware
async def _no_engine(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """While there is no engine to show, every page says so with a 503."""
    try:
        return await handler(request)
    except MmdError as error:
        return web.json_response({"alive": False, "ready": False, "error": str(error)}, status=503)


def _listen_failure(host: str, port: int, error: OSError) -> str:
    """Which setting to change, and how."""
    if error.errno == errno.EADDRINUSE:
        return (
            f"http.port = {port}: {host}:{port} is taken by another program; "
            "stop it or set another http.port (0 takes a free one)"
        )
    if error.errno == errno.EACCES:
        return f"http.port = {port}: not allowed to listen there; set one above 1023"
    return f"http.host = {host!r}: cannot listen there ({error.strerror or error}); set an address of this machine"
