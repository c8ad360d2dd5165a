"""Opening a WebSocket's connection: TCP, TLS over it, and what a refused handshake says."""

import asyncio
import ssl

from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.uri import WebSocketURI

from mmd.errors import VenueUnreachableError
from mmd.shell.connect_error import HttpRefusedError, retry_after_s


async def dial(
    loop: asyncio.AbstractEventLoop,
    protocol: asyncio.Protocol,
    uri: WebSocketURI,
    context: ssl.SSLContext | None,
) -> None:
    """Connect the protocol to an address, over TLS where there is a context.

    TLS is laid over a transport that is at hand, because that one must not hold writes back either.

    Raises:
        OSError: no connection, or no TLS that is trusted.
    """
    host, port = uri.host, uri.port
    if context is None:
        await loop.create_connection(lambda: protocol, host, port)
        return
    plain, _ = await loop.create_connection(asyncio.Protocol, host, port)
    plain.set_write_buffer_limits(high=0)
    try:
        over_tls = await loop.start_tls(plain, protocol, context, server_hostname=host)
    except BaseException:
        plain.abort()
        raise
    assert over_tls is not None, "expected a transport from start_tls"
    protocol.connection_made(over_tls)


def handshake_failure(uri: WebSocketURI, error: Exception) -> VenueUnreachableError:
    """The typed error for a handshake that did not end in 101."""
    where = f"{uri.host}:{uri.port}{uri.path}"
    if not isinstance(error, InvalidStatus):
        return VenueUnreachableError(
            f"{where} does not speak WebSocket ({error}): check the address"
        )
    status, headers = error.response.status_code, error.response.headers
    wait_s = retry_after_s(_plain(headers))
    hint = f"; it asks to wait {wait_s:.0f} s" if wait_s else ""
    return HttpRefusedError(
        f"{where} refused the WebSocket handshake with HTTP {status}{hint}", status, wait_s
    )


def _plain(headers: Headers) -> dict[str, str]:
    """Headers as a dict under their usual capitalisation; the last of repeated ones wins."""
    return {name.title(): value for name, value in headers.raw_items()}
