"""One pass over a market-data frame: kind, instrument, sequence, levels as ticks and lots.

It accepts exactly what the venue writes today (compact JSON in any key order that names the instrument
before its numbers) and answers ODD to everything else, which `exact_decode` then settles.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from adapters.binance_spot.frame_fields import (
    ASK_LOTS,
    ASKS,
    ASKS_LONG,
    BID_ORDER,
    BID_PRICE,
    BIDS,
    BIDS_LONG,
    EVENT_TIME,
    FIRST,
    FOREIGN,
    FRAME_MAX,
    LAST,
    MAKER,
    PREV,
    PRICE,
    SCAN,
    SLOT_OF_LETTER,
    SNAPSHOT_ID,
    SYMBOL,
    TRADE_ID,
    kind_of,
)
from adapters.binance_spot.number_scan import (
    COLON,
    COMMA,
    NINE,
    OPEN,
    QUOTE,
    ZERO,
    integer,
    levels,
    price,
    size,
)
from adapters.binance_spot.plain_number import ODD
from mmd.core.market.record import DIFF, MARKET, PARTIAL, SNAPSHOT, TOP, TRADE
from mmd.jit.kernel import Rec, kernel, leaf
from mmd.jit.places import record_at

NO_TIME = -1
_MS_MAX = 9 * 10**12  # the year 2255
_US_MIN, _US_MAX = 10**14, 9 * 10**15
_LOWER = 32
_AT = 64
_BRACE_OPEN, _BRACE_CLOSE = 123, 125
_PRINTABLE_MIN, _PRINTABLE_MAX, _BACKSLASH = 32, 126, 92


def _text(text: str) -> npt.NDArray[np.uint8]:
    """Bytes to compare with."""
    return np.frombuffer(text.encode(), np.uint8)


_STREAM, _DATA = _text('{"stream":"'), _text('","data":{')
_TO_TRADE, _TO_TOP, _TO_DIFF = _text('trade"'), _text('bookTicker"'), _text("depth")
_TO_PARTIAL = _text("depth20")
_SAYS_DIFF, _SAYS_TOP, _SAYS_TRADE = _text('"depthUpdate"'), _text('"bookTicker"'), _text('"trade"')
_KEY_SNAPSHOT_ID, _KEY_BIDS, _KEY_ASKS = _text('"lastUpdateId"'), _text('"bids"'), _text('"asks"')
_KEY_PREV, _KEY_DATA, _KEY_STREAM = _text('"pu"'), _text('"data"'), _text('"stream"')
_TRUE, _FALSE, _NULL = _text("true"), _text("false"), _text("null")


@leaf
def _starts(buf: Any, i: int, text: Any) -> bool:
    """Whether text stands at buf[i]."""
    for k in range(len(text)):  # noqa: SIM110 - kernels have no generators
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
        i += len(_TO_PARTIAL)
        return PARTIAL if buf[i] in (QUOTE, _AT) else ODD
    if _starts(buf, i, _TO_DIFF):
        i += len(_TO_DIFF)
        return DIFF if buf[i] in (QUOTE, _AT) else ODD
    return ODD


@leaf
def _head(s: Rec) -> int:
    """Read the combined-stream wrapper, if there is one; index of the event's first key, or ODD."""
    if not _starts(s.raw, 0, _STREAM):
        return 1 if s.raw[0] == _BRACE_OPEN else ODD
    i = _symbol(s, len(_STREAM), _AT)
    if i == ODD:
        return ODD
    s.expect = _stream_kind(s.raw, i + 1)
    i = _string_end(s.raw, i + 1)
    if ODD in (s.expect, i) or not _starts(s.raw, i, _DATA):
        return ODD
    s.wrapped = 1
    return i + len(_DATA)


@leaf
def _key(buf: Any, i: int) -> tuple[int, int]:
    """Slot of the key at buf[i], and the index of its value or ODD."""
    c = buf[i + 1]
    if buf[i] != QUOTE or c == QUOTE:
        return FOREIGN, ODD
    end = _string_end(buf, i + 1)
    if end == ODD or buf[end + 1] != COLON:
        return FOREIGN, ODD
    slot = FOREIGN
    if end == i + 2:
        slot = SLOT_OF_LETTER[c]
    elif _starts(buf, i, _KEY_PREV):
        slot = PREV
    elif _starts(buf, i, _KEY_SNAPSHOT_ID):
        slot = SNAPSHOT_ID
    elif _starts(buf, i, _KEY_BIDS):
        slot = BIDS_LONG
    elif _starts(buf, i, _KEY_ASKS):
        slot = ASKS_LONG
    elif _starts(buf, i, _KEY_DATA) or _starts(buf, i, _KEY_STREAM):
        return slot, ODD  # a wrapper spelt in another order
    return slot, end + 2


@leaf
def _side_value(s: Rec, m: Rec, slot: int, i: int) -> tuple[int, int]:
    """Read bids or asks: levels, a best price, or an order id to pass over."""
    side = (slot - BIDS) & 1
    if s.raw[i] == OPEN:
        return slot, levels(s, m, side, s.row, i)
    if slot > ASKS:
        return slot, ODD
    if s.raw[i] != QUOTE:
        _, i = integer(s.raw, i)
        return BID_ORDER + side, i
    m.px[side, 0], i = price(s.raw, i, s.grid[s.row, 0], s.grid[s.row, 1])
    return BID_PRICE + side, i


@leaf
def _word_value(s: Rec, slot: int, i: int) -> int:
    """Read the symbol, the event's name or the maker flag; the index after it, or ODD."""
    buf = s.raw
    if slot == SYMBOL:
        i = _symbol(s, i + 1, QUOTE) if buf[i] == QUOTE else ODD
        return ODD if i == ODD else i + 1
    if slot == MAKER:
        s.maker = int(_starts(buf, i, _TRUE))
        if s.maker == 1:
            return i + 4
        return i + 5 if _starts(buf, i, _FALSE) else ODD
    if _starts(buf, i, _SAYS_DIFF):
        s.event = DIFF
        return i + len(_SAYS_DIFF)
    if _starts(buf, i, _SAYS_TOP):
        s.event = TOP
        return i + len(_SAYS_TOP)
    s.event = TRADE
    return i + len(_SAYS_TRADE) if _starts(buf, i, _SAYS_TRADE) else ODD


@leaf
def _value(s: Rec, m: Rec, slot: int, i: int) -> tuple[int, int]:
    """Read the value of a field; its slot as it turned out, and the index after the value or ODD."""
    if slot <= SNAPSHOT_ID:
        s.ints[slot], i = integer(s.raw, i)
        return slot, i
    if slot == FOREIGN:
        return slot, _skip(s.raw, i)
    if slot >= SYMBOL:
        return slot, _word_value(s, slot, i)
    if s.row < 0:
        return slot, ODD
    if slot >= BIDS:
        return _side_value(s, m, slot, i)
    if slot == PRICE:
        m.px[0, 0], i = price(s.raw, i, s.grid[s.row, 0], s.grid[s.row, 1])
        return slot, i
    side = 1 if slot == ASK_LOTS else 0
    m.sz[side, 0], i = size(s.raw, i, s.grid[s.row, 2], s.grid[s.row, 3])
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
        if slot != FOREIGN:
            if seen >> slot & 1:
                return seen, ODD
            seen |= 1 << slot
        i += 1
        if s.raw[i - 1] == _BRACE_CLOSE:
            return seen, i
        if s.raw[i - 1] != COMMA:
            return seen, ODD


@leaf
def _finish(s: Rec, m: Rec, kind: int, seen: int) -> None:
    """Fill the market event's head."""
    m.instrument = s.id[s.row]
    m.first = m.prev = m.side = 0
    if kind == TRADE:
        m.first, m.last, m.side = s.ints[TRADE_ID], 0, s.maker
        m.n[0], m.n[1] = 1, 0
    elif kind == TOP:
        m.last = s.ints[LAST]
        m.n[0] = m.n[1] = 1
    elif kind == DIFF:
        m.first, m.last = s.ints[FIRST], s.ints[LAST]
        m.prev = s.ints[PREV] if seen >> PREV & 1 else m.first - 1
    else:
        m.last = s.ints[SNAPSHOT_ID]
    m.kind = kind


@leaf
def event_ns(stamp: int) -> int:
    """Milliseconds or (timeUnit=MICROSECOND) microseconds as nanoseconds, told apart by magnitude."""
    if 0 <= stamp <= _MS_MAX:
        return stamp * 1_000_000
    return stamp * 1_000 if _US_MIN <= stamp <= _US_MAX else NO_TIME


@kernel
def scan_frame(at: Rec, frame: bytes, ts_recv_ns: int, row: int) -> int:
    """Read a frame into a market record, which is undefined where 0 is returned.

    Args:
        at: places of a SCAN record, into which the frame is copied so that a zero byte can stand behind it, and of the
            MARKET record.
        frame: of the socket.
        ts_recv_ns: engine time of its arrival.
        row: -1 for a stream's frame; for a snapshot's body, the instrument's row in the scan's tables.

    Returns:
        The kind of event, or 0 for a frame that has to be read exactly.
    """
    s, m = record_at(at[0].scan, SCAN)[0], record_at(at[0].market, MARKET)[0]
    n = len(frame)
    if n > FRAME_MAX:
        return 0
    for k in range(n):
        s.raw[k] = frame[k]
    s.raw[n] = 0
    s.row = row
    s.expect = SNAPSHOT if row >= 0 else 0
    s.event = s.wrapped = s.ints[EVENT_TIME] = 0
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
    kind = kind_of(s, seen)
    m.ts_event_ns = event_ns(s.ints[EVENT_TIME])
    if i != n or kind == 0 or s.expect not in (0, kind) or m.ts_event_ns == NO_TIME:
        return 0
    m.ts_recv_ns = ts_recv_ns
    _finish(s, m, kind, seen)
    return kind
