"""Connection failures as one line each."""

import socket
import ssl

import pytest

from mmd.errors import VenueUnreachableError
from mmd.shell.connect_error import retry_after_s, unreachable


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (TimeoutError(), "h:1 did not answer in time"),
        (ConnectionRefusedError(), "nothing is listening at h:1"),
        (socket.gaierror(-2, "Name or service not known"), "host name in h:1 cannot be resolved"),
        (ssl.SSLError(1, "wrong version number"), "h:1 does not speak TLS"),
        (OSError(113, "No route to host"), "cannot connect to h:1: .*No route to host"),
        (OSError(), "cannot connect to h:1: OSError"),
    ],
)
def test_each_failure_has_its_line(error: Exception, text: str):
    """What was tried and what happened."""
    with pytest.raises(VenueUnreachableError, match=text) as caught:
        raise unreachable(error, "h:1")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("17", 17.0),
        ("", 0.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0),
        ("-5", 0.0),
        ("9" * 40, 259_200.0),
    ],
)
def test_retry_after_is_a_plain_bounded_number(value: str, seconds: float):
    """Dates and nonsense count as unstated; three days are the longest ban."""
    assert retry_after_s({"Retry-After": value}) == seconds
