"""A tap on the wire between a client and the exchange: passes every byte on and takes the time at the client's side.

The watch starts as the first market frame of a move is written to the client and stops as the client's next bytes
arrive on its order connection. The exchange's own work is thereby outside the measurement, for every client alike.
Frames that only tell of the client's own orders are no moves.
"""

import asyncio
import time
from collections.abc import Callable
from typing import cast

from tests.bench import moving_market

_DEPTH = b"depthUpdate"
_ORDERS_PATH = b"GET /ws-api"
_MARKET_PATHS = (b"GET /stream", b"GET /ws/", b"GET /ws ")
PAUSE_NS = 1_000_000


class Tap:
    """Listens on a free port for clients of an exchange on another port.

    Attributes:
        answers_ns: per move, from its first frame's write to the first bytes of an order.
        moves: depth frames passed on.
    """

    def __init__(self, exchange_port: int, skip: int) -> None:
        """The first `skip` moves are not counted: clients warm up."""
        self.answers_ns: list[int] = []
        self.moves = 0
        self._exchange_port = exchange_port
        self._skip = skip
        self._written_ns = 0
        self._heard_ns = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen; returns the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Client(self), "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def stop(self) -> None:
        """Accept no more."""
        if self._server is not None:
            self._server.close()

    def on_market_bytes(self, data: bytes, write: Callable[[bytes], None]) -> None:
        """Pass on to the client; the first bytes of a move after a pause start the watch.

        Whether a client hears of a move first by its depth frame or by the best prices is its own choice.
        """
        now_ns = time.monotonic_ns()
        self.moves += data.count(_DEPTH)
        if moving_market.MARK in data:
            if now_ns - self._heard_ns > PAUSE_NS:
                self._written_ns = now_ns
            self._heard_ns = now_ns
        write(data)

    def on_order_bytes(self) -> None:
        """The first bytes of an order after a move stop it."""
        if self._written_ns:
            if self.moves > self._skip:
                self.answers_ns.append(time.monotonic_ns() - self._written_ns)
            self._written_ns = 0

    @property
    def exchange_port(self) -> int:
        """Where to pass bytes on to."""
        return self._exchange_port


class _Client(asyncio.Protocol):
    """One connection from a client."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._early: list[bytes] = []
        self._exchange: asyncio.Transport | None = None
        self._sends_orders = False
        self._hears_market = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by type
        self._connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        port = self._tap.exchange_port
        exchange, _ = await loop.create_connection(lambda: _Exchange(self), "127.0.0.1", port)
        for data in self._early:
            exchange.write(data)
        self._exchange = exchange

    def data_received(self, data: bytes) -> None:
        if data.startswith(
            b"GET "
        ):  # a client may ask by REST first and upgrade the same connection
            self._sends_orders = data.startswith(_ORDERS_PATH)
            self._hears_market = data.startswith(_MARKET_PATHS)
            data = data.replace(b"permessage-deflate", b"permessage-nothing")  # we read what passes
        elif self._sends_orders:
            self._tap.on_order_bytes()
        if self._exchange is None:
            self._early.append(data)
        else:
            self._exchange.write(data)

    def on_exchange_bytes(self, data: bytes) -> None:
        """Pass on what the exchange says."""
        if self._hears_market:
            self._tap.on_market_bytes(data, self._transport.write)
        else:
            self._transport.write(data)

    def close(self) -> None:
        """The exchange hung up."""
        self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        if self._exchange is not None:
            self._exchange.close()


class _Exchange(asyncio.Protocol):
    """Its other half, towards the exchange."""

    def __init__(self, client: _Client) -> None:
        self._client = client

    def data_received(self, data: bytes) -> None:
        self._client.on_exchange_bytes(data)

    def connection_lost(self, _: Exception | None) -> None:
        self._client.close()
