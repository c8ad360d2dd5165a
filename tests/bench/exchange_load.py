"""How many market events the embedded exchange sends over a socket: python -m tests.bench.exchange_load RAW.gz ...

A process of its own serves recorded raw frames as fast as they are taken; this one takes them and counts, without
looking into them. Where the machine has two cores to give, each process has one.
"""

import asyncio
import base64
import contextlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from mmd.errors import MmdError

_STREAMS = ("depth@100ms", "trade", "bookTicker")
_TEXT = 1
_SHORT, _LONG = 126, 127
"""Lengths that announce two or eight more bytes of length (RFC 6455, section 5.2)."""


class Load(NamedTuple):
    """What was received."""

    frames: int
    frame_bytes: int
    seconds: float
    server_cpu_s: float


class _Counter(asyncio.Protocol):
    """Upgrades a connection and counts the text frames that come, by their headers alone."""

    def __init__(self, host: str, symbol: str) -> None:
        self.frames = self.received = 0
        self.first_s = self.last_s = 0.0
        self.closed = asyncio.Event()
        names = "/".join(f"{symbol.lower()}@{stream}" for stream in _STREAMS)
        key = base64.b64encode(os.urandom(16)).decode()
        self._request = (
            f"GET /stream?streams={names} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self._data = bytearray()
        self._is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request.encode())

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._is_open:
            head, found, rest = self._data.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                raise MmdError(f"expected an upgrade, found {bytes(head[:60])!r}")
            self._is_open, self._data, self.first_s = True, bytearray(rest), time.perf_counter()
        self.received += len(data)
        self._count()
        self.last_s = time.perf_counter()

    def connection_lost(self, _: Exception | None) -> None:
        self.closed.set()

    def _count(self) -> None:
        at, data, end = 0, self._data, len(self._data)
        while end - at >= 2:
            size, head = data[at + 1] & 0x7F, 2
            if size >= _SHORT:
                head = 4 if size == _SHORT else 10
                if end - at < head:
                    break
                size = int.from_bytes(data[at + 2 : at + head])
            if end - at < head + size:
                break
            self.frames += data[at] & 0x0F == _TEXT
            at += head + size
        del data[:at]


async def take(address: str, symbol: str, seconds_max: float) -> _Counter:
    """Receive until the exchange has nothing left, or so long."""
    host, _, port = address.removeprefix("http://").partition(":")
    loop = asyncio.get_running_loop()
    _, counter = await loop.create_connection(
        lambda: _Counter(f"{host}:{port}", symbol), host, int(port)
    )
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(counter.closed.wait(), seconds_max)
    return counter


def measure(tapes: list[Path], symbol: str, seconds_max: float = 60.0) -> Load:
    """Serve raw recordings of a symbol and take all that comes. Raises: MmdError if the exchange does not start."""
    command = [sys.executable, "-m", "mmd.cli.main", "exchange", "--port", "0", "--speed", "max"]
    command += [word for tape in tapes for word in ("--tape", str(tape))]
    with subprocess.Popen(
        [*command, "--exit-at-end"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        found = re.search(r"listening on (http://\S+) ", process.stdout.readline())
        if found is None:
            raise MmdError("expected the exchange to listen, found it gone; look at its output")
        idle_cpu_s = _cpu_s(process.pid)
        counter = asyncio.run(take(found[1], symbol, seconds_max))
        cpu_s = _cpu_s(process.pid) - idle_cpu_s
        process.terminate()
    return Load(counter.frames, counter.received, counter.last_s - counter.first_s, cpu_s)


def _cpu_s(pid: int) -> float:
    """Processor time of a process, as /proc tells it; nan once it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def table(tapes: list[Path], symbol: str) -> Table:
    """One run as a table."""
    load = measure(tapes, symbol)
    shown = Table(title="Embedded exchange over a WebSocket, as fast as it is read")
    for name in ("events", "seconds", "events/s", "MB/s", "CPU of the exchange", "events/s of it"):
        shown.add_column(name, justify="right")
    shown.add_row(
        f"{load.frames:,}",
        f"{load.seconds:.2f}",
        f"{load.frames / load.seconds:,.0f}",
        f"{load.frame_bytes / load.seconds / 1e6:.1f}",
        f"{load.server_cpu_s:.1f} s",
        f"{load.frames / load.server_cpu_s:,.0f}",
    )
    return shown


if __name__ == "__main__":
    Console().print(table([Path(name) for name in sys.argv[2:]], sys.argv[1]))
