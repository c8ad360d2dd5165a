"""One WebSocket client of the embedded exchange: frames written at once, a bounded backlog, keep-alive.

A frame to a client carries no mask, so the same bytes go to every subscriber: they are made once and
written straight to the transport, between the whole frames that aiohttp itself may write.
"""

import asyncio
import socket
import struct
from enum import Enum, unique
from typing import Final

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

CLOSE_S: Final = 1.0
"""How long a client may take to answer a close."""
BACKLOG_MAX: Final = 8 * 1024 * 1024
"""Bytes that may wait for a slow reader before it is cut."""
_PING_EVERY_NS = 20_000_000_000
_PONG_WITHIN_NS = 60_000_000_000
LIFE_NS: Final = 24 * 3600 * 1_000_000_000
_SECOND_NS = 1_000_000_000
_GOING_AWAY = (1001).to_bytes(2, "big")
_TEXT, _CLOSE, _PING, _PONG = 0x81, 0x88, 0x89, 0x8A


def frame_of(payload: bytes, opcode: int = _TEXT) -> bytes:
    """A whole unmasked WebSocket frame. Source: RFC 6455, section 5.2."""
    size = len(payload)
    if size < 126:
        return bytes((opcode, size)) + payload
    if size < 65_536:
        return bytes((opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((opcode, 127)) + size.to_bytes(8, "big") + payload


@unique
class Ending(Enum):
    """How a connection ends."""

    CLOSE = "close"
    """With a WebSocket close frame."""
    RESET = "reset"
    """With a TCP reset."""
    DROP = "drop"
    """Without a word, by hanging up."""


class Connection:
    """A client's end.

    A lossless one is waited for instead of cut when it is behind, and its frames gather until `flush`, so
    that a tape served at high speed costs one system call for many frames. What is sent while `is_silent`
    is lost: the socket stays open and says nothing.
    """

    __slots__ = (
        "_gathered",
        "_life_ns",
        "_messages",
        "_messages_since_ns",
        "_opened_ns",
        "_ping_sent_ns",
        "_pong_missing_since_ns",
        "_transport",
        "_writer",
        "closed",
        "is_lossless",
        "is_silent",
        "ws",
    )

    def __init__(
        self,
        ws: web.WebSocketResponse,
        writer: AbstractStreamWriter,
        transport: asyncio.Transport,
        now_ns: int,
        *,
        is_lossless: bool,
        life_ns: int = LIFE_NS,
    ) -> None:
        self.is_silent = False
        self._life_ns = life_ns
        self._messages = 0
        self._messages_since_ns = now_ns
        self.ws = ws
        self.closed = False
        self.is_lossless = is_lossless
        self._transport = transport
        self._writer = writer
        self._opened_ns = now_ns
        self._ping_sent_ns = now_ns
        self._pong_missing_since_ns: int | None = None
        self._gathered: list[bytes] = []

    @property
    def backlog(self) -> int:
        """Bytes not yet taken by the operating system."""
        return 0 if self.closed else self._transport.get_write_buffer_size()

    def send(self, frame: bytes) -> None:
        """Write a whole frame; a reader that is too far behind is cut."""
        if self.closed or self._transport.is_closing():
            self.closed = True
            return
        if self.is_silent:
            return
        if self.is_lossless:
            self._gathered.append(frame)
            return
        self._transport.write(frame)
        if self._transport.get_write_buffer_size() > BACKLOG_MAX:
            self.cut()

    def flush(self) -> None:
        """Write what has gathered."""
        if self._gathered and not self.closed:
            self._transport.write(b"".join(self._gathered))
        self._gathered.clear()

    async def drain(self) -> None:
        """Wait while the client is behind; one that left is no reason to wait."""
        try:
            await self._writer.drain()
        except ConnectionError:
            self.closed = True

    def send_text(self, payload: bytes) -> None:
        """Write a text message now."""
        self.send(frame_of(payload))
        self.flush()

    def on_ping(self, payload: bytes) -> None:
        """Answer a client's ping."""
        self.send(frame_of(payload, _PONG))

    def on_pong(self) -> None:
        """The client is alive."""
        self._pong_missing_since_ns = None

    def keep_alive(self, now_ns: int) -> None:
        """Ping when due; cut a client that does not answer within a minute, or is a day old."""
        missing = self._pong_missing_since_ns
        if (
            missing is not None and now_ns - missing >= _PONG_WITHIN_NS
        ) or now_ns - self._opened_ns >= self._life_ns:
            self.cut()
        elif now_ns - self._ping_sent_ns >= _PING_EVERY_NS:
            self._ping_sent_ns = now_ns
            if missing is None:
                self._pong_missing_since_ns = now_ns
            self.send(frame_of(str(now_ns // 1_000_000).encode(), _PING))

    def counts_message(self, now_ns: int, most: int) -> bool:
        """Count a message of the client's; False if there were more than `most` within a second."""
        if now_ns - self._messages_since_ns >= _SECOND_NS:
            self._messages_since_ns = now_ns
            self._messages = 0
        self._messages += 1
        return self._messages <= most

    def end(self, how: Ending) -> None:
        """End the connection from this side."""
        match how:
            case Ending.CLOSE:
                self.send(frame_of(_GOING_AWAY, _CLOSE))
                self.flush()
                self._transport.close()
            case Ending.RESET:
                sock = self._transport.get_extra_info("socket")
                linger = struct.pack("ii", 1, 0)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self._transport.abort()
            case Ending.DROP:
                self._transport.close()
        self.closed = True

    def cut(self) -> None:
        """Drop the connection without a word, as the venue does."""
        self.closed = True
        self._transport.abort()
