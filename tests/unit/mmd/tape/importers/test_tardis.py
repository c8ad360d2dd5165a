"""Tardis CSV: messages by local time, snapshots that reset, trades before the book's changes, quotes."""

import gzip
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from mmd.core.market.record import DIFF, LEVELS_MAX, SNAPSHOT, TOP, TRADE
from mmd.errors import TapeError
from mmd.tape.format import AGGRESSOR_KNOWN
from mmd.tape.importers.tardis import open_tardis
from tests.tapes import all_rows, books, frames_of, imported

_BOOK_HEAD = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n"
_TRADE_HEAD = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
_QUOTE_HEAD = (
    "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount\n"
)
_T = 1_585_699_200_000_000


def _lines(head: str, *rows: str) -> str:
    """Rows of deribit BTC-PERPETUAL; each begins with its microseconds after midnight, event and local."""
    made = []
    for row in rows:
        event, local, rest = row.split(",", 2)
        made.append(f"deribit,BTC-PERPETUAL,{_T + int(event)},{_T + int(local)},{rest}\n")
    return head + "".join(made)


_BOOK = _lines(
    _BOOK_HEAD,
    "5,10,true,bid,6425.5,20",
    "5,10,true,bid,6425,40",
    "5,10,true,ask,6426,1e1",
    "15,20,false,bid,6425.5,0",
    "15,20,false,ask,6425.5,10",
    "25,30,false,ask,6427,30",
    "35,40,true,bid,6430,10",
    "35,41,true,ask,6430.5,10",
)
_TRADES = _lines(_TRADE_HEAD, "14,20,77,buy,6425.5,10", "36,45,abc-1,unknown,6430,10")


def _files(folder: Path, **texts: str) -> list[Path]:
    paths = []
    for name, text in texts.items():
        path = folder / f"{name}.csv"
        path.write_text(text)
        paths.append(path)
    return paths


def test_book_and_trades_become_one_tape(tmp_path: Path) -> None:
    """A run of snapshot rows is one frame and resets; a trade comes before the change of its microsecond."""
    files = _files(tmp_path, book=_BOOK, trades=_TRADES)
    _, tape = imported(open_tardis, files, tmp_path / "x.tape.parquet")
    rows = all_rows(tape)
    kinds = [
        (int(f["kind"][0]), (int(f["ts_recv_ns"][-1]) - _T * 1000) // 1000) for f in frames_of(rows)
    ]
    assert kinds == [
        (SNAPSHOT, 10),
        (TRADE, 20),
        (DIFF, 20),
        (DIFF, 30),
        (SNAPSHOT, 41),
        (TRADE, 45),
    ]
    at = tape.header.instrument
    assert (at.venue, at.symbol, at.base) == ("deribit", "BTC-PERPETUAL", "BTC")
    assert (at.tick_size, at.lot_size) == (Decimal("0.5"), Decimal(10))
    assert [book for _, book in books(rows)] == [
        ({12851: 2, 12850: 4}, {12852: 1}),
        ({12850: 4}, {12852: 1, 12851: 1}),
        ({12850: 4}, {12852: 1, 12851: 1, 12854: 3}),
        ({12860: 1}, {12861: 1}),
    ]
    trades = rows[rows["kind"] == TRADE]
    assert trades["first"].tolist() == [77, 0]
    assert ((trades["flags"] & AGGRESSOR_KNOWN) != 0).tolist() == [True, False]


def test_quotes_are_tops(tmp_path: Path) -> None:
    """An empty side has no lots; gzip is opened by its first bytes."""
    text = _lines(_QUOTE_HEAD, "5,10,4,6426,6425.5,2", "6,11,4,6426,,")
    path = tmp_path / "quotes.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    _, tape = imported(open_tardis, [path], tmp_path / "x.tape.parquet")
    rows = all_rows(tape)
    tops = rows[rows["kind"] == TOP]
    assert tops["side"].tolist() == [0, 1, 0, 1]
    assert tops["qty_lots"].tolist() == [1, 2, 0, 2]
    assert tops["last"].tolist() == [1, 1, 2, 2]


def test_changes_before_a_files_first_snapshot_are_left_out(tmp_path: Path) -> None:
    """They were buffered while the snapshot was on its way; the next day's file begins with its own."""
    early = _lines(
        _BOOK_HEAD,
        "1,2,false,bid,6425.5,90",
        "3,4,false,ask,6426,90",
        "5,10,true,bid,6425.5,20",
        "5,10,true,ask,6426,10",
        "15,20,false,bid,6425,30",
    )
    late = _lines(
        _BOOK_HEAD,
        "105,110,false,bid,6425,0",
        "115,120,true,bid,6425.5,10",
        "115,120,true,ask,6426,10",
    )
    files = _files(tmp_path, first=early, second=late)
    report, tape = imported(open_tardis, files, tmp_path / "x.tape.parquet")
    assert report.left_out["changes before a file's first snapshot"] == 3
    assert [book for _, book in books(all_rows(tape))] == [
        ({12851: 2}, {12852: 1}),
        ({12851: 2, 12850: 3}, {12852: 1}),
        ({12851: 1}, {12852: 1}),
    ]


def test_book_tickers_and_zipped_files_are_read(tmp_path: Path) -> None:
    """A book_ticker has the columns of quotes; names of files do not matter."""
    path = tmp_path / "binance_book_ticker.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("BTC-PERPETUAL.csv", _lines(_QUOTE_HEAD, "8,10,4,6426,6425.5,2"))
    _, tape = imported(open_tardis, [path], tmp_path / "x.tape.parquet")
    rows = all_rows(tape)
    tops = rows[rows["kind"] == TOP]
    assert tops["qty_lots"].tolist() == [1, 2]
    assert tops["ts_recv_ns"].tolist() == [(_T + 10) * 1_000] * 2


def test_a_snapshot_beyond_the_records_room_is_cut_to_the_best(tmp_path: Path) -> None:
    """And the levels that are left out are counted."""
    deep = [f"5,10,true,bid,{100_000 - n},1" for n in range(LEVELS_MAX + 7)]
    files = _files(tmp_path, book=_lines(_BOOK_HEAD, *reversed(deep), "5,10,true,ask,100001,1"))
    made, tape = imported(open_tardis, files, tmp_path / "x.tape.parquet")
    ((_, (bids, _)),) = books(all_rows(tape))
    assert (len(bids), max(bids)) == (LEVELS_MAX, 100_000)
    assert made.left_out == {"snapshot levels beyond the best 5000": 7}


_BAD = {
    "columns": (_BOOK.replace("is_snapshot", "snapshot"), r"line 1: expected the columns of"),
    "no rows": (_BOOK_HEAD, r"expected rows after its column names"),
    "short row": (_BOOK.replace(",40\n", "\n", 1), r"line 3: expected 8 columns, found 7"),
    "side": (_BOOK.replace("ask,6427", "up,6427"), r"line 7: expected a side of .*, found 'up'"),
    "number": (_BOOK.replace("6427", "64x27"), r"line 7: expected a decimal number, found '64x27'"),
    "time": (_BOOK.replace(str(_T + 30), "soon"), r"line 7: .*'soon'"),
    "symbol": (_BOOK.replace("deribit,BTC-PERPETUAL,1585699200000025", "deribit,ETH,1585699200000025"), r"line 7: expected deribit BTC-PERPETUAL, found deribit ETH"),
    "shuffled": (_BOOK.replace(str(_T + 30), str(_T - 5_000_000)), r"line 7: expected times in order"),
    "crossed": (_BOOK.replace("6427,30", "6425,30"), r"line 7: expected the best bid below the best ask"),
    "price": (_BOOK.replace("6427,30", "0,30"), r"line 7: expected prices above zero"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(_BAD))
def test_broken_files_are_refused(tmp_path: Path, name: str) -> None:
    """By file and line; nothing is left behind."""
    text, message = _BAD[name]
    out = tmp_path / "x.tape.parquet"
    with pytest.raises(TapeError, match=r"book\.csv: " + message):
        imported(open_tardis, _files(tmp_path, book=text), out)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["book.csv"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"tick": Decimal(1), "lot": Decimal(1)},
            r"line 2: expected a multiple of tick 1, found 6425.5",
        ),
        (
            {"tick": Decimal("0.5"), "lot": Decimal(20)},
            r"line 4: expected a multiple of lot 20, found 1e1",
        ),
    ],
)
def test_a_wrong_grid_is_refused(tmp_path: Path, options: dict[str, object], message: str) -> None:
    """A tick or a lot that is given is not bent to the data."""
    with pytest.raises(TapeError, match=message):
        imported(open_tardis, _files(tmp_path, book=_BOOK), tmp_path / "x.tape.parquet", **options)
