"""JSON files of Binance's messages: the snapshot's place among the diffs, both kinds of trades; and the real hour."""

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.binance_spot.json_messages import open_json_messages
from mmd.core.market.record import DIFF, SNAPSHOT, TRADE
from mmd.errors import TapeError
from tests.recordings import recording
from tests.tapes import all_rows, books, imported

_SNAPSHOT = {"lastUpdateId": 12, "bids": [["1.20", "3"]], "asks": [["1.30", "2"]]}
_DIFFS = [
    {
        "e": "depthUpdate",
        "E": 1000,
        "s": "ABCUSDT",
        "U": 10,
        "u": 11,
        "b": [["1.10", "9"]],
        "a": [],
    },
    {
        "e": "depthUpdate",
        "E": 2000,
        "s": "ABCUSDT",
        "U": 12,
        "u": 13,
        "b": [["1.20", "0"]],
        "a": [],
    },
    {
        "e": "depthUpdate",
        "E": 3000,
        "s": "ABCUSDT",
        "U": 14,
        "u": 14,
        "b": [["1.15", "1"]],
        "a": [],
    },
]
_TRADES = [
    {"e": "aggTrade", "E": 2000, "s": "ABCUSDT", "a": 1, "p": "1.20", "q": "3", "f": 5, "l": 7, "T": 1, "m": True, "M": True},
    {"e": "trade", "E": 2500, "s": "ABCUSDT", "t": 8, "p": "1.30", "q": "1", "T": 1, "m": False, "M": True},
]  # fmt: skip


def _import(folder: Path, *contents: object):
    files = []
    for n, content in enumerate(contents):
        files.append(folder / f"{n}.json")
        files[-1].write_text(json.dumps(content))
    return imported(open_json_messages, files, folder / "x.tape.parquet")


def test_three_files_become_one_tape(tmp_path: Path) -> None:
    """The snapshot stands before the first diff that reaches past it; trades come before their diff."""
    made, tape = _import(tmp_path, _DIFFS, _TRADES, _SNAPSHOT)
    rows = all_rows(tape)
    assert rows["kind"].tolist() == [TRADE, SNAPSHOT, SNAPSHOT, DIFF, TRADE, DIFF]
    assert [book for _, book in books(rows)] == [
        ({24: 3}, {26: 2}),
        ({}, {26: 2}),
        ({23: 1}, {26: 2}),
    ]
    assert rows["side"][rows["kind"] == TRADE].tolist() == [1, 0]
    assert made.left_out == {"diffs that the snapshot contains": 1}


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ([{"hello": 1}], "expected a depth snapshot or an array"),
        ([[{"e": "kline"}]], "expected a depth snapshot or an array"),
        ([_SNAPSHOT], "expected events of one symbol, found none"),
        ([_DIFFS, _SNAPSHOT, _SNAPSHOT], "expected one snapshot, found a second"),
        ([_DIFFS, [_TRADES[0] | {"s": "XYZUSDT"}]], "found ABCUSDT, XYZUSDT"),
        ([_DIFFS[::-1]], "event 2: expected update ids that grow"),
        (
            [[_DIFFS[0] | {"b": [["high", "1"]]}]],
            "event 1: expected a decimal number, found 'high'",
        ),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, contents: list[object], message: str) -> None:
    """By file and event; nothing is left behind."""
    with pytest.raises(TapeError, match=message):
        _import(tmp_path, *contents)
    assert not (tmp_path / "x.tape.parquet").exists()


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    """A gzip without its end."""
    path = tmp_path / "x.json.gz"
    path.write_bytes(gzip.compress(json.dumps(_DIFFS).encode())[:-9])
    with pytest.raises(TapeError, match="found it broken"):
        imported(open_json_messages, [path], tmp_path / "x.tape.parquet")


def test_the_real_hour_equals_a_naive_dict(tmp_path: Path) -> None:
    """The last book of the tape is what plain dicts of the files' own texts give."""
    files = [
        recording(f"binance-spot-ethbtc/20201101T09_{n}.json.gz")
        for n in ("snapshot", "update", "trades")
    ]
    made, tape = imported(open_json_messages, files, tmp_path / "x.tape.parquet")
    snapshot, diffs, _ = (json.loads(gzip.decompress(f.read_bytes())) for f in files)
    expected = tuple({Decimal(p): Decimal(q) for p, q in snapshot[n]} for n in ("bids", "asks"))
    for diff in diffs:
        if diff["u"] > snapshot["lastUpdateId"]:
            for side, name in zip(expected, "ba", strict=True):
                side.update((Decimal(p), Decimal(q)) for p, q in diff[name])
    at = tape.header.instrument
    *_, (_, final) = books(all_rows(tape))
    found = tuple({at.price(p): at.qty(q) for p, q in side.items()} for side in final)
    assert found == tuple({p: q for p, q in side.items() if q > 0} for side in expected)
    assert made.findings == []
