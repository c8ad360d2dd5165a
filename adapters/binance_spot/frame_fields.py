"""Which fields a market-data frame may have, which make up which kind of event, and the scan's record."""

import numpy as np

from mmd.core.market.record import DIFF, PARTIAL, SNAPSHOT, TOP, TRADE
from mmd.jit.kernel import Rec, layout, leaf

FRAME_MAX = 1 << 19
"""A snapshot of 2 x 5,000 levels takes 330 kB."""
INSTRUMENTS_MAX, SYMBOL_MAX = 64, 32

# Fields in the order of their slots; those up to the last update id hold integers.
EVENT_TIME, FIRST, LAST, TRADE_ID, PREV, SNAPSHOT_ID = 0, 1, 2, 3, 4, 5
PRICE, QTY, BID_LOTS, ASK_LOTS = 6, 7, 8, 9
BIDS, ASKS, BIDS_LONG, ASKS_LONG = 10, 11, 12, 13
SYMBOL, EVENT, MAKER, FOREIGN = 14, 15, 16, 17
BID_PRICE, ASK_PRICE = 18, 19  # `b` and `a` when they hold a price
BID_ORDER, ASK_ORDER = 20, 21  # `b` and `a` when they hold an order id, in trades of before 2024

_LETTERS = {
    "E": EVENT_TIME,
    "U": FIRST,
    "u": LAST,
    "t": TRADE_ID,
    "p": PRICE,
    "q": QTY,
    "B": BID_LOTS,
    "A": ASK_LOTS,
    "b": BIDS,
    "a": ASKS,
    "s": SYMBOL,
    "e": EVENT,
    "m": MAKER,
}
SLOT_OF_LETTER = np.array([_LETTERS.get(chr(c), FOREIGN) for c in range(128)], np.int64)
"""Slot of a key of one letter, by its code."""


def _mask(*slots: int) -> int:
    """Set of fields as bits."""
    return sum(1 << slot for slot in slots)


_DIFF_MASK = _mask(EVENT_TIME, FIRST, LAST, BIDS, ASKS, SYMBOL, EVENT)
_DIFF_OPTIONAL = _mask(PREV)
_TOP_MASK = _mask(LAST, BID_PRICE, BID_LOTS, ASK_PRICE, ASK_LOTS, SYMBOL)
_TOP_OPTIONAL = _mask(EVENT_TIME, EVENT)
_TRADE_MASK = _mask(EVENT_TIME, TRADE_ID, PRICE, QTY, MAKER, SYMBOL, EVENT)
_TRADE_OPTIONAL = _mask(BID_ORDER, ASK_ORDER)
_BOOK_MASK = _mask(SNAPSHOT_ID, BIDS_LONG, ASKS_LONG)
_BOOK_OPTIONAL = _mask(EVENT_TIME)


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
def kind_of(s: Rec, seen: int) -> int:
    """Kind of event that has exactly these fields, 0 if there is none."""
    if seen & ~_DIFF_OPTIONAL == _DIFF_MASK and s.event == DIFF and s.ints[FIRST] <= s.ints[LAST]:
        return DIFF
    if seen & ~_TOP_OPTIONAL == _TOP_MASK and s.event in (0, TOP):
        return TOP
    if seen & ~_TRADE_OPTIONAL == _TRADE_MASK and s.event == TRADE:
        return TRADE
    expect: int = s.expect
    book = seen & ~_BOOK_OPTIONAL == _BOOK_MASK and expect in (PARTIAL, SNAPSHOT)
    return expect if book else 0
