"""The WebSocket client against real sockets: aiohttp's server for what is normal, raw bytes for what is not."""

import asyncio
import base64
import contextlib
import hashlib
import re
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import WSMsgType, web

from mmd.errors import CodecError, ConfigError, VenueUnreachableError
from mmd.shell.clock import SystemClock
from mmd.shell.connect_error import HttpRefusedError
from mmd.shell.websocket import WebSocket, WebSocketLimits

CLOCK = SystemClock()


@dataclass
class Log:
    """What a connection's callbacks saw, in order."""

    seen: list[tuple[str, object]] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, kind: str, what: object) -> None:
        self.seen.append((kind, what))
        self.changed.set()

    def on_open(self, ws: WebSocket) -> None:
        self.note("open", ws.is_open)

    def on_message(self, payload: bytes, ts_recv_ns: int) -> None:
        assert type(payload) is bytes
        self.stamps.append(ts_recv_ns)
        self.note("message", payload)

    def on_closed(self, reason: str) -> None:
        self.note("closed", reason)

    @property
    def messages(self) -> list[object]:
        return [what for kind, what in self.seen if kind == "message"]

    async def until(self, kind: str, count: int = 1) -> None:
        """Wait for the count-th event of a kind."""
        async with asyncio.timeout(5):
            while sum(k == kind for k, _ in self.seen) < count:
                self.changed.clear()
                await self.changed.wait()


async def open_to(url: str, log: Log, **limits) -> WebSocket:
    return await WebSocket.connect(
        url,
        log.on_message,
        log.on_closed,
        CLOCK,
        on_open=log.on_open,
        limits=WebSocketLimits(**limits),
    )


@contextlib.asynccontextmanager
async def served(handler: Callable[[web.Request], Awaitable[web.StreamResponse]], tls=None):
    """An aiohttp server on a free port; yields host:port."""
    app = web.Application()
    app.router.add_get("/{tail:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield f"localhost:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def raw_server(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """A server that completes the handshake and then does as `talk` says with the bare socket."""

    talks = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        key = next(
            line.split(b": ")[1]
            for line in request.split(b"\r\n")
            if line.lower().startswith(b"sec-websocket-key")
        )
        digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )
        talks.append(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in talks:
            task.cancel()


def frame(opcode: int, payload: bytes, fin: bool = True) -> bytes:
    """A server's frame by hand. Source: RFC 6455 §5.2."""
    head = bytes([opcode | (0x80 if fin else 0)])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    return head + bytes([126]) + struct.pack(">H", len(payload)) + payload


def open_files() -> int:
    """File descriptors of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def echo(request: web.Request) -> web.WebSocketResponse:
    """Sends a greeting with the handshake, then every text back."""
    ws = web.WebSocketResponse(compress=False)
    await ws.prepare(request)
    await ws.send_str("hello")
    async for message in ws:
        if message.type is WSMsgType.TEXT:
            await ws.send_str(message.data)
    return ws


def test_messages_go_both_ways_in_order(run):
    """Open comes first, then the greeting, then echoes; closing is reported once and last."""

    async def main():
        log = Log()
        async with served(echo) as where:
            ws = await open_to(f"ws://{where}/x", log)
            for i in range(50):
                ws.send(b"%d" % i)
            await log.until("message", 51)
            await ws.close()
            assert not ws.is_open
        expected = [("open", True), ("message", b"hello")]
        expected += [("message", b"%d" % i) for i in range(50)] + [("closed", "closed by us")]
        assert log.seen == expected
        assert log.stamps == sorted(log.stamps)

    run(main())


def test_one_stamp_per_chunk_and_messages_split_or_merged(run):
    """Frames that arrive together share a receive time; frames cut anywhere arrive whole."""

    async def talk(reader, writer):
        writer.write(frame(1, b"a") + frame(1, b"b"))
        await writer.drain()
        await asyncio.sleep(0.05)
        whole = frame(1, b"x" * 300)
        for cut in (1, 3, 7, len(whole)):
            start = {1: 0, 3: 1, 7: 3, len(whole): 7}[cut]
            writer.write(whole[start:cut])
            await writer.drain()
            await asyncio.sleep(0.02)
        await reader.read(100)

    async def main():
        log = Log()
        async with raw_server(talk) as where:
            ws = await open_to(f"ws://{where}", log)
            await log.until("message", 3)
            await ws.close()
        assert log.messages == [b"a", b"b", b"x" * 300]
        assert log.stamps[0] == log.stamps[1] < log.stamps[2]

    run(main())


def test_fragments_are_joined_and_a_ping_between_them_answered(run):
    """Three fragments make one message; the ping's payload comes back in a pong."""
    pongs = []

    async def talk(reader, writer):
        writer.write(frame(1, b"one ", fin=False) + frame(9, b"alive?"))
        writer.write(frame(0, b"two ", fin=False) + frame(0, b"three"))
        head = await reader.readexactly(2 + 4 + 6)
        mask = head[2:6]
        pongs.append((head[0], bytes(b ^ mask[i % 4] for i, b in enumerate(head[6:]))))
        await reader.read(100)

    async def main():
        log = Log()
        async with raw_server(talk) as where:
            ws = await open_to(f"ws://{where}", log)
            await log.until("message")
            await ws.close()
        assert log.messages == [b"one two three"]
        assert pongs == [(0x8A, b"alive?")]

    run(main())


def test_silence_ends_the_connection_but_pongs_keep_it(run):
    """A peer that answers pings is kept; one that does not is dropped after the time-out."""

    async def quiet(request):
        ws = web.WebSocketResponse(autoping=True)
        await ws.prepare(request)
        async for _ in ws:
            pass
        return ws

    async def deaf(reader, writer):
        await asyncio.sleep(3)

    async def main():
        log = Log()
        async with served(quiet) as where:
            ws = await open_to(f"ws://{where}", log, ping_interval_s=0.05, silence_timeout_s=0.2)
            await asyncio.sleep(0.6)
            assert ws.is_open
            await ws.close()
        dead = Log()
        async with raw_server(deaf) as where:
            ws = await open_to(f"ws://{where}", dead, ping_interval_s=0.05, silence_timeout_s=0.2)
            await dead.until("closed")
            assert ws.close_reason.startswith("silent for 0.")
            await ws.wait_closed()

    run(main())


@pytest.mark.parametrize("status", [403, 418, 429, 500, 503])
def test_refused_handshake_carries_status_and_wait(run, status: int):
    """The HTTP status and Retry-After of a refusal are in the error."""

    async def refuse(_):
        return web.Response(status=status, headers={"retry-after": "17"}, text="no")

    async def main():
        log = Log()
        async with served(refuse) as where:
            with pytest.raises(
                HttpRefusedError, match=f"HTTP {status}; it asks to wait 17 s"
            ) as caught:
                await open_to(f"ws://{where}/path", log)
        assert (caught.value.status, caught.value.retry_after_s) == (status, 17.0)
        assert log.seen == []

    run(main())


def test_connection_errors_name_the_address(run, tls):
    """Nothing listening, no WebSocket, untrusted TLS, TLS on a plain port, no answer, a bad address."""
    server_tls, client_tls = tls

    async def stuck(reader, writer):
        await reader.read()
        writer.close()

    async def hang_up(reader, writer):
        writer.close()

    async def main():
        log = Log()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with pytest.raises(
            VenueUnreachableError, match=f"nothing is listening at 127.0.0.1:{port}"
        ):
            await open_to(f"ws://127.0.0.1:{port}", log)
        with pytest.raises(ConfigError, match="expected a ws:// or wss:// address"):
            await open_to("http://localhost", log)
        async with served(echo, server_tls) as where:
            with pytest.raises(VenueUnreachableError, match=r"certificate of .* is not trusted"):
                await open_to(f"wss://{where}", log)
            ws = await WebSocket.connect(
                f"wss://{where}", log.on_message, log.on_closed, CLOCK, tls=client_tls
            )
            await log.until("message")
            ws.send(b"over TLS")
            await log.until("message", 2)
            await ws.close()
        async with served(echo) as where:
            with pytest.raises(VenueUnreachableError, match="does not speak TLS"):
                await open_to(f"wss://{where}", log)
        for behaviour, text in (
            (stuck, "did not answer in time"),
            (hang_up, "during the WebSocket"),
        ):
            server = await asyncio.start_server(behaviour, "127.0.0.1", 0)
            where = server.sockets[0].getsockname()[1]
            with pytest.raises(VenueUnreachableError, match=text):
                await open_to(f"ws://127.0.0.1:{where}", log, open_timeout_s=0.3)
            server.close()
        assert log.messages == [b"hello", b"over TLS"]

    run(main())


def test_peer_errors_end_the_connection_once(run):
    """Reset, goodbye, an oversized message and broken framing are each told with their reason."""

    async def reset(reader, writer):
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def goodbye(reader, writer):
        writer.write(frame(8, struct.pack(">H", 1001) + b"maintenance") + frame(1, b"ignored"))
        await reader.read(100)

    async def oversized(reader, writer):
        writer.write(frame(1, b"y" * 2_000))
        await reader.read(100)

    async def broken(reader, writer):
        writer.write(bytes([0xF1, 0x01, 0x00]))
        await reader.read(100)

    async def main():
        cases = (
            (reset, "connection (lost|closed)"),
            (goodbye, "closed by the peer: 1001 .*maintenance"),
            (oversized, "protocol broken by the peer: .*"),
            (broken, "protocol broken by the peer: .*"),
        )
        for talk, reason in cases:
            log = Log()
            async with raw_server(talk) as where:
                ws = await open_to(
                    f"ws://{where}", log, message_bytes_max=1_000, close_timeout_s=0.2
                )
                await log.until("closed")
                await asyncio.wait_for(ws.wait_closed(), 2)
                await ws.close()
            closed = [what for kind, what in log.seen if kind == "closed"]
            assert len(closed) == 1
            assert re.match(reason, closed[0]), closed
            assert log.messages == []
            assert ws.failure is None

    run(main())


def test_close_is_bounded_when_the_peer_never_answers(run):
    """A peer that ignores the goodbye is cut after close_timeout_s."""

    async def ignore(reader, writer):
        await asyncio.sleep(3)

    async def main():
        log = Log()
        async with raw_server(ignore) as where:
            ws = await open_to(f"ws://{where}", log, close_timeout_s=0.1)
            started = asyncio.get_running_loop().time()
            await ws.close()
            await asyncio.wait_for(ws.wait_closed(), 1)
            assert asyncio.get_running_loop().time() - started < 0.5

    run(main())


def test_peer_that_does_not_read_is_cut(run):
    """What waits to be written is bounded: beyond it the connection ends."""

    async def never_read(reader, writer):
        await asyncio.sleep(3)

    async def main():
        log = Log()
        async with raw_server(never_read) as where:
            ws = await open_to(f"ws://{where}", log, backlog_bytes_max=10_000)
            sent = 0
            while ws.is_open and sent < 100_000:
                ws.send(b"z" * 1_000)
                sent += 1
            assert "does not read" in ws.close_reason
            assert log.seen[-1] == ("closed", ws.close_reason)
            await ws.wait_closed()

    run(main())


@pytest.mark.parametrize("error", [CodecError("bad frame"), AssertionError("a bug")])
def test_errors_of_the_message_callback_end_the_connection(run, error: Exception):
    """An expected error and a bug both end the connection and are kept in `failure`."""

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        log = Log()

        def fail(payload: bytes, ts_recv_ns: int) -> None:
            raise error

        async with served(echo) as where:
            ws = await WebSocket.connect(f"ws://{where}", fail, log.on_closed, CLOCK)
            await asyncio.wait_for(ws.wait_closed(), 2)
            assert ws.failure is error
            assert len(log.seen) == 1
            await ws.close()

    run(main())


def test_reconnects_leak_neither_sockets_nor_tasks(run):
    """Thirty connections, ended in three ways, leave as many open files as before."""

    async def main():
        log = Log()
        async with served(echo) as where:
            ws = await open_to(f"ws://{where}", log)
            await ws.close()
            await asyncio.sleep(0.05)
            before = open_files()
            for i in range(30):
                ws = await open_to(f"ws://{where}", log)
                if i % 3 == 0:
                    ws.abort("test")
                    await ws.wait_closed()
                await ws.close()
                if i % 3 == 1:
                    connecting = asyncio.create_task(open_to(f"ws://{where}", log))
                    await asyncio.sleep(0.0005 * (i % 5))
                    connecting.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await (await connecting).close()
            await asyncio.sleep(0.1)
            assert open_files() <= before

    run(main())


def test_small_messages_leave_at_once(run):
    """TCP_NODELAY is on: a message does not wait for the answer to the one before."""

    async def main():
        log = Log()
        async with served(echo) as where:
            ws = await open_to(f"ws://{where}", log)
            sock = ws._transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
            await ws.close()

    run(main())


async def test_nothing_is_sent_after_the_peer_has_hung_up() -> None:
    """At the end of its bytes, before the socket is gone: an order sent in between would be a bug's end of the daemon."""
    log = Log()

    async def hang_up(request: web.Request) -> web.StreamResponse:
        server = web.WebSocketResponse()
        await server.prepare(request)
        assert request.transport is not None
        request.transport.write_eof()
        await asyncio.sleep(0.2)
        return server

    async with served(hang_up) as where:
        ws = await open_to(f"ws://{where}/", log)
        lost = asyncio.get_running_loop().create_task(_open_at_loss(ws))
        await log.until("closed")
        assert not ws.is_open
        assert log.seen[-1] == ("closed", "connection closed without a goodbye")
        assert await lost is False


async def _open_at_loss(ws: WebSocket) -> bool:
    """Whether it took orders still when the socket went."""
    was_open, lose = True, ws.connection_lost
    gone = asyncio.Event()

    def connection_lost(exc: Exception | None) -> None:
        nonlocal was_open
        was_open = ws.is_open
        lose(exc)
        gone.set()

    ws.connection_lost = connection_lost
    await asyncio.wait_for(gone.wait(), 5)
    return was_open
