"""Where a guardian listens: a socket file on this machine, or a host and a port."""

import asyncio
from pathlib import Path
from typing import NamedTuple

from typing_extensions import override

from mmd.errors import ConfigError
from mmd.guardian.message import LINE_MAX

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class GuardianAddress(NamedTuple):
    """One of both."""

    path: Path | None = None
    host: str = ""
    port: int = 0

    @override
    def __str__(self) -> str:
        """For people."""
        return f"{self.host}:{self.port}" if self.path is None else str(self.path)

    async def connect(self) -> Streams:
        """Open a connection. Raises: OSError."""
        if self.path is not None:
            return await asyncio.open_unix_connection(self.path, limit=LINE_MAX)
        return await asyncio.open_connection(self.host, self.port, limit=LINE_MAX)


def parse_address(text: str, key: str) -> GuardianAddress:
    """Read "host:port". Raises: ConfigError."""
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isdigit() and int(port) <= 65_535):
        raise ConfigError(f"{key}: expected host:port, e.g. 10.0.0.7:9200, found {text!r}")
    return GuardianAddress(host=host.strip("[]"), port=int(port))
