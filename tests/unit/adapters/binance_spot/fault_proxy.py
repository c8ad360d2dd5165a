"""A TCP proxy that can cut, stall and delay: the network's faults on real sockets."""

import asyncio
import contextlib
import socket
import struct
from typing import Self


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
                sink.write(data)
                await sink.drain()
        sink.close()
        self._writers.discard(sink)
