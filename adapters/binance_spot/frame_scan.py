"""One pass over a market-data frame: kind, instrument, sequence, levels as ticks and lots.

It accepts exactly what the venue writes today (compact JSON in any key order that names the instrument
before its numbers) and answers ODD to everything else, which `exact_decode` then settles.
"""

from typing import Any

import numpy as np

from adapters.binance_spot.number_scan import (
    COLON,
    COMMA,
    NINE,
    ODD,
    OPEN,
    QUOTE,
    ZERO,
    integer,
    levels,
    quoted,
)
from mmd.core.market.record import DIFF, PARTIAL, SNAPSHOT, TOP, TRADE
from mmd.jit.kernel import Rec, kernel, layout, leaf

FRAME_MAX = 1 << 19
"""A snapshot of 2 x 5,000 levels takes 330 kB."""
INSTRUMENTS_MAX, SYMBOL_MAX = 64, 32

NO_TIME = -1
_MS_MAX = 9 * 10**12  # the year 2255
_US_MIN, _US_MAX = 10**14, 9 * 10**15
_LOWER = 32
_AT = 64
_BRACE_OPEN, _BRACE_CLOSE = 123, 125
_PRINTABLE_MIN, _PRINTABLE_MAX, _BACKSLASH = 32, 126, 92

# Fields in the order of their slots; those up to the last update id hold integers.
_E, _U, _LAST, _TRADE_ID, _PREV, _SNAPSHOT_ID = 0, 1, 2, 3, 4, 5
_PRICE, _QTY, _BID_LOTS, _ASK_LOTS = 6, 7, 8, 9
_BIDS, _ASKS, _BIDS_LONG, _ASKS_LONG = 10, 11, 12, 13
_SYMBOL, _EVENT, _MAKER, _FOREIGN, _WRAPPER = 14, 15, 16, 17, 18
_BID_PRICE, _ASK_PRICE = 19, 20  # `b` and `a` when they hold a price

_SHORT = np.full(128, _FOREIGN, np.int64)  # slot of a key of one letter
for _letter, _slot in zip(
    b"EUutpqBAbase" + b"m",
    (
        _E,
        _U,
        _LAST,
        _TRADE_ID,
        _PRICE,
        _QTY,
        _BID_LOTS,
        _ASK_LOTS,
        _BIDS,
        _ASKS,
        _SYMBOL,
        _EVENT,
        _MAKER,
    ),
    strict=True,
):
    _SHORT[_letter] = _slot


def _mask(*slots: int) -> int:
    """Set of fields as bits."""
    return sum(1 << slot for slot in slots)


_DIFF_MASK = _mask(_E, _U, _LAST, _BIDS, _ASKS, _SYMBOL, _EVENT)
_DIFF_OPTIONAL = _mask(_PREV)
_TOP_MASK = _mask(_LAST, _BID_PRICE, _BID_LOTS, _ASK_PRICE, _ASK_LOTS, _SYMBOL)
_TOP_OPTIONAL = _mask(_E, _EVENT)
_TRADE_MASK = _mask(_E, _TRADE_ID, _PRICE, _QTY, _MAKER, _SYMBOL, _EVENT)
_BOOK_MASK = _mask(_SNAPSHOT_ID, _BIDS_LONG, _ASKS_LONG)
_BOOK_OPTIONAL = _mask(_E)


def _text(text: str) -> Any:
    """Bytes to compare with."""
    return np.frombuffer(text.encode(), np.uint8)


_STREAM, _DATA = _text('{"stream":"'), _text('","data":{')
_TO_TRADE, _TO_TOP, _TO_DIFF = _text('trade"'), _text('bookTicker"'), _text("depth")
_TO_PARTIAL = _text("depth20")
_SAYS_DIFF, _SAYS_TOP, _SAYS_TRADE = _text('"depthUpdate"'), _text('"bookTicker"'), _text('"trade"')
_KEY_SNAPSHOT_ID, _KEY_BIDS, _KEY_ASKS = _text('"lastUpdateId"'), _text('"bids"'), _text('"asks"')
_KEY_PREV, _KEY_DATA, _KEY_STREAM = _text('"pu"'), _text('"data"'), _text('"stream"')
_TRUE, _FALSE, _NULL = _text("true"), _text("false"), _text("null")

SCAN = layout(
    ("row", "i8"),  # instrument of the frame at hand, -1 = not known yet
    ("expect", "i8"),  # kind that the stream's name promises, 0 = none
    ("event", "i8"),  # kind that `e` says, 0 = none
    ("maker", "i8"),
    ("wrapped", "i8"),
    ("ints", "i8", (6,)),
    ("n", "i8"),  # instruments in the tables below
    ("id", "i8", (INSTRUMENTS_MAX,)),
    ("grid", "i8", (INSTRUMENTS_MAX, 4)),  # price scale, price step, size scale, size step
    ("symbol_len", "i8", (INSTRUMENTS_MAX,)),
    ("symbol", "u1", (INSTRUMENTS_MAX, SYMBOL_MAX)),  # lower case
    ("raw", "u1", (FRAME_MAX + 64,)),
)


@leaf
def _starts(buf: Any, i: int, text: Any) -> bool:
    """Whether text stands at buf[i]."""
    for k in range(text.shape[0]):
        if buf[i + k] != text[k]:
            return False
    return True


@leaf
def _symbol(s: Rec, i: int, end: int) -> int:
    """Note the instrument whose symbol stands at raw[i], ended by `end`; the index of `end`, or ODD."""
    for row in range(s.n):
        k = 0
        while k < s.symbol_len[row]:
            c = s.raw[i + k]
            if 65 <= c <= 90:
                c += _LOWER
            if c != s.symbol[row, k]:
                break
            k += 1
        if k == s.symbol_len[row] and s.raw[i + k] == end:
            if s.row not in (-1, row):
                return ODD
            s.row = row
            return i + k
    return ODD


@leaf
def _string_end(buf: Any, i: int) -> int:
    """Index of the quote that closes a string whose inside starts at buf[i], or ODD if it is not plain."""
    while buf[i] != QUOTE:
        if buf[i] < _PRINTABLE_MIN or buf[i] > _PRINTABLE_MAX or buf[i] == _BACKSLASH:
            return ODD
        i += 1
    return i


@leaf
def _skip(buf: Any, i: int) -> int:
    """Index after the plain string, integer or literal at buf[i], or ODD."""
    if buf[i] == QUOTE:
        end = _string_end(buf, i + 1)
        return ODD if end == ODD else end + 1
    if ZERO <= buf[i] <= NINE:
        return integer(buf, i)[1]
    if _starts(buf, i, _TRUE) or _starts(buf, i, _NULL):
        return i + 4
    return i + 5 if _starts(buf, i, _FALSE) else ODD


@leaf
def _stream_kind(buf: Any, i: int) -> int:
    """Kind of event that a stream's name promises after its @, or ODD."""
    if _starts(buf, i, _TO_TRADE):
        return TRADE
    if _starts(buf, i, _TO_TOP):
        return TOP
    if _starts(buf, i, _TO_PARTIAL):
        i += _TO_PARTIAL.shape[0]
        return PARTIAL if buf[i] in (QUOTE, _AT) else ODD
    if _starts(buf, i, _TO_DIFF):
        i += _TO_DIFF.shape[0]
        return DIFF if buf[i] in (QUOTE, _AT) else ODD
    return ODD


@leaf
def _head(s: Rec) -> int:
    """Read the combined-stream wrapper, if there is one; index of the event's first key, or ODD."""
    if not _starts(s.raw, 0, _STREAM):
        return 1 if s.raw[0] == _BRACE_OPEN else ODD
    i = _symbol(s, _STREAM.shape[0], _AT)
    if i == ODD:
        return ODD
    s.expect = _stream_kind(s.raw, i + 1)
    i = _string_end(s.raw, i + 1)
    if s.expect == ODD or i == ODD or not _starts(s.raw, i, _DATA):
        return ODD
    s.wrapped = 1
    return i + _DATA.shape[0]


@leaf
def _key(buf: Any, i: int) -> tuple[int, int]:
    """Slot of the key at buf[i], and the index of its value or ODD."""
    c = buf[i + 1]
    if buf[i] != QUOTE or c == QUOTE:
        return _FOREIGN, ODD
    end = _string_end(buf, i + 1)
    if end == ODD or buf[end + 1] != COLON:
        return _FOREIGN, ODD
    slot = _FOREIGN
    if end == i + 2:
        slot = _SHORT[c]
    elif _starts(buf, i, _KEY_PREV):
        slot = _PREV
    elif _starts(buf, i, _KEY_SNAPSHOT_ID):
        slot = _SNAPSHOT_ID
    elif _starts(buf, i, _KEY_BIDS):
        slot = _BIDS_LONG
    elif _starts(buf, i, _KEY_ASKS):
        slot = _ASKS_LONG
    elif _starts(buf, i, _KEY_DATA) or _starts(buf, i, _KEY_STREAM):
        return slot, ODD  # a wrapper spelt in another order
    return slot, end + 2


@leaf
def _side_value(s: Rec, m: Rec, slot: int, i: int) -> tuple[int, int]:
    """Read bids or asks: levels, a best price, or (in trades of before 2024) an order id to skip."""
    side = (slot - _BIDS) & 1
    if s.raw[i] == OPEN:
        return slot, levels(s, m, side, s.row, i)
    if slot > _ASKS:
        return slot, ODD
    if s.raw[i] != QUOTE:
        return _FOREIGN, _skip(s.raw, i)
    m.px[side, 0], i = quoted(s.raw, i, s.grid[s.row, 0], s.grid[s.row, 1])
    return _BID_PRICE + side, i


@leaf
def _word_value(s: Rec, slot: int, i: int) -> int:
    """Read the symbol, the event's name or the maker flag; the index after it, or ODD."""
    buf = s.raw
    if slot == _SYMBOL:
        i = _symbol(s, i + 1, QUOTE) if buf[i] == QUOTE else ODD
        return ODD if i == ODD else i + 1
    if slot == _MAKER:
        s.maker = int(_starts(buf, i, _TRUE))
        if s.maker == 1:
            return i + 4
        return i + 5 if _starts(buf, i, _FALSE) else ODD
    if _starts(buf, i, _SAYS_DIFF):
        s.event = DIFF
        return i + _SAYS_DIFF.shape[0]
    if _starts(buf, i, _SAYS_TOP):
        s.event = TOP
        return i + _SAYS_TOP.shape[0]
    s.event = TRADE
    return i + _SAYS_TRADE.shape[0] if _starts(buf, i, _SAYS_TRADE) else ODD


@leaf
def _value(s: Rec, m: Rec, slot: int, i: int) -> tuple[int, int]:
    """Read the value of a field; its slot as it turned out, and the index after the value or ODD."""
    if slot <= _SNAPSHOT_ID:
        s.ints[slot], i = integer(s.raw, i)
        return slot, i
    if slot == _FOREIGN:
        return slot, _skip(s.raw, i)
    if slot >= _SYMBOL:
        return slot, _word_value(s, slot, i)
    if s.row < 0:
        return slot, ODD
    if slot >= _BIDS:
        return _side_value(s, m, slot, i)
    if slot == _PRICE:
        m.px[0, 0], i = quoted(s.raw, i, s.grid[s.row, 0], s.grid[s.row, 1])
        return slot, i
    side = 1 if slot == _ASK_LOTS else 0
    m.sz[side, 0], i = quoted(s.raw, i, s.grid[s.row, 2], s.grid[s.row, 3])
    return slot, i


@leaf
def _body(s: Rec, m: Rec, i: int) -> tuple[int, int]:
    """Read the event's fields; which were there, and the index after its closing brace or ODD."""
    seen = 0
    while True:
        slot, i = _key(s.raw, i)
        if i == ODD:
            return seen, ODD
        slot, i = _value(s, m, slot, i)
        if i == ODD:
            return seen, ODD
        if slot != _FOREIGN:
            if seen >> slot & 1:
                return seen, ODD
            seen |= 1 << slot
        i += 1
        if s.raw[i - 1] == _BRACE_CLOSE:
            return seen, i
        if s.raw[i - 1] != COMMA:
            return seen, ODD


@leaf
def _kind(s: Rec, seen: int) -> int:
    """Kind of event that has exactly these fields, 0 if there is none."""
    if seen & ~_DIFF_OPTIONAL == _DIFF_MASK and s.event == DIFF and s.ints[_U] <= s.ints[_LAST]:
        return DIFF
    if seen & ~_TOP_OPTIONAL == _TOP_MASK and s.event in (0, TOP):
        return TOP
    if seen == _TRADE_MASK and s.event == TRADE:
        return TRADE
    if seen & ~_BOOK_OPTIONAL == _BOOK_MASK and s.expect in (PARTIAL, SNAPSHOT):
        return s.expect
    return 0


@leaf
def _finish(s: Rec, m: Rec, kind: int, seen: int) -> None:
    """Fill the market event's head."""
    m.instrument = s.id[s.row]
    m.first = m.prev = m.side = 0
    if kind == TRADE:
        m.first, m.last, m.side = s.ints[_TRADE_ID], 0, s.maker
        m.n[0], m.n[1] = 1, 0
    elif kind == TOP:
        m.last = s.ints[_LAST]
        m.n[0] = m.n[1] = 1
    elif kind == DIFF:
        m.first, m.last = s.ints[_U], s.ints[_LAST]
        m.prev = s.ints[_PREV] if seen >> _PREV & 1 else m.first - 1
    else:
        m.last = s.ints[_SNAPSHOT_ID]
    m.kind = kind


@leaf
def event_ns(stamp: int) -> int:
    """Milliseconds or (timeUnit=MICROSECOND) microseconds as nanoseconds, told apart by magnitude."""
    if 0 <= stamp <= _MS_MAX:
        return stamp * 1_000_000
    return stamp * 1_000 if _US_MIN <= stamp <= _US_MAX else NO_TIME


@kernel
def scan_frame(scan: Rec, market: Rec, size: int, ts_recv_ns: int, row: int) -> int:
    """Read the frame in scan.raw[:size] into market.

    Args:
        scan: SCAN record.
        market: MARKET record; undefined where 0 is returned.
        size: bytes of the frame, at most FRAME_MAX.
        ts_recv_ns: engine time of its arrival.
        row: -1 for a stream's frame; for a snapshot's body, the instrument's row in the scan's tables.

    Returns:
        The kind of event, or 0 for a frame that has to be read exactly.
    """
    s, m = scan[0], market[0]
    s.raw[size] = 0
    s.row = row
    s.expect = SNAPSHOT if row >= 0 else 0
    s.event = s.wrapped = s.ints[_E] = 0
    m.kind = 0
    i = _head(s)
    if i == ODD:
        return 0
    seen, i = _body(s, m, i)
    if i == ODD:
        return 0
    if s.wrapped == 1:
        if s.raw[i] != _BRACE_CLOSE:
            return 0
        i += 1
    kind = _kind(s, seen)
    m.ts_event_ns = event_ns(s.ints[_E])
    if i != size or kind == 0 or s.expect not in (0, kind) or m.ts_event_ns == NO_TIME:
        return 0
    m.ts_recv_ns = ts_recv_ns
    _finish(s, m, kind, seen)
    return kind
