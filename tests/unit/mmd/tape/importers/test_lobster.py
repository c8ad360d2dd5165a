"""LOBSTER files as the published format has them: orders, trades, and the book of the orderbook file."""

from decimal import Decimal
from pathlib import Path

import pytest

from mmd.core.market.record import SNAPSHOT, TRADE
from mmd.errors import TapeError
from mmd.tape.format import (
    AGGRESSOR_KNOWN,
    LAST_IN_FRAME,
    OFF_BOOK,
    ORDER_ADD,
    ORDER_DELETE,
    ORDER_EXECUTE,
)
from mmd.tape.importers.lobster import open_lobster
from tests.tapes import all_rows, books, imported

_NAME = "AAPL_2012-06-21_34200000_57600000_{}_2.csv"
_MIDNIGHT_NS = 1_340_251_200 * 10**9  # 2012-06-21 00:00 in New York, UTC-4
_MESSAGES = """\
34200.004241176,1,16113575,18,5853300,1
34200.025551909,1,16113584,18,5853400,-1
34200.2,2,16113575,8,5853300,1
34200.201743214,4,16113584,5,5853400,-1
34200.3,5,0,100,5853350,1
34200.4,3,16113584,13,5853400,-1
34200.5,6,-1,700,5853200,-1
34201,7,0,0,-1,-1
"""
_BOOKS = """\
5859400,200,5853300,18,9999999999,0,5853000,150
5853400,18,5853300,18,5859400,200,5853000,150
5853400,18,5853300,10,5859400,200,5853000,150
5853400,13,5853300,10,5859400,200,5853000,150
5853400,13,5853300,10,5859400,200,5853000,150
5859400,200,5853300,10,9999999999,0,5853000,150
5859400,200,5853300,10,9999999999,0,5853000,150
5859400,200,5853300,10,9999999999,0,5853000,150
"""


def _day(folder: Path, messages: str = _MESSAGES, book: str = _BOOKS) -> Path:
    (folder / _NAME.format("orderbook")).write_text(book)
    path = folder / _NAME.format("message")
    path.write_text(messages)
    return path


def test_messages_become_orders_and_trades(tmp_path: Path) -> None:
    """Submission, partial cancel, execution, hidden execution, deletion, cross; a halt is left out and counted."""
    made, tape = imported(
        open_lobster,
        [_day(tmp_path)],
        tmp_path / "x.tape.parquet",
        lot=Decimal(1),
        tick=Decimal("0.005"),
    )
    rows = all_rows(tape)
    events = rows[(rows["kind"] >= ORDER_ADD) | (rows["kind"] == TRADE)]
    found = [
        tuple(int(e[n]) for n in ("kind", "side", "price_ticks", "qty_lots", "order_id"))
        for e in events
    ]
    sell, buy = 1, 0
    assert found == [
        (ORDER_ADD, buy, 117_066, 18, 16113575),
        (ORDER_ADD, sell, 117_068, 18, 16113584),
        (ORDER_DELETE, buy, 117_066, 8, 16113575),
        (ORDER_EXECUTE, sell, 117_068, 5, 16113584),
        (TRADE, buy, 117_068, 5, 0),
        (TRADE, sell, 117_067, 100, 0),
        (ORDER_DELETE, sell, 117_068, 13, 16113584),
        (TRADE, 0, 117_064, 700, 0),
    ]
    flags = [int(e["flags"]) & ~LAST_IN_FRAME for e in events if e["kind"] == TRADE]
    assert flags == [AGGRESSOR_KNOWN, AGGRESSOR_KNOWN | OFF_BOOK, OFF_BOOK]
    assert made.left_out == {"trading halt messages": 1}
    assert rows["ts_event_ns"][0] == _MIDNIGHT_NS + 34_200_004_241_176


def test_the_book_is_the_orderbook_files(tmp_path: Path) -> None:
    """After every message that changes it: every row of the file, levels out of range removed."""
    _, tape = imported(open_lobster, [_day(tmp_path)], tmp_path / "x.tape.parquet")
    pictures = []
    for line in _BOOKS.splitlines():
        cells = [int(c) for c in line.split(",")]
        asks = {cells[i] // 50: cells[i + 1] for i in (0, 4) if cells[i] < 9_999_999_999}
        bids = {cells[i] // 50: cells[i + 1] for i in (2, 6)}
        if not pictures or pictures[-1] != (bids, asks):
            pictures.append((bids, asks))
    found = list(books(all_rows(tape)))
    assert tape.header.instrument.tick_size == Decimal("0.005")
    assert [book for _, book in found] == pictures
    assert found[0][0]["kind"][0] == SNAPSHOT
    assert tape.header.is_tick_inferred
    assert tape.header.instrument.symbol == "AAPL"


def _broken(messages: str = _MESSAGES, book: str = _BOOKS) -> tuple[str, str]:
    return messages, book


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (_broken(messages=_MESSAGES.replace("34200.2,2", "34200.2,9")), r"message_2.csv: line 3: expected an event type of 1 to 7, found 9"),
        (_broken(messages=_MESSAGES.replace("5853400,-1\n34200.2,", "5853400,0\n34200.2,")), r"line 2: expected a direction of -1 or 1, found 0"),
        (_broken(messages=_MESSAGES.replace("34200.2,", "late,")), r"line 3: expected a decimal number, found 'late'"),
        (_broken(messages=_MESSAGES.replace(",1\n", "\n", 1)), r"line 1: expected 6 columns, found 5"),
        (_broken(messages=_MESSAGES.replace("34200.2,", "34100.2,")), r"line 3: expected times in order"),
        (_broken(book=_BOOKS.replace("5859400,200,5853300,18,", "5859400,200,", 1)), r"line 1: expected 4 orderbook columns a level, found 6"),
        (_broken(book=_BOOKS + "1,1,1,1,1,1,1,1\n"), r"orderbook_2.csv: line 9: expected as many lines"),
        (_broken(book=_BOOKS.replace("5853400,18,5853300,18", "5853300,18,5853300,18")), r"line 2: expected the best bid below the best ask"),
    ],
)  # fmt: skip
def test_broken_files_are_refused(tmp_path: Path, files: tuple[str, str], message: str) -> None:
    """By file and line; nothing is left behind."""
    path = _day(tmp_path, *files)
    out = tmp_path / "x.tape.parquet"
    with pytest.raises(TapeError, match=message):
        imported(open_lobster, [path], out)
    assert not out.exists()


def test_a_partner_is_needed(tmp_path: Path) -> None:
    """Neither file is of use alone."""
    path = _day(tmp_path)
    book = tmp_path / _NAME.format("orderbook")
    with pytest.raises(TapeError, match="expected a LOBSTER file named like"):
        imported(open_lobster, [book], tmp_path / "x.tape.parquet")
    book.unlink()
    with pytest.raises(TapeError, match="expected its orderbook file"):
        imported(open_lobster, [path], tmp_path / "x.tape.parquet")
