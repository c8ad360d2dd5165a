"""The market-data connection's address and its frames without market data."""

import msgspec
import pytest

from adapters.binance_spot.stream_session import Control, groups_of, read_control, stream_target
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
    assert read_control(msgspec.json.encode({"result": None, "id": identity})) == Control()


@pytest.mark.parametrize(
    "frame",
    [
        b'{"e":"serverShutdown","E":1770123456789}',
        b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}',
    ],
)
def test_shutdown_is_announced_raw_and_combined(frame):
    """Both forms of the documents."""
    assert read_control(frame) == Control(announces_shutdown=True)


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
        (b'{"foo":1}', CodecError, "unknown message"),
        (b"[1]", CodecError, "market-data connection"),
        (b"\xff", CodecError, "market-data connection"),
    ],
)
def test_everything_else_ends_the_connection(frame, error, text):
    """Errors and what is no message of this venue are raised with what they were."""
    with pytest.raises(error, match=text):
        read_control(frame)


@pytest.mark.parametrize(
    ("frame", "name"),
    [(b'{"e":"kline","E":1}', "kline"), (b'{"stream":"x@y","data":{}}', "x@y")],
)
def test_events_of_a_new_kind_are_named(frame: bytes, name: str):
    """The connection goes on: what the venue invents is no reason to lose the book."""
    assert read_control(frame) == Control(unknown=name)
