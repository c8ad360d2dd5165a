"""What Binance's error codes mean: why a request was refused, and when its fate is unknown.

Source: errors.md of binance-spot-api-docs.
"""

from mmd.core.events import RejectReason
from mmd.errors import AuthError, VenueError

TOO_MANY_REQUESTS = -1003
UNEXPECTED_RESPONSE = -1006
TIMEOUT = -1007
INVALID_TIMESTAMP = -1021
INVALID_SIGNATURE = -1022
BAD_SYMBOL = -1121
CANCEL_REJECTED = -2011
NO_SUCH_ORDER = -2013
ORDER_ARCHIVED = -2026
"""Ended without a fill more than 90 days ago: as good as never heard of."""
BAD_API_KEY_FORMAT = -2014
REJECTED_KEY = -2015

_UNKNOWN_FATE = frozenset({-1000, -1001, UNEXPECTED_RESPONSE, TIMEOUT})
_SERVER_ERROR = 500
_TURNED_AWAY = frozenset({403, 418, 429})
_BY_CODE = {
    TOO_MANY_REQUESTS: RejectReason.RATE_LIMIT,
    -1015: RejectReason.RATE_LIMIT,
    -1013: RejectReason.FILTER,
    -1111: RejectReason.FILTER,
    INVALID_TIMESTAMP: RejectReason.CLOCK,
    INVALID_SIGNATURE: RejectReason.SIGNATURE,
    BAD_API_KEY_FORMAT: RejectReason.SIGNATURE,
    REJECTED_KEY: RejectReason.SIGNATURE,
    -1002: RejectReason.SIGNATURE,
    -1016: RejectReason.NOT_TRADING,
    -2016: RejectReason.NOT_TRADING,
    NO_SUCH_ORDER: RejectReason.UNKNOWN_ORDER,
}
_BY_MESSAGE = {
    "Order would immediately match and take.": RejectReason.WOULD_TAKE,
    "Account has insufficient balance for requested action.": RejectReason.BALANCE,
    "Unknown order sent.": RejectReason.UNKNOWN_ORDER,
    "Duplicate order sent.": RejectReason.DUPLICATE,
    "Market is closed.": RejectReason.NOT_TRADING,
    "This action is disabled on this account.": RejectReason.NOT_TRADING,
    "This account may not place or cancel orders.": RejectReason.NOT_TRADING,
    "This symbol is not permitted for this account.": RejectReason.NOT_TRADING,
    "This symbol is restricted for this account.": RejectReason.NOT_TRADING,
}
_BY_EXECUTION_REPORT = {
    "INSUFFICIENT_BALANCES": RejectReason.BALANCE,
    "WOULD_MATCH_IMMEDIATELY": RejectReason.WOULD_TAKE,
}


def fate_unknown(status: int, code: int) -> bool:
    """Whether the request may have been carried out although an error came back.

    Source: web-socket-api.md, "Status codes" (5xx), errors.md (-1006, -1007: "execution status unknown").
    """
    return status >= _SERVER_ERROR or code in _UNKNOWN_FATE


def reject_reason(status: int, code: int, message: str) -> RejectReason:
    """Reason from the closed set; the matching engine's own codes are told apart by their message."""
    if status in _TURNED_AWAY:
        return RejectReason.RATE_LIMIT
    by_message = _BY_MESSAGE.get(message)
    if by_message is not None:
        return by_message
    if message.startswith("Filter failure"):
        return RejectReason.FILTER
    return _BY_CODE.get(code, RejectReason.OTHER)


def report_reason(text: str) -> RejectReason:
    """Reason from an executionReport's `r`. Source: user-data-stream.md, "Order Reject Reason"."""
    return _BY_EXECUTION_REPORT.get(text, RejectReason.OTHER)


def venue_error(code: int, message: str, what: str, offset_ms: float) -> VenueError:
    """The error to raise for a refused call; credential and clock faults say what to correct."""
    match code:
        case -2014 | -2015:
            return AuthError(
                f"{what}: the API key was refused ({code} {message}): check api_key, its IP list and permissions",
                code,
            )
        case -1022:
            return AuthError(
                f"{what}: the signature was refused ({code}): api_secret or private key does not belong to api_key",
                code,
            )
        case -1021:
            return AuthError(
                f"{what}: the clock was refused ({code} {message}): venue clock minus ours was measured as "
                f"{offset_ms:+.0f} ms; check the time service, or raise recv_window_ms",
                code,
            )
        case _:
            return VenueError(f"{what}: refused with {code} {message}", code)
