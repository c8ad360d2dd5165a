"""The market-data connection's address and its frames without market data."""

import msgspec
import pytest

from adapters.binance_spot.stream_session import announces_shutdown, groups_of, stream_target
from mmd.errors import CodecError, VenueError


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
    assert not announces_shutdown(msgspec.json.encode({"result": None, "id": identity}))


@pytest.mark.parametrize(
    "frame",
    [
        b'{"e":"serverShutdown","E":1770123456789}',
        b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}',
    ],
)
def test_shutdown_is_announced_raw_and_combined(frame):
    """Both forms of the documents."""
    assert announces_shutdown(frame)


@pytest.mark.parametrize(
    ("count", "streams", "most", "sizes"),
    [
        (3, 1_024, 64, [3]),
        (65, 1_024, 64, [64, 1]),
        (5, 8, 64, [2, 2, 1]),
        (2, 4, 64, [1, 1]),
        (2, 1_024, 1, [1, 1]),
    ],
)
def test_instruments_are_divided_among_connections(mmd, count, streams, most, sizes):
    """In order, as few connections as both limits allow."""
    instruments = [msgspec.structs.replace(mmd, id=i) for i in range(count)]
    groups = groups_of(instruments, streams, most)
    assert [len(group) for group in groups] == sizes
    assert [i.id for group in groups for i in group] == list(range(count))


@pytest.mark.parametrize(
    ("frame", "error", "text"),
    [
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
    """Errors and unknown messages are raised with what they were."""
    with pytest.raises(error, match=text):
        announces_shutdown(frame)
