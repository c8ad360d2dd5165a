"""HTTP calls against a real server: bytes as sent, bans respected, failures typed."""

import asyncio
import contextlib
import socket

import pytest
from aiohttp import web

from mmd.errors import VenueUnreachableError
from mmd.shell.clock import SystemClock
from mmd.shell.connect_error import HttpRefusedError
from mmd.shell.rest import RestClient


@contextlib.asynccontextmanager
async def served(handler, tls=None):
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"localhost:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class SettableClock(SystemClock):
    """Real clock plus what the test adds."""

    __slots__ = ("ahead_ns",)

    def __init__(self) -> None:
        self.ahead_ns = 0

    def monotonic_ns(self) -> int:
        return SystemClock.monotonic_ns() + self.ahead_ns


def test_query_is_sent_byte_for_byte(run):
    """What was signed is what arrives: no re-encoding, headers and method included."""
    seen = []

    async def handler(request):
        seen.append((request.method, request.raw_path, request.headers["X-KEY"]))
        return web.Response(status=404, body=b'{"code":1}', headers={"X-Used": "3"})

    async def main():
        async with served(handler) as where:
            client = RestClient(f"http://{where}/", SystemClock())
            query = "a=%20%2B&symbols=%5B%22X%22%5D&b=1.0"
            answer = await client.call("DELETE", "/api/v3/order", query, {"X-KEY": "k"})
            await client.close()
        assert seen == [("DELETE", f"/api/v3/order?{query}", "k")]
        assert (answer.status, answer.body, answer.headers["x-used"]) == (404, b'{"code":1}', "3")

    run(main())


@pytest.mark.parametrize("status", [429, 418])
def test_ban_is_kept_without_asking_again(run, status: int):
    """After 429 or 418 nothing is sent until Retry-After is over."""
    calls = []

    async def handler(request):
        calls.append(request.path)
        if len(calls) == 1:
            return web.Response(status=status, headers={"Retry-After": "20"})
        return web.Response(text="ok")

    async def main():
        clock = SettableClock()
        async with served(handler) as where:
            client = RestClient(f"http://{where}", clock)
            with pytest.raises(HttpRefusedError, match=f"HTTP {status}") as first:
                await client.call("GET", "/x")
            assert first.value.retry_after_s == 20.0
            clock.ahead_ns = 19 * 10**9
            with pytest.raises(HttpRefusedError, match="no requests during another"):
                await client.call("GET", "/x")
            assert len(calls) == 1
            clock.ahead_ns = 21 * 10**9
            assert (await client.call("GET", "/x")).body == b"ok"
            await client.close()

    run(main())


def test_failures_are_one_clear_line(run, tls):
    """Nothing listening, untrusted TLS, no answer, hanging up half-way, an endless body."""

    async def slow(_):
        await asyncio.sleep(1)
        return web.Response()

    async def cut(request):
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        request.transport.abort()
        return response

    async def big(_):
        return web.Response(body=b"z" * 200_000)

    async def expect(where: str, text: str, **options):
        client = RestClient(where, SystemClock(), **options)
        with pytest.raises(VenueUnreachableError, match=text):
            await client.call("GET", "/x")
        await client.close()

    async def main():
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        await expect(f"http://127.0.0.1:{port}", f"nothing is listening at 127.0.0.1:{port}")
        async with served(slow, tls[0]) as where:
            await expect(f"https://{where}", r"certificate of .* is not trusted")
            await expect(f"https://{where}", "did not answer in time", tls=tls[1], timeout_s=0.3)
        async with served(cut) as where:
            await expect(f"http://{where}", "broke off GET /x")
        async with served(big) as where:
            await expect(f"http://{where}", "sent more than 100000 bytes", body_bytes_max=100_000)

    run(main())
