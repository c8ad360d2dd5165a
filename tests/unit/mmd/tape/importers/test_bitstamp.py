"""Bitstamp's log: orders followed, executions told from cancels, aggressors found; and the real log."""

import json
import lzma
from itertools import islice
from pathlib import Path

import pytest

from mmd.core.market.record import DIFF, SNAPSHOT, TRADE
from mmd.errors import TapeError
from mmd.tape.format import (
    AGGRESSOR_KNOWN,
    ORDER_ADD,
    ORDER_DELETE,
    ORDER_EXECUTE,
    ORDER_MODIFY,
)
from mmd.tape.importers.bitstamp import open_bitstamp
from tests.recordings import recording
from tests.tapes import all_rows, books, imported


def _order(ms: int, what: str, number: int, price: str, amount: str, kind: int) -> str:
    body = {"price": price, "amount": amount, "datetime": "1", "id": number, "order_type": kind}
    return f"{ms} order_{what} {json.dumps(body)}\n"


_LOG = (
    _order(1000, "created", 71, "236.47", "2.00000000", 0)
    + _order(1001, "deleted", 60, "236.40", "0.00000000", 1)  # from before the log
    + _order(1002, "created", 72, "236.47", "0.50000000", 1)  # takes half a coin of 71
    + _order(1003, "changed", 71, "236.47", "1.50000000", 0)
    + _order(1004, "deleted", 72, "236.47", "0.00000000", 1)
    + '1005 trade {"price": 236.47, "amount": 0.50000000000000011, "id": 811}\n'
    + '1006 order_book {"bids": [["236.47", "1.50000000"]], "asks": [["236.50", "1.00000000"]]}\n'
    + _order(1007, "changed", 71, "236.40", "1.50000000", 0)
    + '1008 order_book {"bids": [["236.40", "1.50000000"]], "asks": [["236.50", "1.00000000"]]}\n'
    + _order(1009, "deleted", 71, "236.40", "1.50000000", 0)
    + '1010 trade {"price": 236.4, "amount": 9, "id": 812}\n'
)


def _import(folder: Path, text: str):
    path = folder / "log.xz"
    path.write_bytes(lzma.compress(text.encode()))
    return imported(open_bitstamp, [path], folder / "x.tape.parquet")


def test_orders_trades_and_books(tmp_path: Path) -> None:
    """Who stands where; the seller came later, so he is the aggressor; a trade of no known orders has none."""
    made, tape = _import(tmp_path, _LOG)
    rows = all_rows(tape)
    lots_per_coin = int(1 / tape.header.instrument.lot_size)
    half = lots_per_coin // 2
    found = [
        tuple(r)
        for r in rows[["kind", "order_id", "side", "price_ticks", "qty_lots"]].tolist()
        if r[0] >= ORDER_ADD or r[0] == TRADE
    ]
    scale = int(1 / tape.header.instrument.tick_size) / 100
    at = {p: int(p * scale) for p in (23_647, 23_640)}
    assert found == [
        (ORDER_ADD, 71, 0, at[23_647], 4 * half),
        (ORDER_ADD, 72, 1, at[23_647], half),
        (ORDER_EXECUTE, 71, 0, at[23_647], half),
        (ORDER_EXECUTE, 72, 1, at[23_647], half),
        (TRADE, 0, 1, at[23_647], half),
        (ORDER_MODIFY, 71, 0, at[23_640], 3 * half),
        (ORDER_DELETE, 71, 0, at[23_640], 3 * half),
        (TRADE, 0, 0, at[23_640], 18 * half),
    ]
    known = rows[rows["kind"] == TRADE]["flags"] & AGGRESSOR_KNOWN
    assert known.tolist() == [AGGRESSOR_KNOWN, 0]
    assert [int(f["kind"][0]) for f, _ in books(rows)] == [SNAPSHOT, DIFF]
    assert made.left_out == {"events of orders from before the log": 1}
    assert rows["ts_recv_ns"][0] == 1_000_000_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_LOG + "1011 order_lost {}\n", r"line 12: expected order_created.*found 'order_lost'"),
        (_LOG.replace('"order_type": 0', '"order_type": 7', 1), r"line 1: expected an order_type"),
        (_LOG.replace('"236.47"', '"high"', 1), r"line 1: expected a decimal number, found 'high'"),
        (_LOG.replace("1006 order_book {", "1006 order_book {{"), r"line 7: .*"),
        (_LOG.replace('"id": 811', '"no": 811'), r"line 6: .*id"),
        ("soon order_book {}\n", r"line 1: expected '<local ms> <kind> <json>'"),
        (_LOG.replace("1009 order", "1000000 order"), r"line 11: expected times in order"),
        (_LOG.replace('"236.50", "1.00000000"]]}\n1009', '"236.30", "1.00000000"]]}\n1009'), r"line 9: expected the best bid below"),
    ],
)  # fmt: skip
def test_broken_logs_are_refused(tmp_path: Path, text: str, message: str) -> None:
    """By line; nothing is left behind."""
    with pytest.raises(TapeError, match=r"log\.xz: " + message):
        _import(tmp_path, text)
    assert [p.name for p in tmp_path.iterdir()] == ["log.xz"]


def test_the_real_log_keeps_its_books_and_orders(tmp_path: Path) -> None:
    """The first 20,000 lines: every order_book message is the tape's book, and the order rows' sizes add up."""
    with lzma.open(recording("bitstamp-l3/btcusd-20150501-first16h.log.xz"), "rt") as log:
        lines = list(islice(log, 20_000))
    _, tape = _import(tmp_path, "".join(lines))
    at, rows = tape.header.instrument, all_rows(tape)
    pictures = []
    for line in lines:
        _, kind, body = line.split(" ", 2)
        if kind == "order_book":
            book = json.loads(body)
            picture = tuple(dict(book[side]) for side in ("bids", "asks"))
            if not pictures or pictures[-1] != picture:
                pictures.append(picture)
    found = [
        tuple({f"{at.price(p):.2f}": f"{at.qty(q):.8f}" for p, q in side.items()} for side in book)
        for _, book in books(rows)
    ]
    assert found == pictures
    left: dict[int, int] = {}
    orders = rows[rows["kind"] >= ORDER_ADD]
    for kind, number, lots in orders[["kind", "order_id", "qty_lots"]].tolist():
        if kind in (ORDER_ADD, ORDER_MODIFY):
            left[number] = lots
        else:
            left[number] -= lots
            assert left[number] >= 0
