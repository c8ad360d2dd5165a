"""The guardian's ear: daemons renew and release their lease here."""

import asyncio
from collections.abc import Callable

import structlog

from mmd.core.ports import Clock
from mmd.guardian.address import GuardianAddress
from mmd.guardian.lease import Lease
from mmd.guardian.message import (
    LINE_MAX,
    LeaseAnswer,
    LeaseRequest,
    answer_line,
    read_request,
)

_SILENCE_S = 60.0
_NS_PER_MS = 1_000_000
_log = structlog.get_logger()


class LeaseServer:
    """Hears requests and acts on the lease."""

    def __init__(
        self,
        at: GuardianAddress,
        token: str,
        lease: Lease,
        clock: Clock,
        answer: Callable[[LeaseRequest], LeaseAnswer],
    ) -> None:
        """`answer` is told each request that was acted on and says what to answer."""
        self._at, self._token, self._lease, self._clock = at, token, lease, clock
        self._answer = answer
        self._last_number = 0
        self._server: asyncio.AbstractServer | None = None

    @property
    def address(self) -> GuardianAddress:
        """Where it listens; with the port that was taken where any would do."""
        if self._at.path is not None or self._server is None:
            return self._at
        assert isinstance(self._server, asyncio.Server), "a server of sockets"
        return self._at._replace(port=self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen. Raises: OSError."""
        if self._at.path is not None:
            self._at.path.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(
                self._serve, self._at.path, limit=LINE_MAX
            )
            self._at.path.chmod(0o600)
        else:
            self._server = await asyncio.start_server(
                self._serve, self._at.host, self._at.port, limit=LINE_MAX
            )

    def stop(self) -> None:
        """Hear no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                async with asyncio.timeout(_SILENCE_S):
                    line = await reader.readline()
                if not line:
                    return
                writer.write(answer_line(self._obey(line)))
                await writer.drain()
        except (OSError, TimeoutError, ValueError) as error:
            _log.warning("lease_connection_lost", error=str(error) or "silent")
        finally:
            writer.close()

    def _obey(self, line: bytes) -> LeaseAnswer:
        """Act on one line; one that is not authentic, or was said before, changes nothing."""
        request = read_request(line, self._token)
        if request is None or request.number <= self._last_number:
            _log.warning("lease_request_refused", known=request is not None)
            why = "the token differs" if request is None else "its number was used before"
            return LeaseAnswer(ok=False, error=f"refused: {why}")
        self._last_number = request.number
        if request.action == "release":
            self._lease.release()
        elif request.action == "renew":
            now_ns = self._clock.monotonic_ns()
            length_ns = request.lease_ms * _NS_PER_MS
            self._lease.renew(request.session, length_ns, now_ns, request.without)
        return self._answer(request)
