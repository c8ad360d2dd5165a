"""Connection failures as one line each: what was tried, what happened, what to do about it."""

import socket
import ssl
from collections.abc import Mapping

from mmd.errors import VenueUnreachableError

_RETRY_AFTER_S_MAX = 3 * 86_400.0  # the longest ban that venues state


class HttpRefusedError(VenueUnreachableError):
    """The server answered, and the answer was no: 429, 418, 403, 5xx ...

    `status` is the HTTP status; `retry_after_s` is what the server asks to wait, 0 where it says nothing.
    """

    def __init__(self, message: str, status: int, retry_after_s: float = 0.0) -> None:
        super().__init__(message, code=status)
        self.status = status
        self.retry_after_s = retry_after_s


def unreachable(error: BaseException, where: str) -> VenueUnreachableError:
    """The error that a failed connection attempt to `where` (host:port) should be reported as."""
    match error:
        case TimeoutError():
            text = f"{where} did not answer in time: check the address and the network"
        case ConnectionRefusedError():
            text = f"nothing is listening at {where}: start the server or correct the address"
        case ssl.SSLCertVerificationError():
            text = f"the TLS certificate of {where} is not trusted ({error.verify_message}): check the address"
        case ssl.SSLError():
            text = f"{where} does not speak TLS ({error.args[-1]}): check the address's scheme and port"
        case socket.gaierror():
            text = f"the host name in {where} cannot be resolved: check the address and DNS"
        case _:
            text = f"cannot connect to {where}: {str(error) or type(error).__name__}"
    return VenueUnreachableError(text)


def retry_after_s(headers: Mapping[str, str]) -> float:
    """Seconds in a Retry-After header; 0 where it is absent or is not a plain number of seconds."""
    text = headers.get("Retry-After", "")
    return min(float(text), _RETRY_AFTER_S_MAX) if text.isascii() and text.isdigit() else 0.0
