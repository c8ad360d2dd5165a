"""A TCP proxy that can cut, stall, slow down, chop and truncate: the network's faults on real sockets."""

import asyncio
import contextlib
import socket
import struct
from itertools import cycle
from typing import Self

_CHOPS = (1, 2, 3, 7, 50, 1, 400, 4_000)
"""Sizes into which bytes are chopped, in turn."""


class FaultProxy:
    """Forwards bytes between clients and one server; faults concern connections open at that moment."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._server: asyncio.Server | None = None
        self._pumps: dict[asyncio.Task, asyncio.StreamWriter] = {}
        self._writers: set[asyncio.StreamWriter] = set()
        self._to_client, self._to_server = asyncio.Event(), asyncio.Event()
        self.accepted = 0
        self.refuse = False
        self.handshake_only = False
        """Servers hear the first bytes of each connection and no more."""
        self.bytes_per_s = 0
        """How fast clients hear; 0: as fast as can be."""
        self.chops = False
        """What clients hear comes in pieces, most of them tiny, some of them of several messages."""
        self.cut_after: int | None = None
        """The next so many bytes to servers arrive, then their connection is reset."""

    async def __aenter__(self) -> Self:
        self.flow()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        while self._pumps:
            await asyncio.wait(self._pumps)

    @property
    def where(self) -> str:
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def open(self) -> int:
        """Client connections right now."""
        return len(self._writers) // 2

    def cut(self) -> None:
        """Reset every connection."""
        for task in self._pumps:
            task.cancel()
        for writer in list(self._writers):
            writer.transport.abort()

    def stall(self, *, to_client: bool, to_server: bool) -> None:
        """Hold bytes back in the given directions; the sockets stay open."""
        if to_client:
            self._to_client.clear()
        if to_server:
            self._to_server.clear()

    def silence_open_ones(self) -> None:
        """Connections open now hear no more; later ones do."""
        self._to_client.clear()
        self._to_client = asyncio.Event()
        self._to_client.set()

    def flow(self) -> None:
        """Let everything through, what was held back first."""
        self._to_client.set()
        self._to_server.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuse:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return
        self.accepted += 1
        up_reader, up_writer = await asyncio.open_connection(*self._target)
        self._writers |= {writer, up_writer}
        for source, sink, gate in (
            (reader, up_writer, self._to_server),
            (up_reader, writer, self._to_client),
        ):
            task = asyncio.create_task(self._pump(source, sink, gate))
            self._pumps[task] = sink
            task.add_done_callback(self._pumps.pop)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, gate: asyncio.Event
    ) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            first = True
            while data := await source.read(65_536):
                await gate.wait()
                if self.handshake_only and gate is self._to_server and not first:
                    continue
                first = False
                if gate is self._to_server:
                    await self._to_server_side(sink, data)
                else:
                    await self._to_client_side(sink, data)
        sink.close()
        self._writers.discard(sink)

    async def _to_server_side(self, sink: asyncio.StreamWriter, data: bytes) -> None:
        if self.cut_after is not None:
            kept, self.cut_after = data[: self.cut_after], None
            sink.write(kept)
            await sink.drain()
            self.cut()
            return
        sink.write(data)
        await sink.drain()

    async def _to_client_side(self, sink: asyncio.StreamWriter, data: bytes) -> None:
        if self.chops:
            at = 0
            for size in cycle(_CHOPS):
                sink.write(data[at : at + size])
                await asyncio.sleep(0)
                at += size
                if at >= len(data):
                    break
        else:
            sink.write(data)
        await sink.drain()
        if self.bytes_per_s > 0:
            await asyncio.sleep(len(data) / self.bytes_per_s)
