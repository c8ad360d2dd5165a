"""Market-data frames in any JSON spelling, with exact arithmetic: slow, and the judge of what is malformed.

`frame_scan` passes on what it does not read. What is wrong with a frame is found and said here.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal, NoReturn

import msgspec
from msgspec import UNSET, Raw, UnsetType

from adapters.binance_spot.frame_scan import NO_TIME, event_ns
from mmd.core.instrument import Instrument
from mmd.core.market.record import DIFF, LEVELS_MAX, PARTIAL, SNAPSHOT, TOP, TRADE
from mmd.errors import CodecError
from mmd.jit.kernel import Rec

_CHANNELS = {"depth": DIFF, "bookTicker": TOP, "trade": TRADE, "depth20": PARTIAL}
_NOT_CHECKABLE = ("depth5", "depth10")
_EVENTS = {"depthUpdate": DIFF, "bookTicker": TOP, "trade": TRADE}
_KIND_NAMES = {
    SNAPSHOT: "snapshot",
    DIFF: "diff",
    TOP: "best quote",
    TRADE: "trade",
    PARTIAL: "partial book",
}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_TEXT_MAX = 80
_NEAR_LEVELS = 20
_INT64_MAX = 2**63 - 1
_SHOWN_MAX = 60

_Int = Annotated[int, msgspec.Meta(ge=0, le=_INT64_MAX)]
_Levels = list[tuple[str, str]]


class _Head(msgspec.Struct):
    """What tells the kinds of frames apart."""

    stream: str | UnsetType = UNSET
    data: Raw | UnsetType = UNSET
    e: str | UnsetType = UNSET
    B: Raw | UnsetType = UNSET
    A: Raw | UnsetType = UNSET
    snapshot_id: Raw | UnsetType = msgspec.field(default=UNSET, name="lastUpdateId")


class _Diff(msgspec.Struct):
    e: Literal["depthUpdate"]
    E: _Int
    s: str
    U: _Int
    u: _Int
    b: _Levels
    a: _Levels
    pu: _Int | UnsetType = UNSET


class _Top(msgspec.Struct):
    u: _Int
    s: str
    b: str
    B: str
    a: str
    A: str
    e: Literal["bookTicker"] = "bookTicker"
    E: _Int = 0


class _Trade(msgspec.Struct):
    e: Literal["trade"]
    E: _Int
    s: str
    t: _Int
    p: str
    q: str
    m: bool


class _Book(msgspec.Struct):
    snapshot_id: _Int = msgspec.field(name="lastUpdateId")
    bids: _Levels
    asks: _Levels
    E: _Int = 0


_HEAD = msgspec.json.Decoder(_Head)
_BODIES: Mapping[int, msgspec.json.Decoder[_Diff | _Top | _Trade | _Book]] = {
    DIFF: msgspec.json.Decoder(_Diff),
    TOP: msgspec.json.Decoder(_Top),
    TRADE: msgspec.json.Decoder(_Trade),
    PARTIAL: msgspec.json.Decoder(_Book),
    SNAPSHOT: msgspec.json.Decoder(_Book),
}


def fold(symbol: str) -> bytes:
    """Symbol as looked up: UTF-8 with ASCII letters in lower case."""
    return symbol.encode(errors="replace").lower()


def decode_exact(frame: bytes, market: Rec, instruments: Mapping[bytes, Instrument]) -> int:
    """Read a stream's frame into market, all but its receive time.

    Args:
        frame: one JSON text, bare or in the combined-stream wrapper.
        market: MARKET record; undefined if this raises.
        instruments: by folded symbol. A bare book without a symbol is taken for the only one's snapshot.

    Returns:
        The kind of event, 0 for what is no market data of ours (answers, other channels).

    Raises:
        CodecError: malformed, off the instrument's grid, or of an unknown symbol.
    """
    try:
        head = _HEAD.decode(frame)
        if isinstance(head.stream, str) and isinstance(head.data, Raw):
            return _decode_wrapped(head.stream, bytes(head.data), market, instruments)
        kind = _bare_kind(head)
        if kind == SNAPSHOT:
            if len(instruments) != 1:
                _refuse(
                    "a book", "", "the combined stream's wrapper", "a book that names no symbol"
                )
            decode_snapshot_exact(frame, market, next(iter(instruments.values())))
        elif kind != 0:
            _decode_body(frame, kind, "", market, instruments)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CodecError(
            f"binance_spot frame: expected the documented JSON, found {_shown(frame)} ({error}); "
            "if the venue has changed its format, the codec must follow"
        ) from error
    return kind


def decode_snapshot_exact(body: bytes, market: Rec, instrument: Instrument) -> None:
    """Read a REST depth answer into market as a SNAPSHOT, all but its receive time. Raises: CodecError."""
    _fill(_parse(body, SNAPSHOT, instrument.symbol), SNAPSHOT, instrument, market)


def _bare_kind(head: _Head) -> int:
    """Kind of an event without wrapper, by its name or its fields; 0 if it is none."""
    if isinstance(head.e, str):
        return _EVENTS.get(head.e, 0)
    if head.B is not UNSET and head.A is not UNSET:
        return TOP
    return SNAPSHOT if head.snapshot_id is not UNSET else 0


def _decode_wrapped(
    stream: str, body: bytes, market: Rec, instruments: Mapping[bytes, Instrument]
) -> int:
    """Read an event whose stream says what it must be."""
    symbol, _, channel = stream.partition("@")
    name = channel.partition("@")[0]
    if name in _NOT_CHECKABLE:
        _refuse("stream", stream, "depth20, to check 20 levels", name)
    kind = _CHANNELS.get(name, 0)
    if kind != 0:
        _decode_body(body, kind, symbol, market, instruments)
    return kind


def _parse(body: bytes, kind: int, symbol: str) -> _Diff | _Top | _Trade | _Book:
    """Body as a struct of its kind."""
    try:
        return _BODIES[kind].decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CodecError(
            f"binance_spot {_KIND_NAMES[kind]} {symbol}: {error}, found {_shown(body)}"
        ) from error


def _decode_body(
    body: bytes, kind: int, stream_symbol: str, market: Rec, instruments: Mapping[bytes, Instrument]
) -> None:
    """Read a body of known kind; stream_symbol is empty where there is no wrapper."""
    event = _parse(body, kind, stream_symbol)
    symbol = stream_symbol if isinstance(event, _Book) else event.s
    if stream_symbol and fold(symbol) != fold(stream_symbol):
        _refuse(_KIND_NAMES[kind], stream_symbol, "the stream's symbol", symbol)
    instrument = instruments.get(fold(symbol))
    if instrument is None:
        known = ", ".join(i.symbol for i in instruments.values())
        _refuse(_KIND_NAMES[kind], symbol, f"one of {known}", f"symbol {symbol!r}; unsubscribe it")
    _fill(event, kind, instrument, market)


def _fill(
    event: _Diff | _Top | _Trade | _Book, kind: int, instrument: Instrument, market: Rec
) -> None:
    """Write an event into the record."""
    m = market[0]
    m["kind"], m["instrument"] = 0, instrument.id
    m["ts_event_ns"] = _event_time(event.E, kind, instrument)
    m["first"] = m["last"] = m["prev"] = m["side"] = 0
    if isinstance(event, _Diff):
        if event.u < event.U:
            _refuse("diff", instrument.symbol, "U at most u", f"U {event.U}, u {event.u}")
        prev = event.pu if isinstance(event.pu, int) else event.U - 1
        m["first"], m["last"], m["prev"] = event.U, event.u, prev
        sides = (event.b, event.a)
    elif isinstance(event, _Top):
        m["last"] = event.u
        sides = ([(event.b, event.B)], [(event.a, event.A)])
    elif isinstance(event, _Trade):
        m["first"], m["side"] = event.t, int(event.m)
        sides = ([(event.p, event.q)], [])
    else:
        m["last"] = event.snapshot_id
        sides = (event.bids, event.asks)
    for side, rows in enumerate(sides):
        _fill_side(rows, side, kind, instrument, market)
    m["kind"] = kind


def _fill_side(rows: _Levels, side: int, kind: int, instrument: Instrument, market: Rec) -> None:
    """Write one side's levels into the record."""
    where = f"{_KIND_NAMES[kind]} {'ask' if side else 'bid'}"
    if len(rows) > LEVELS_MAX:
        _refuse(where, instrument.symbol, f"at most {LEVELS_MAX} levels", f"{len(rows)}")
    price_scale, price_step, size_scale, size_step = instrument.grid
    all_ticks, all_lots = [], []
    for k, (price, size) in enumerate(rows):
        ticks, beyond_tick = _units(price, price_scale, price_step)
        lots, beyond_lot = _units(size, size_scale, size_step)
        if beyond_tick and _is_remnant(kind, k, gone=lots == 0 and not beyond_lot):
            continue
        if ticks < 0 or beyond_tick:
            tick = f"a multiple of tick {instrument.tick_size}"
            _refuse(f"{where} {k}", instrument.symbol, tick, price)
        if lots < 0:
            _refuse(f"{where} {k}", instrument.symbol, "a size of at least 0", size)
        all_ticks.append(ticks)
        all_lots.append(1 if lots == 0 and beyond_lot else lots)  # see number_scan.size
    m = market[0]
    m["n"][side] = len(all_ticks)
    m["px"][side, : len(all_ticks)] = all_ticks
    m["sz"][side, : len(all_lots)] = all_lots


def _is_remnant(kind: int, k: int, *, gone: bool) -> bool:
    """Whether a level off the tick grid is an order from before the tick was made coarser, to be left out.

    The venue lets such orders rest. Away from the touch they are left out of snapshots, and when they go
    there is nothing to remove. Nearer they are refused: a book without them would be wrong, and the tick
    may have been made finer since the rules were read.
    """
    return (kind == SNAPSHOT and k >= _NEAR_LEVELS) or (kind == DIFF and gone)


def _units(text: str, scale: int, step: int) -> tuple[int, bool]:
    """Decimal text in units of step * 10**-scale, rounded down, and whether it was; -1 if out of range."""
    if len(text) > _TEXT_MAX or _NUMBER.fullmatch(text) is None:
        return -1, False
    negative, digits, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int), "the pattern admits finite numbers only"
    value = int("".join(map(str, digits)))
    shift = exponent + scale
    if value == 0:
        return 0, False
    if negative or shift > _TEXT_MAX:
        return -1, False
    if shift < -2 * _TEXT_MAX:
        return 0, True
    units, rest = divmod(value * 10 ** max(shift, 0), step * 10 ** max(-shift, 0))
    return (units, rest != 0) if units <= _INT64_MAX else (-1, False)


def _event_time(stamp: int, kind: int, instrument: Instrument) -> int:
    """Event time in nanoseconds."""
    time_ns = event_ns(stamp)
    if time_ns == NO_TIME:
        _refuse(
            _KIND_NAMES[kind], instrument.symbol, "E in milliseconds or microseconds", str(stamp)
        )
    return time_ns


def _shown(frame: bytes) -> str:
    """Start of a frame, for a message of one line."""
    return ascii(frame[:_SHOWN_MAX].decode(errors="replace")) + (
        "..." if len(frame) > _SHOWN_MAX else ""
    )


def _refuse(where: str, symbol: str, expected: str, found: str) -> NoReturn:
    """Raise a CodecError of one line."""
    raise CodecError(
        f"binance_spot {where} {symbol}: expected {expected}, found {found[:_SHOWN_MAX]!a}"
    )
