"""HTTP calls to one server: one session, a time-out per call, bans respected, failures typed."""

import ssl
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp
from yarl import URL

from mmd.core.ports import Clock
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import VenueUnreachableError
from mmd.shell.connect_error import HttpRefusedError, retry_after_s, unreachable

_CONNECTIONS_MAX = 4
_CHUNK_BYTES = 2**16
_TOO_MANY_REQUESTS = 429
_BANNED = 418
_WAIT_UNSTATED_S = 1.0


class RestResponse(NamedTuple):
    """What a server answered; header names are case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class RestClient:
    """A server's HTTP side. The socket pool is opened by the first call and released by `close`."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        timeout_s: float = 5.0,
        body_bytes_max: int = 64 * 2**20,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Remember the address (scheme, host, port, and a path to put in front of every call's)."""
        self._url = url.rstrip("/")
        self._clock = clock
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._body_bytes_max = body_bytes_max
        self._tls: ssl.SSLContext | bool = tls if tls is not None else True
        self._session: aiohttp.ClientSession | None = None
        self._blocked_until_ns = 0
        parts = URL(self._url)
        self._where = f"{parts.host}:{parts.port}"

    async def call(
        self, method: str, path: str, query: str = "", headers: Mapping[str, str] | None = None
    ) -> RestResponse:
        """Send a request and read its answer; `query` goes out byte for byte, as signatures need.

        Raises:
            HttpRefusedError: 429 or 418; also, without touching the network, until its Retry-After has passed.
            VenueUnreachableError: no connection, no answer in time, or an answer beyond the size limit.
        """
        self._check_ban()
        url = URL(f"{self._url}{path}?{query}" if query else f"{self._url}{path}", encoded=True)
        try:
            async with self._open().request(method, url, headers=headers, ssl=self._tls) as answer:
                body = await self._read(answer)
        except aiohttp.ClientConnectorCertificateError as error:
            raise unreachable(error.certificate_error, self._where) from error
        except aiohttp.ClientConnectorError as error:
            raise unreachable(error.os_error, self._where) from error
        except TimeoutError as error:
            raise unreachable(error, self._where) from error
        except aiohttp.ClientError as error:
            raise VenueUnreachableError(
                f"{self._where} broke off {method} {path}: {error!r}"
            ) from error
        response = RestResponse(answer.status, answer.headers, body)
        self._note_ban(response, f"{method} {path}")
        return response

    async def close(self) -> None:
        """Release every socket."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=_CONNECTIONS_MAX)
            self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self._session

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > self._body_bytes_max:
                raise VenueUnreachableError(
                    f"{self._where} sent more than {self._body_bytes_max} bytes for {answer.url.path}"
                )
        return bytes(body)

    def _check_ban(self) -> None:
        left_s = (self._blocked_until_ns - self._clock.monotonic_ns()) / NANOS_PER_SECOND
        if left_s > 0.0:
            raise HttpRefusedError(
                f"{self._where} asked for no requests during another {left_s:.1f} s",
                _TOO_MANY_REQUESTS,
                left_s,
            )

    def _note_ban(self, response: RestResponse, what: str) -> None:
        if response.status not in (_TOO_MANY_REQUESTS, _BANNED):
            return
        wait_s = retry_after_s(response.headers) or _WAIT_UNSTATED_S
        self._blocked_until_ns = self._clock.monotonic_ns() + int(wait_s * NANOS_PER_SECOND)
        raise HttpRefusedError(
            f"{self._where} refused {what} with HTTP {response.status}: request rate exceeded, wait {wait_s:.0f} s",
            response.status,
            wait_s,
        )
