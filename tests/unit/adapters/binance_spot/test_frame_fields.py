"""Which sets of fields make up which kind of event."""

import pytest

from adapters.binance_spot.frame_fields import (
    ASK_LOTS,
    ASK_PRICE,
    ASKS,
    ASKS_LONG,
    BID_LOTS,
    BID_PRICE,
    BIDS,
    BIDS_LONG,
    EVENT,
    EVENT_TIME,
    FIRST,
    FOREIGN,
    LAST,
    MAKER,
    PREV,
    PRICE,
    QTY,
    SCAN,
    SLOT_OF_LETTER,
    SNAPSHOT_ID,
    SYMBOL,
    TRADE_ID,
    kind_of,
)
from mmd.core.market.record import DIFF, PARTIAL, SNAPSHOT, TOP, TRADE
from mmd.jit.kernel import Rec, bind, kernel, new

DIFF_FIELDS = (EVENT, EVENT_TIME, SYMBOL, FIRST, LAST, BIDS, ASKS)
TOP_FIELDS = (LAST, SYMBOL, BID_PRICE, BID_LOTS, ASK_PRICE, ASK_LOTS)
TRADE_FIELDS = (EVENT, EVENT_TIME, SYMBOL, TRADE_ID, PRICE, QTY, MAKER)
BOOK_FIELDS = (SNAPSHOT_ID, BIDS_LONG, ASKS_LONG)
SCAN_REC = new(SCAN)


@kernel
def _kind_of_record(scan: Rec, seen: int) -> int:
    """The leaf on a record's row."""
    return kind_of(scan[0], seen)


kind_of_record = bind(_kind_of_record, SCAN_REC, 0)


def kind(
    fields: tuple[int, ...], event: int = 0, expect: int = 0, first: int = 1, last: int = 2
) -> int:
    """Kind of a frame with these fields."""
    row = SCAN_REC[0]
    row["event"], row["expect"] = event, expect
    row["ints"][FIRST], row["ints"][LAST] = first, last
    return kind_of_record(SCAN_REC, sum(1 << f for f in fields))


def test_each_kind_is_known_by_its_fields() -> None:
    """With and without the optional ones."""
    assert kind(DIFF_FIELDS, DIFF) == kind((*DIFF_FIELDS, PREV), DIFF) == DIFF
    assert kind(TOP_FIELDS) == kind((*TOP_FIELDS, EVENT, EVENT_TIME), TOP) == TOP
    assert kind(TRADE_FIELDS, TRADE) == TRADE
    assert kind(BOOK_FIELDS, expect=PARTIAL) == PARTIAL
    assert kind((*BOOK_FIELDS, EVENT_TIME), expect=SNAPSHOT) == SNAPSHOT


@pytest.mark.parametrize(
    ("fields", "event"),
    [(DIFF_FIELDS, DIFF), (TOP_FIELDS, TOP), (TRADE_FIELDS, TRADE), (BOOK_FIELDS, 0)],
)
def test_missing_or_surplus_field_is_no_kind(fields, event) -> None:
    """One less, or one that belongs to another kind."""
    for k in range(len(fields)):
        assert kind(fields[:k] + fields[k + 1 :], event) == 0
    surplus = QTY if QTY not in fields else BIDS_LONG
    assert kind((*fields, surplus), event) == 0


def test_fields_that_contradict_the_events_name_are_no_kind() -> None:
    """A diff that calls itself a trade, a bare book, a sequence that runs backwards."""
    assert kind(DIFF_FIELDS, TRADE) == 0
    assert kind(BOOK_FIELDS) == 0
    assert kind(DIFF_FIELDS, DIFF, first=3) == 0


def test_letters_are_told_apart_by_case() -> None:
    """U and u, B and b; letters without meaning are foreign."""
    assert [SLOT_OF_LETTER[ord(c)] for c in "UuBbT"] == [FIRST, LAST, BID_LOTS, BIDS, FOREIGN]
