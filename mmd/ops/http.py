"""The daemon's HTTP server: health, readiness, metrics and state. Nothing here changes anything."""

import errno
from collections.abc import Callable

import msgspec
from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from mmd.errors import ConfigError
from mmd.ops.metrics import StateCollector
from mmd.ops.state import State

_encode = msgspec.json.Encoder().encode
_BODY_MAX = 64 * 1024


class HttpServer:
    """Serves a State on demand; each request costs one snapshot."""

    def __init__(self, host: str, port: int, snapshot: Callable[[], State]) -> None:
        self._host = host
        self._port = port
        self._snapshot = snapshot
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(StateCollector(snapshot))
        self._runner: web.AppRunner | None = None

    @property
    def address(self) -> str:
        """Where it listens, with the port that it really got."""
        assert self._runner is not None, "not started"
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def start(self) -> None:
        """Bind and serve. Raises: ConfigError if the port is taken or the address is none of ours."""
        app = web.Application(client_max_size=_BODY_MAX)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/readyz", self._ready)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/api/state", self._state)
        app.router.add_get("/api/orders", self._orders)
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
        """The loop answers: that is all this says."""
        return web.json_response({"alive": True})

    async def _ready(self, _: web.Request) -> web.Response:
        """200 once books are in sync and orders reconciled, else 503 and why."""
        state = self._snapshot()
        waiting = {i.symbol: i.reason for i in state.instruments if not i.book.synced}
        return web.json_response(
            {"ready": state.ready, "waiting": waiting}, status=200 if state.ready else 503
        )

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    async def _state(self, _: web.Request) -> web.Response:
        return web.Response(body=_encode(self._snapshot()), content_type="application/json")

    async def _orders(self, _: web.Request) -> web.Response:
        orders = {i.symbol: i.orders for i in self._snapshot().instruments}
        return web.Response(body=_encode(orders), content_type="application/json")


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
