"""Market data: what the compiled scan makes of a message against what an independent JSON reader sees in it."""

import json
from decimal import Context, Decimal
from typing import Any

import orjson

from adapters.binance_spot.market_codec import MarketCodec
from mmd.core.instrument import Instrument
from mmd.core.market.record import DIFF, PARTIAL, SNAPSHOT, TOP, TRADE
from mmd.core.units import InstrumentId
from mmd.errors import CodecError
from tests.session import instrument

_MS = 1_000_000
_EXACT = Context(prec=10_000)
"""The default rounds to 28 digits, and a wrong message may have more."""
_NEAR = 20
"""Levels of a snapshot that must be on the grid."""
_REFUSED, _IGNORED = "refused", "no market data"


def instruments() -> list[Instrument]:
    """Two grids."""
    return [
        instrument(),
        instrument(
            id=InstrumentId(1),
            symbol="ODDUSDT",
            base="ODD",
            tick_size=Decimal("0.25"),
            lot_size=Decimal(10),
        ),
    ]


_LEVELS = b'"b":[["100.01000000","1.50000000"],["100.00000000","0.00000000"]],"a":[["100.02000000","0.00200000"]]'
STREAMS = (
    b'{"stream":"mmdusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"s":"MMDUSDT","U":157,"u":160,%b}}'
    % _LEVELS,
    b'{"stream":"mmdusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"s":"MMDUSDT","U":161,"u":161,"b":[],"a":[["101.3","7"]]}}',
    b'{"stream":"mmdusdt@bookTicker","data":{"u":212,"s":"MMDUSDT","b":"100.01000000","B":"3.78800000","a":"100.02000000","A":"1.54600000"}}',
    b'{"stream":"mmdusdt@trade","data":{"e":"trade","E":1723161255343,"s":"MMDUSDT","t":3735683259,"p":"100.02000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}',
    b'{"stream":"mmdusdt@depth20@100ms","data":{"lastUpdateId":160,"bids":[["100.01","3.788"],["100.00","0.617"]],"asks":[["100.02","1.5"]]}}',
    b'{"stream":"oddusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"s":"ODDUSDT","U":157,"u":160,"b":[["7.25","30"]],"a":[["7.50000000","1020.00000000"]]}}',
    b'{"e":"depthUpdate","E":1723161255208,"s":"MMDUSDT","U":157,"u":160,%b}' % _LEVELS,
    b'{"result":null,"id":1}',
    b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1723161255208}}',
)
"""Messages of every kind as the venue writes them."""
SNAPSHOTS = (
    b'{"lastUpdateId":160,"bids":[["100.01000000","3.78800000"],["100.00000000","0.61700000"]],"asks":[["100.02000000","1.50000000"],["100.05000000","2.00000000"]]}',
    b'{"lastUpdateId":7,"bids":[],"asks":[["100.02","1.5"]]}',
)


class WrongReadingError(Exception):
    """The codec accepted a message and saw something else in it than stands there."""


class StreamTarget:
    """Frames of the market-data streams."""

    name = "market scan"
    seeds = STREAMS

    def __init__(self) -> None:
        self._instruments = instruments()
        self._codec = MarketCodec(self._instruments)

    def check(self, frame: bytes) -> str:
        """What came of it. Raises: WrongReadingError."""
        try:
            kind = self._codec.decode(frame, 1)
        except CodecError:
            return _REFUSED
        if kind == 0:
            return _IGNORED
        _compare(self._codec.market, self._instruments, frame, _payload(frame))
        return "read"


class SnapshotTarget:
    """Answers to a REST depth request."""

    name = "depth snapshot"
    seeds = SNAPSHOTS

    def __init__(self) -> None:
        self._instruments = instruments()
        self._codec = MarketCodec(self._instruments)

    def check(self, frame: bytes) -> str:
        """What came of it. Raises: WrongReadingError."""
        try:
            self._codec.decode_snapshot(frame, InstrumentId(0), 1)
        except CodecError:
            return _REFUSED
        _compare(self._codec.market, self._instruments, frame, _payload(frame))
        return "read"


def _payload(frame: bytes) -> Any:
    """What an independent reader finds in the frame."""
    try:
        message = orjson.loads(frame)
    except orjson.JSONDecodeError:
        try:  # it may be JSON all the same: numbers beyond a double, texts in other encodings, where nobody looks
            message = json.loads(frame.decode(errors="replace"))
        except ValueError as error:
            raise WrongReadingError(f"read although it is no JSON: {error}: {frame!r}") from error
    return message.get("data", message)


def _compare(market: Any, known: list[Instrument], frame: bytes, data: Any) -> None:
    """Every number in the record stands in the message. Raises: WrongReadingError."""
    row = market[0]
    found = known[int(row["instrument"])]
    kind = int(row["kind"])
    if kind in (SNAPSHOT, PARTIAL):
        ids, sides = {"last": data["lastUpdateId"]}, (data["bids"], data["asks"])
    elif kind == DIFF:
        ids, sides = {"first": data["U"], "last": data["u"]}, (data["b"], data["a"])
        _same(found.symbol, data["s"].upper(), frame)
    elif kind == TOP:
        ids, sides = {"last": data["u"]}, ([[data["b"], data["B"]]], [[data["a"], data["A"]]])
        _same(found.symbol, data["s"].upper(), frame)
    else:
        _same(kind, TRADE, frame)
        ids, sides = {"first": data["t"]}, ([[data["p"], data["q"]]],)
        _same(int(row["side"]), int(data["m"]), frame)
        _same(found.symbol, data["s"].upper(), frame)
    for field, value in ids.items():
        _same(int(row[field]), value, frame)
    if "E" in data and kind in (DIFF, TRADE):
        _same(
            int(row["ts_event_ns"]) // _MS,
            data["E"] if data["E"] < 1e14 else data["E"] // 1000,
            frame,
        )
    for side, levels in enumerate(sides):
        expected = _on_grid(levels, kind, found)
        count = int(row["n"][side]) if kind in (DIFF, SNAPSHOT, PARTIAL) else len(expected)
        read = zip(row["px"][side, :count].tolist(), row["sz"][side, :count].tolist(), strict=True)
        _same(list(read), expected, frame)


def _on_grid(levels: Any, kind: int, at: Instrument) -> list[tuple[int, int]]:
    """Levels in ticks and lots: sizes rounded down, but above zero at least a lot; remnants off the tick left out."""
    read = []
    for k, (price, size, *_) in enumerate(levels):
        ticks = _EXACT.divide(Decimal(price), at.tick_size)
        lots = _EXACT.divide(Decimal(size), at.lot_size)
        is_on_tick = ticks == int(ticks)
        if not is_on_tick and ((kind == SNAPSHOT and k >= _NEAR) or (kind == DIFF and lots == 0)):
            continue
        read.append((int(ticks) if is_on_tick else -1, max(int(lots), int(lots > 0))))
    return read


def _same(found: object, expected: object, frame: bytes) -> None:
    if found != expected:
        raise WrongReadingError(f"read {found!r} where the message says {expected!r}: {frame!r}")
