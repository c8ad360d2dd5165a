"""Error codes: every documented way to be refused has its reason, and doubt stays doubt."""

import pytest

from adapters.binance_spot.rejects import fate_unknown, reject_reason, report_reason, venue_error
from mmd.core.events import RejectReason
from mmd.errors import AuthError, VenueError


@pytest.mark.parametrize(
    ("status", "code", "message", "reason"),
    [
        (400, -2010, "Order would immediately match and take.", RejectReason.WOULD_TAKE),
        (
            400,
            -2010,
            "Account has insufficient balance for requested action.",
            RejectReason.BALANCE,
        ),
        (400, -2010, "Duplicate order sent.", RejectReason.DUPLICATE),
        (400, -2010, "Market is closed.", RejectReason.NOT_TRADING),
        (400, -2010, "Something new.", RejectReason.OTHER),
        (400, -2016, "No trading window could be found.", RejectReason.NOT_TRADING),
        (400, -2011, "Order was not canceled due to cancel restrictions.", RejectReason.OTHER),
        (400, -2011, "Unknown order sent.", RejectReason.UNKNOWN_ORDER),
        (400, -1013, "Filter failure: PRICE_FILTER", RejectReason.FILTER),
        (400, -2038, "Filter failure: MAX_NUM_ORDER_AMENDS", RejectReason.FILTER),
        (400, -1013, "Invalid quantity.", RejectReason.FILTER),
        (400, -1111, "Parameter 'price' has too much precision.", RejectReason.FILTER),
        (400, -1003, "Too many requests queued.", RejectReason.RATE_LIMIT),
        (400, -1015, "Too many new orders.", RejectReason.RATE_LIMIT),
        (429, -9999, "", RejectReason.RATE_LIMIT),
        (418, -9999, "", RejectReason.RATE_LIMIT),
        (
            400,
            -1021,
            "Timestamp for this request is outside of the recvWindow.",
            RejectReason.CLOCK,
        ),
        (400, -1022, "Signature for this request is not valid.", RejectReason.SIGNATURE),
        (401, -2015, "Invalid API-key, IP, or permissions for action.", RejectReason.SIGNATURE),
        (401, -2014, "API-key format invalid.", RejectReason.SIGNATURE),
    ],
)
def test_reason_by_code_and_message(status, code, message, reason):
    """The closed set of reasons, from what errors.md lists."""
    assert reject_reason(status, code, message) is reason
    assert not fate_unknown(status, code)


@pytest.mark.parametrize(
    ("status", "code"), [(500, 0), (503, -1008), (504, -1007), (400, -1006), (400, -1007)]
)
def test_server_errors_and_timeouts_leave_the_fate_unknown(status: int, code: int):
    """ "Execution status unknown" is never a refusal."""
    assert fate_unknown(status, code)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (-2015, "check api_key"),
        (-2014, "check api_key"),
        (-1022, "api_secret or private key does not belong"),
        (-1021, "+1234 ms"),
    ],
)
def test_credential_and_clock_errors_say_what_to_correct(code: int, text: str):
    """They are AuthErrors, with the remedy and the measured offset."""
    error = venue_error(code, "venue's text", "/x", 1_234.4)
    assert type(error) is AuthError
    assert text in str(error)
    assert error.code == code


def test_other_errors_keep_the_venues_words():
    """Anything else is a VenueError with code and message."""
    error = venue_error(-1121, "Invalid symbol.", "/api/v3/depth", 0.0)
    assert type(error) is VenueError
    assert str(error) == "/api/v3/depth: refused with -1121 Invalid symbol."


def test_reasons_in_execution_reports():
    """The `r` field has its own spelling."""
    assert report_reason("WOULD_MATCH_IMMEDIATELY") is RejectReason.WOULD_TAKE
    assert report_reason("INSUFFICIENT_BALANCES") is RejectReason.BALANCE
    assert report_reason("NONE") is RejectReason.OTHER
