"""Every frame in web-socket-streams.md decodes to what it says, or is refused with its name."""

import msgspec
import pytest

from adapters.binance_spot.market_codec import MarketCodec
from adapters.binance_spot.stream_session import read_control
from mmd.core.market.record import DIFF, PARTIAL, SNAPSHOT, TOP, TRADE
from mmd.errors import CodecError
from tests.unit.adapters.binance_spot.conftest import instrument
from tests.unit.adapters.binance_spot.documented import Message, name, of

FINE = "0.00000001"
SHUTDOWN, ANSWER = "shutdown", "answer"

STREAMS = {
    "Server Shutdown": SHUTDOWN,
    "Subscribe to a stream": ANSWER,
    "Unsubscribe to a stream": ANSWER,
    "Listing Subscriptions": ANSWER,
    "Setting Properties": ANSWER,
    "Retrieving Properties": ANSWER,
    "Reference Price Streams": "referencePrice",
    "Aggregate Trade Streams": "aggTrade",
    "Trade Streams": TRADE,
    "Block Trade Streams": "blockTrade",
    "Kline/Candlestick Streams for UTC": "kline",
    "Kline/Candlestick Streams with timezone offset": "kline",
    "Individual Symbol Mini Ticker Stream": "24hrMiniTicker",
    "Individual Symbol Ticker Streams": "24hrTicker",
    "Individual Symbol Rolling Window Statistics Streams": "1hTicker",
    "Individual Symbol Book Ticker Streams": TOP,
    "Average Price": "avgPrice",
    "Partial Book Depth Streams": SNAPSHOT,
    "Diff. Depth Stream": DIFF,
}
"""What a raw frame of web-socket-streams.md is: a kind of market data, a notice, or the name of what is passed over."""
CHANNELS = {
    TRADE: "trade",
    TOP: "bookTicker",
    SNAPSHOT: "depth20@100ms",
    DIFF: "depth@100ms",
}


def read_stream(frame: bytes) -> int | str:
    """As a stream connection does."""
    symbol = "BNBUSDT" if b"BNBUSDT" in frame or b"bnbusdt" in frame else "BNBBTC"
    codec = MarketCodec([instrument(0, symbol, FINE, FINE)])
    kind = codec.decode(frame, 7)
    if kind:
        assert int(codec.market["ts_recv_ns"][0]) == 7
        return kind
    control = read_control(frame)
    return control.unknown or (SHUTDOWN if control.announces_shutdown else ANSWER)


@pytest.mark.parametrize("message", of("web-socket-streams.md"), ids=name)
def test_stream_frames(message: Message):
    """Raw, combined, and (where the documents have them) as an array: read, or passed over by name."""
    expected = STREAMS[message.section]
    if expected in (SHUTDOWN, ANSWER):
        assert read_stream(message.body) == expected
        return
    if isinstance(expected, int):
        assert read_stream(message.body) == expected
        symbol = msgspec.json.decode(message.body).get("s", "BNBBTC").lower()
        stream = f"{symbol}@{CHANNELS[expected]}".encode()
        wrapped = b'{"stream":"' + stream + b'","data":' + message.body + b"}"
        assert read_stream(wrapped) == (PARTIAL if expected == SNAPSHOT else expected)
        return
    is_array = message.body.startswith(b"[")
    if not is_array:
        assert read_stream(message.body) == expected
    with pytest.raises(CodecError):
        read_stream(b"[" + message.body + b"]")
    wrapped = b'{"stream":"bnbbtc@' + expected.encode() + b'","data":' + message.body + b"}"
    assert read_stream(wrapped) == f"bnbbtc@{expected}"


def test_no_stream_is_left_out():
    """Every section of the document has its row."""
    assert set(STREAMS) == {m.section for m in of("web-socket-streams.md")}


@pytest.mark.parametrize("body", [b'{"e":"brandNew"}', b'{"stream":"x@brandNew","data":{}}'])
def test_messages_of_the_future_are_named(body: bytes):
    """What the documents will have tomorrow is told and costs no connection."""
    assert "brandNew" in read_stream(body)
