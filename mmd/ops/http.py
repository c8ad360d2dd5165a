"""The daemon's HTTP server: the live page, health, readiness, metrics, state, and control behind a token.

No GET changes anything. What it shows is a State, taken on demand or read from the engine's shared memory.
"""

import asyncio
import errno
import hmac
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version

import msgspec
from aiohttp import web

from mmd.core.ports import Clock
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import ConfigError, MmdError
from mmd.ops.api import ENDPOINTS, LIVE_PATH, Health, NoEngine, Obeyed, Readiness, Refused
from mmd.ops.exposition import CONTENT_TYPE, exposition
from mmd.ops.live_feed import LiveFeed
from mmd.ops.metrics import StateCollector
from mmd.ops.observer import Observer, name_of, watch
from mmd.ops.openapi import document
from mmd.ops.page_files import add_page
from mmd.ops.shared_state import STALE_S
from mmd.ops.state import State
from mmd.shell.clock import SystemClock

_encode = msgspec.json.Encoder().encode
_BODY_MAX = 64 * 1024
_SHUTDOWN_S = 1.0
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HttpServer:
    """Serves a State on demand; each request costs one snapshot."""

    def __init__(
        self,
        host: str,
        port: int,
        snapshot: Callable[[], State],
        control: Callable[[str, str], Awaitable[Mapping[str, object]]],
        token: str = "",
        clock: Clock | None = None,
    ) -> None:
        """Nothing listens before `start`; without a token control is off."""
        self._host = host
        self._port = port
        self._clock = SystemClock() if clock is None else clock
        self._observer = Observer(snapshot, self._now_s)
        self._snapshot = self._observer.current
        self.feed = LiveFeed(self._observer, controls=token != "")
        self._collector = StateCollector(snapshot)
        self._control = control
        self._token = token
        self._runner: web.AppRunner | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where it listens, with the port that it really got."""
        assert self._runner is not None, "not started"
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def start(self) -> None:
        """Bind and serve. Raises: ConfigError if the port is taken or the address is none of ours."""
        app = web.Application(client_max_size=_BODY_MAX, middlewares=[_no_engine])
        add_page(app)
        handlers = self._handlers()
        for endpoint in ENDPOINTS:
            if endpoint.path != "/":
                app.router.add_route(endpoint.method, endpoint.path, handlers[endpoint.path])
        app.on_shutdown.append(self._let_go)
        self._runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_S
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self.stop()
            raise ConfigError(_listen_failure(self._host, self._port, error)) from error
        self._watching = asyncio.create_task(watch(self._observer, self.feed.show), name="watch")

    async def stop(self) -> None:
        """Close every connection."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
        if self._runner is not None:
            await self._runner.cleanup()

    def _handlers(self) -> dict[str, Handler]:
        return {
            "/healthz": self._health,
            "/readyz": self._ready,
            "/metrics": self._metrics,
            "/api/state": self._state,
            "/api/orders": self._orders,
            "/api/fills": self._fills,
            "/api/history": self._history,
            "/api/openapi.json": self._openapi,
            "/api/control/{action}": self._operate,
            LIVE_PATH: self.feed.serve,
        }

    def _now_s(self) -> float:
        return self._clock.monotonic_ns() / NANOS_PER_SECOND

    async def _let_go(self, _: web.Application) -> None:
        self.feed.close()

    async def _health(self, _: web.Request) -> web.Response:
        """Whether the engine's event loop turns: its last picture is not old."""
        age_s = self._now_s() - self._snapshot().taken_monotonic_s
        alive = age_s < STALE_S
        return _json(Health(alive, round(age_s, 3)), 200 if alive else 503)

    async def _ready(self, _: web.Request) -> web.Response:
        """200 once books are in sync and orders reconciled, else 503 and why."""
        state = self._snapshot()
        waiting = {name_of(i): i.reason for i in state.instruments if not i.book.synced}
        return _json(Readiness(state.ready, waiting), 200 if state.ready else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        body = exposition(self._collector.collect())
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    async def _state(self, _: web.Request) -> web.Response:
        return _json(self._snapshot())

    async def _orders(self, _: web.Request) -> web.Response:
        return _json({name_of(i): i.orders for i in self._snapshot().instruments})

    async def _fills(self, _: web.Request) -> web.Response:
        return _json({name_of(i): i.last_fills for i in self._snapshot().instruments})

    async def _history(self, request: web.Request) -> web.Response:
        name = request.query.get("instrument", "")
        history = self._observer.history(name)
        if history is None:
            text = f"instrument={name!r}: expected <venue>:<symbol> as in /api/orders"
            return _json(Refused(ok=False, error=text), 404)
        return _json(history)

    async def _openapi(self, _: web.Request) -> web.Response:
        return _json(document(version("mmd")))

    async def _operate(self, request: web.Request) -> web.Response:
        """Pass on a person's order; 403 without the token, 400 for an action that there is not."""
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not self._token or not hmac.compare_digest(given.encode(), self._token.encode()):
            text = "wrong or no bearer token" if self._token else "control is off: set http.token"
            return _json(Refused(ok=False, error=text), 403)
        if (request.content_length or 0) > _BODY_MAX:
            raise web.HTTPRequestEntityTooLarge(_BODY_MAX, request.content_length or 0)
        try:
            done = await self._control(request.match_info["action"], f"http {request.remote}")
        except MmdError as error:
            return _json(Refused(ok=False, error=str(error)), 400)
        return _json(msgspec.convert({**done, "ok": True}, Obeyed))


def _json(answer: object, status: int = 200) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    return web.Response(
        body=_encode(answer), status=status, content_type="application/json", headers=headers
    )


@web.middleware
async def _no_engine(request: web.Request, handler: Handler) -> web.StreamResponse:
    """While there is no engine to show, every page says so with a 503."""
    try:
        return await handler(request)
    except MmdError as error:
        return _json(NoEngine(alive=False, ready=False, error=str(error)), 503)


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
