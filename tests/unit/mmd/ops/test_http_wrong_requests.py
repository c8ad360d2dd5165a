"""The HTTP server and bytes that are no proper requests: it answers or hangs up, changes nothing, and lives."""

import asyncio
import random

import pytest

from tests.driver_bench import DriverBench
from tests.fuzz.mutate import mutated
from tests.unit.mmd.ops.test_http import TOKEN, serving

REQUESTS = 400
SEEDS = (
    b"GET /api/state HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nConnection: close\r\n\r\n",
    b"POST /api/control/halt HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nAuthorization: Bearer wrong\r\n\r\n",
    b'POST /api/control/halt HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n{"a": "b"}\r\n',
    b"POST /api/control/flatten HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: x\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
)


async def _ask(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    writer.write_eof()
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_wrong_requests_change_nothing() -> None:
    """No order of a person comes of any of them, no answer is the server's own failure, and it serves on."""
    rng = random.Random(4)
    async with serving(DriverBench(), TOKEN) as served:
        port = int(served.url.rsplit(":", 1)[1])
        for _ in range(REQUESTS):
            request = mutated(SEEDS, rng)
            answer = await _ask(port, request)
            assert b" 500 " not in answer.partition(b"\r\n")[0], request
        assert served.ordered == []
        assert (await served.get("/healthz"))[0] in (200, 503)


@pytest.mark.parametrize(
    "request_head",
    [b"X-Long: " + b"a" * 70_000, b"\r\n".join(b"X-%d: y" % n for n in range(50_000))],
    ids=["one long header", "many headers"],
)
async def test_headers_are_bounded(request_head: bytes) -> None:
    """What nobody sends is refused and not kept."""
    async with serving(DriverBench(), TOKEN) as served:
        port = int(served.url.rsplit(":", 1)[1])
        answer = await _ask(
            port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + request_head + b"\r\n\r\n"
        )
        assert b" 200 " not in answer.partition(b"\r\n")[0]
        assert (await served.get("/healthz"))[0] in (200, 503)


async def test_bodies_are_bounded() -> None:
    """A megabyte for an order that needs none: refused before it was read."""
    async with serving(DriverBench(), TOKEN) as served:
        port = int(served.url.rsplit(":", 1)[1])
        head = (
            f"POST /api/control/halt HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
            "Content-Length: 1000000\r\n\r\n"
        )
        answer = await _ask(port, head.encode() + b"x" * 1_000_000)
        assert b" 413 " in answer.partition(b"\r\n")[0] + b" "
        assert served.ordered == []
