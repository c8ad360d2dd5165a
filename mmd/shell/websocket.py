"""A WebSocket client without tasks or queues: frames go from the transport straight to a callback.

`websockets`' sans-I/O ClientProtocol parses all but plain text messages. What this asyncio protocol promises:

* `on_open(ws)` runs before the first `on_message(payload, ts_recv_ns)`; `on_closed(reason)` runs once, as
  soon as the connection is unusable, and no message follows it.
* ts_recv_ns is read once per chunk of bytes from the socket, before anything is parsed.
* `send` writes to the socket before it returns, as long as the peer reads.
* Anything that is wrong (silence, a peer that does not read, an MmdError from `on_message`) ends the
  connection; `failure` then holds the error, where there is one.
* No task is started, and no socket outlives `close()` by more than close_timeout_s.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self, cast

from typing_extensions import override
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidURI
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import WebSocketURI, parse_uri

from mmd.core.ports import Clock
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import ConfigError, MmdError, VenueUnreachableError
from mmd.shell.connect_error import unreachable
from mmd.shell.dial import dial, handshake_failure
from mmd.shell.text_frames import TEXT_HEAD, FrameCutter, masked_text

# A logger of our own: at DEBUG the library would write whole frames, signatures and keys included.
_LOGGER = logging.getLogger("mmd.websocket")
_LOGGER.setLevel(logging.WARNING)
_NO_GOODBYE = "connection closed without a goodbye"
_NORMAL_CLOSURE = 1000


@dataclass(frozen=True, slots=True)
class WebSocketLimits:
    """Bounds of one connection, in seconds and bytes.

    Pings go out every ping_interval_s, or thrice in silence_timeout_s where that is shorter.
    """

    open_timeout_s: float = 5.0
    close_timeout_s: float = 1.0
    ping_interval_s: float = 10.0
    silence_timeout_s: float = 30.0
    message_bytes_max: int = 8 * 2**20
    backlog_bytes_max: int = 256 * 2**10


class WebSocket(asyncio.Protocol):
    """One connection; make it with `connect`."""

    def __init__(
        self,
        uri: WebSocketURI,
        on_message: Callable[[bytes, int], None],
        on_closed: Callable[[str], None],
        on_open: Callable[["WebSocket"], None],
        clock: Clock,
        limits: WebSocketLimits,
    ) -> None:
        self._uri = uri
        self.on_message = on_message
        """Where messages go from now on; may be replaced at any time."""
        self._on_closed = on_closed
        self._on_open = on_open
        self._clock = clock
        self._limits = limits
        self._ping_interval_s = min(limits.ping_interval_s, limits.silence_timeout_s / 3)
        self._protocol = ClientProtocol(uri, max_size=limits.message_bytes_max, logger=_LOGGER)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._settled = asyncio.Event()
        self._lost = asyncio.Event()
        self._cutter = FrameCutter(limits.message_bytes_max)
        self._answer = b""
        """What the server has said before the connection was open."""
        self._parts: list[bytes] = []
        self._choked = False
        self._recv_ns = clock.monotonic_ns()
        self._opened = False
        self.close_reason = ""
        self.failure: Exception | None = None

    @classmethod
    async def connect(
        cls,
        url: str,
        on_message: Callable[[bytes, int], None],
        on_closed: Callable[[str], None],
        clock: Clock,
        *,
        on_open: Callable[["WebSocket"], None] = lambda _: None,
        limits: WebSocketLimits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Self:
        """Open a connection to a ws:// or wss:// address; `tls` replaces the default trust settings.

        Raises:
            ConfigError: the address is none.
            HttpRefusedError: the server answered the handshake with something else than 101.
            VenueUnreachableError: no connection, no trusted TLS, or no answer in time.
        """
        limits = limits or WebSocketLimits()
        try:
            uri = parse_uri(url)
        except InvalidURI as error:
            raise ConfigError(f"expected a ws:// or wss:// address, found {url!r}") from error
        ws = cls(uri, on_message, on_closed, on_open, clock, limits)
        context = (tls or ssl.create_default_context()) if uri.secure else None
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(limits.open_timeout_s):
                await dial(loop, ws, uri, context)
                await ws._settled.wait()
        except OSError as error:
            ws._drop()
            raise unreachable(error, f"{uri.host}:{uri.port}") from error
        except BaseException:  # cancelled, too: the socket must not stay behind
            ws._drop()
            raise
        if ws.failure is not None and not ws._opened:
            ws._drop()
            raise ws.failure
        return ws

    @property
    def is_open(self) -> bool:
        """Whether `send` is allowed."""
        return self._opened and not self.close_reason

    def send(self, message: bytes) -> None:
        """Write one text message to the socket now; only while `is_open`."""
        assert self.is_open, "expected an open connection; check is_open before sending"
        self._protocol.writes.append(masked_text(message))
        self._flush()
        if self._choked:
            self.pause_writing()

    def abort(self, reason: str, failure: Exception | None = None) -> None:
        """End the connection without a goodbye; `reason` goes to on_closed."""
        self.failure = self.failure or failure
        self._report(reason)
        self._drop()

    async def close(self) -> None:
        """Say goodbye and release the socket, within close_timeout_s."""
        if self.is_open:
            self._report("closed by us")
            self._protocol.send_close(_NORMAL_CLOSURE)
            self._flush()
        try:
            async with asyncio.timeout(self._limits.close_timeout_s):
                await self._lost.wait()
        except TimeoutError:
            pass
        finally:
            self._drop()

    async def wait_closed(self) -> None:
        """Return when the socket is gone."""
        await self._lost.wait()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the handshake."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=0)  # uvloop then writes at once
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    @override
    def data_received(self, data: bytes) -> None:
        """Stamp, parse, hand over, answer pings."""
        self._recv_ns = now_ns = self._clock.monotonic_ns()
        try:
            if not self._opened:
                data = self._shake_hands(data, now_ns)
            protocol = self._protocol
            data, frames = self._cutter.cut(data)
            for head, begin, payload, end in frames:
                whole = head == TEXT_HEAD and protocol.current_size is None
                if whole and protocol.state is State.OPEN and not self.close_reason:
                    self.on_message(data[payload:end], now_ns)
                else:
                    self._parse(data[begin:end], now_ns)
        except MmdError as error:
            self.abort(str(error), error)

    def _shake_hands(self, data: bytes, now_ns: int) -> bytes:
        """Take in the server's answer to the handshake; returns the bytes of frames behind it."""
        self._answer += data
        head, end, rest = self._answer.partition(b"\r\n\r\n")
        if not end:
            return b""
        self._answer = b""
        is_refusal = not head.startswith(b"HTTP/1.1 101 ")
        self._parse(head + end + rest * is_refusal, now_ns)
        return b"" if is_refusal else rest

    def _parse(self, data: bytes, now_ns: int) -> None:
        """Anything but a plain text message, by the library."""
        protocol = self._protocol
        protocol.receive_data(data)
        for event in protocol.events_received():
            if isinstance(event, Frame):
                self._on_frame(event, now_ns)
            elif isinstance(event, Response) and protocol.handshake_exc is None:
                self._on_handshake()
        if protocol.writes:
            self._flush()
        if protocol.state is not State.OPEN:
            self._on_not_open()

    @override
    def pause_writing(self) -> None:
        """Something could not be written at once: of a peer that does not read, or is slow to."""
        self._choked = True
        transport, limit = self._transport, self._limits.backlog_bytes_max
        assert transport is not None, "expected a connected transport"
        if transport.get_write_buffer_size() > limit:  # more would arrive too late to be wanted
            self.abort(f"the peer does not read: {limit} bytes are waiting")

    @override
    def resume_writing(self) -> None:
        """Everything is written."""
        self._choked = False

    @override
    def eof_received(self) -> None:
        """The peer will send no more: nothing can be sent from here on, the transport closes itself next."""
        self._protocol.receive_eof()
        if self._opened:
            self._report(_NO_GOODBYE)
        self._flush()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone; whoever waits is told why."""
        if self._timer is not None:
            self._timer.cancel()
        if exc is not None and not isinstance(exc, OSError):
            self.failure = (
                self.failure or exc
            )  # a bug in a callback: never to be mistaken for a network fault
        if not self._opened and self.failure is None:
            where = f"{self._uri.host}:{self._uri.port}"
            self.failure = VenueUnreachableError(
                f"{where} closed the connection during the WebSocket handshake: check the address"
            )
        self._report(f"connection lost: {exc}" if exc else _NO_GOODBYE)
        self._settled.set()
        self._lost.set()

    def _on_handshake(self) -> None:
        self._opened = True
        self._settled.set()
        self._watch_later()
        self._on_open(self)

    def _on_frame(self, frame: Frame, now_ns: int) -> None:
        if self.close_reason:
            return
        opcode = frame.opcode
        if opcode is Opcode.TEXT or opcode is Opcode.BINARY:
            if frame.fin:
                self.on_message(bytes(frame.data), now_ns)
            else:
                self._parts = [bytes(frame.data)]
        elif opcode is Opcode.CONT:
            self._parts.append(bytes(frame.data))
            if frame.fin:
                whole, self._parts = b"".join(self._parts), []
                self.on_message(whole, now_ns)

    def _on_not_open(self) -> None:
        """The handshake failed, the peer said goodbye, or it broke the protocol."""
        protocol = self._protocol
        if protocol.handshake_exc is not None:
            self.failure = self.failure or handshake_failure(self._uri, protocol.handshake_exc)
            self._settled.set()
            return
        if protocol.state is State.CONNECTING:
            return
        if protocol.parser_exc is not None:
            self.abort(f"protocol broken by the peer: {protocol.parser_exc}")
        elif protocol.close_rcvd is not None:
            self._report(f"closed by the peer: {protocol.close_rcvd}")
            self._schedule_drop()

    def _schedule_drop(self) -> None:
        """A peer that said goodbye closes the socket; one that does not is cut."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._limits.close_timeout_s, self._drop)

    def _watch(self) -> None:
        """Ping, and end a connection that has gone silent."""
        silent_s = (self._clock.monotonic_ns() - self._recv_ns) / NANOS_PER_SECOND
        if silent_s > self._limits.silence_timeout_s:
            self.abort(f"silent for {silent_s:.1f} s")
            return
        if self.is_open:
            self._protocol.send_ping(b"")
            self._flush()
        self._watch_later()

    def _watch_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._ping_interval_s, self._watch)

    def _report(self, reason: str) -> None:
        if not self.close_reason:
            self.close_reason = reason
            if self._opened:
                self._on_closed(reason)

    def _drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        transport = self._transport
        assert transport is not None, "expected a connected transport"
        for data in self._protocol.data_to_send():
            if data:
                transport.write(data)
            elif transport.can_write_eof():
                transport.write_eof()
            else:
                transport.close()
