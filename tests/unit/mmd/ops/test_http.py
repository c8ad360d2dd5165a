"""The daemon's HTTP server on a real socket: readiness, metrics, state; control only for who has the token."""

import contextlib
import socket
from collections.abc import AsyncIterator

import aiohttp
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import ConfigError, MmdError
from mmd.ops.http import HttpServer
from mmd.ops.state import State
from mmd.shell.clock import SystemClock
from tests.driver_bench import DriverBench
from tests.ops_state import cold, quoting, state_of

TOKEN = "token-5d1c40e2b9f3"


class Served:
    """A server over a bench, and a client of it."""

    def __init__(self, bench: DriverBench, http: aiohttp.ClientSession) -> None:
        self.bench = bench
        self.fault: MmdError | None = None
        self.age_s = 0.0
        self.stepped_s = 0.0
        self.ordered: list[tuple[str, str]] = []
        self._http = http
        self.url = ""
        self.server: HttpServer

    def state(self) -> State:
        """As the engine would publish it now, or `age_s` ago."""
        if self.fault is not None:
            raise self.fault
        clock = SystemClock()
        return msgspec.structs.replace(
            state_of(self.bench),
            taken_unix_s=clock.unix_ns() / NANOS_PER_SECOND + self.stepped_s,
            taken_monotonic_s=clock.monotonic_ns() / NANOS_PER_SECOND - self.age_s,
        )

    async def control(self, action: str, who: str) -> dict[str, object]:
        if action != "halt":
            raise MmdError(f"expected halt, found {action!r}")
        self.ordered.append((action, who))
        return {}

    async def get(self, path: str) -> tuple[int, bytes]:
        async with self._http.get(self.url + path) as answer:
            return answer.status, await answer.read()

    async def post(self, path: str, token: str = "") -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._http.post(self.url + path, headers=headers) as answer:
            return answer.status, await answer.read()


@contextlib.asynccontextmanager
async def serving(bench: DriverBench, token: str = "") -> AsyncIterator[Served]:
    """Up on a free port."""
    async with aiohttp.ClientSession() as http:
        served = Served(bench, http)
        server = HttpServer("127.0.0.1", 0, served.state, served.control, token)
        await server.start()
        served.url, served.server = server.address, server
        try:
            yield served
        finally:
            await server.stop()


async def test_ready_is_503_before_the_book_is_in_sync_and_200_after() -> None:
    """With what is waited for."""
    async with serving(cold()) as served:
        status, body = await served.get("/readyz")
        assert status == 503
        assert msgspec.json.decode(body) == {
            "ready": False,
            "waiting": {"embedded:MMDUSDT": "WARM_UP"},
        }
        served.bench.bring_up()
        status, body = await served.get("/readyz")
        assert status == 200
        assert msgspec.json.decode(body) == {"ready": True, "waiting": {}}


async def test_healthy_is_an_engine_whose_picture_is_fresh() -> None:
    """A loop that hangs publishes nothing."""
    async with serving(quoting()) as served:
        assert (await served.get("/healthz"))[0] == 200
        served.stepped_s = -3_600.0  # the wall clock was put forward by an hour since the start
        assert (await served.get("/healthz"))[0] == 200
        served.age_s = 60.0
        assert (await served.get("/healthz"))[0] == 503


async def test_metrics_and_state_are_of_the_same_daemon() -> None:
    """Both parse, and agree."""
    async with serving(quoting()) as served:
        status, body = await served.get("/metrics")
        assert status == 200
        families = {f.name: f for f in text_string_to_metric_families(body.decode())}
        status, body = await served.get("/api/state")
        assert status == 200
        row = msgspec.json.decode(body, type=State).instruments[0]
        assert families["mmd_orders_sent"].samples[0].value == row.orders_sent >= 6
        _, body = await served.get("/api/orders")
        assert msgspec.json.decode(body) == {"embedded:MMDUSDT": msgspec.to_builtins(row.orders)}
        _, body = await served.get("/api/fills")
        assert len(msgspec.json.decode(body)["embedded:MMDUSDT"]) == 1


@pytest.mark.parametrize("path", ["/readyz", "/healthz", "/metrics", "/api/state", "/api/orders"])
async def test_without_an_engine_pages_say_so(path: str) -> None:
    """503 and why, never a 500."""
    async with serving(cold()) as served:
        served.fault = MmdError("the engine has not published its state yet")
        status, body = await served.get(path)
        assert status == 503
        assert b"has not published" in body


async def test_control_needs_the_token() -> None:
    """403 without it, with a wrong one, and where none is configured; nothing is ordered then."""
    async with serving(quoting(), TOKEN) as served:
        assert (await served.post("/api/control/halt"))[0] == 403
        status, body = await served.post("/api/control/halt", "wrong")
        assert status == 403
        assert TOKEN.encode() not in body
        assert served.ordered == []
        assert (await served.post("/api/control/halt", TOKEN))[0] == 200
        assert served.ordered == [("halt", "http 127.0.0.1")]
        assert (await served.post("/api/control/explode", TOKEN))[0] == 400
    async with serving(quoting()) as served:
        status, body = await served.post("/api/control/halt", "anything")
        assert status == 403
        assert b"http.token" in body


async def test_no_get_changes_anything() -> None:
    """Control is POST only; unknown pages are 404."""
    async with serving(quoting(), TOKEN) as served:
        assert (await served.get("/api/control/halt"))[0] == 405
        assert (await served.get("/secret"))[0] == 404
        assert served.ordered == []


async def test_a_taken_port_and_a_foreign_address_are_config_errors() -> None:
    """Each names its key and value, and what to do; nothing is left open."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"http\.port = {port}: .* taken by another program"):
            await HttpServer("127.0.0.1", port, lambda: None, None).start()  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"http\.host = '192\.0\.2\.1'"):
        await HttpServer("192.0.2.1", 0, lambda: None, None).start()  # type: ignore[arg-type]
