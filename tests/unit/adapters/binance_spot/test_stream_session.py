"""The market-data connection's address and its frames without market data."""

import msgspec
import pytest

from adapters.binance_spot.stream_session import check_control, stream_target
from mmd.errors import CodecError, VenueError, VenueUnreachable


def test_target_names_four_streams_of_each_instrument(mmd, odd):
    """One combined stream, symbols in lower case."""
    target = stream_target([mmd, odd])
    assert target.startswith(
        "/stream?streams=mmdusdt@depth@100ms/mmdusdt@trade/mmdusdt@bookTicker/"
    )
    assert target.endswith("oddusdt@bookTicker/oddusdt@depth20@100ms")


def test_too_many_instruments_are_refused(mmd):
    """1,024 streams are the venue's limit for a connection."""
    stream_target([mmd] * 256)
    with pytest.raises(VenueError, match="at most 256 instruments"):
        stream_target([mmd] * 257)


@pytest.mark.parametrize("identity", [1, "one"])
def test_answers_to_requests_are_accepted(identity):
    """A null result with an id is a success."""
    check_control(msgspec.json.encode({"result": None, "id": identity}))


@pytest.mark.parametrize(
    ("frame", "error", "text"),
    [
        (b'{"e":"serverShutdown","E":1}', VenueUnreachable, "announced its shutdown"),
        (
            b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}',
            VenueUnreachable,
            "announced its shutdown",
        ),
        (b'{"code":2,"msg":"Invalid request"}', VenueError, "Invalid request"),
        (b'{"error":{"code":2,"msg":"Invalid request"}}', VenueError, "Invalid request"),
        (b'{"e":"kline","E":1}', CodecError, "unknown message 'kline'"),
        (b'{"stream":"x@y","data":{}}', CodecError, "unknown message 'x@y'"),
        (b'{"foo":1}', CodecError, "unknown message"),
        (b"[1]", CodecError, "market-data connection"),
        (b"\xff", CodecError, "market-data connection"),
    ],
)
def test_everything_else_ends_the_connection(frame, error, text):
    """Shutdown, errors and unknown messages are raised with what they were."""
    with pytest.raises(error, match=text):
        check_control(frame)
