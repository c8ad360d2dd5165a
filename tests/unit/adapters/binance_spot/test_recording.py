"""Raw Binance frames as tapes: the documented snapshot procedure, gaps, both products; and every real recording."""

import gzip
import json
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest

from adapters.binance_spot.recording import open_recording
from mmd.core.instrument import Kind
from mmd.core.market.record import DIFF, SNAPSHOT, TOP, TRADE
from mmd.errors import TapeError
from mmd.tape.format import AFTER_GAP
from tests.recordings import recording
from tests.tapes import all_rows, books, imported

_T = 1_723_161_250_000_000


def _frame(us: int, stream: str, **data: object) -> str:
    body = json.dumps({"stream": f"abcusdt@{stream}", "data": data}, separators=(",", ":"))
    return f"{_T + us} {body}\n"


def _diff(us: int, first: int, last: int, bids=(), asks=(), **more: object) -> str:
    ids = {"e": "depthUpdate", "E": _T // 1000, "s": "ABCUSDT", "U": first, "u": last}
    return _frame(us, "depth@100ms", **ids, **more, b=list(bids), a=list(asks))


def _trade(us: int, number: int, **more: object) -> str:
    fields = {"e": "trade", "E": _T // 1000, "s": "ABCUSDT", "t": number, "p": "1.25", "q": "0.50"}
    return _frame(us, "trade", **fields, **more, m=True)


def _snapshot(us: int, last: int, bid: str = "1.20", ask: str = "1.30") -> str:
    body = {"lastUpdateId": last, "bids": [[bid, "3.0"]], "asks": [[ask, "0.5"]]}
    return f"{_T + us} {json.dumps(body)}\n"


def _import(folder: Path, *texts: str, **options: object):
    paths = []
    for n, text in enumerate(texts):
        paths.append(folder / f"raw{n}.gz")
        paths[-1].write_bytes(gzip.compress(text.encode()))
    return imported(open_recording, paths, folder / "x.tape.parquet", **options)


def _kinds(tape) -> list[tuple[int, int]]:
    """Kind and update id of every book frame."""
    return [(int(f["kind"][0]), int(f["last"][0])) for f, _ in books(all_rows(tape))]


def test_diffs_wait_for_the_snapshot_that_they_reach_past(tmp_path: Path) -> None:
    """11 is in the snapshot; 12..13 reaches past it although it came before; trades wait for nothing."""
    text = (
        _diff(0, 10, 11, [["1.10", "9.0"]])
        + _trade(1, 5)
        + _diff(2, 12, 13, [["1.15", "1.0"]])
        + _snapshot(3, 12)
        + _diff(4, 14, 14, asks=[["1.30", "0.0"], ["1.35", "2.5"]])
    )
    made, tape = _import(tmp_path, text)
    assert _kinds(tape) == [(SNAPSHOT, 12), (DIFF, 13), (DIFF, 14)]
    rows = all_rows(tape)
    assert rows["kind"][0] == TRADE
    *_, (_, (bids, asks)) = books(rows)
    assert (bids, asks) == ({24: 6, 23: 2}, {27: 5})
    assert made.left_out == {"diffs that no snapshot joins": 1}
    at = tape.header.instrument
    assert (at.symbol, at.tick_size, at.lot_size, at.kind) == (
        "ABCUSDT",
        Decimal("0.05"),
        Decimal("0.5"),
        Kind.SPOT,
    )


def test_without_a_snapshot_the_book_begins_empty(tmp_path: Path) -> None:
    """It is said so, and the chain is kept."""
    made, tape = _import(
        tmp_path, _diff(0, 10, 11, [["1.1", "1"]]) + _diff(1, 12, 12, [], [["1.2", "1"]])
    )
    assert _kinds(tape) == [(SNAPSHOT, 9), (DIFF, 11), (DIFF, 12)]
    assert [book for _, book in books(all_rows(tape))] == [
        ({}, {}),
        ({11: 1}, {}),
        ({11: 1}, {12: 1}),
    ]
    assert list(made.left_out) == ["(no snapshot: the book fills up from its diffs)"]


def test_a_gap_waits_for_the_next_snapshot(tmp_path: Path) -> None:
    """Marked where it is bridged; a snapshot that the diffs already tell is left out."""
    text = (
        _snapshot(0, 10)
        + _diff(1, 11, 11, [["1.15", "1.0"]])
        + _snapshot(2, 11)
        + _diff(3, 20, 20, [["1.10", "1.0"]])
        + _snapshot(4, 20, bid="1.15")
        + _diff(5, 21, 21, [["1.10", "2.0"]])
    )
    made, tape = _import(tmp_path, text)
    assert _kinds(tape) == [(SNAPSHOT, 10), (DIFF, 11), (SNAPSHOT, 20), (DIFF, 21)]
    rows = all_rows(tape)
    assert rows[(rows["flags"] & AFTER_GAP) != 0]["last"].tolist() == [20]
    assert made.left_out["snapshots that the diffs already tell"] == 1


def test_a_gap_without_a_further_snapshot_stays_on_tape(tmp_path: Path) -> None:
    """The diff after it is marked, and validation counts it."""
    text = (
        _snapshot(0, 10) + _diff(1, 11, 11, [["1.15", "1.0"]]) + _diff(2, 15, 15, [["1.10", "1.0"]])
    )
    made, tape = _import(tmp_path, text)
    assert _kinds(tape)[-1] == (DIFF, 15)
    assert {f.issue.name: f.times for f in made.findings}["sequence_gap"] == 1


def test_futures_chain_by_pu_and_leave_out_trades_off_the_book(tmp_path: Path) -> None:
    """Ids jump; insurance fund and ADL trades are not the book's; files follow each other."""
    first = _snapshot(0, 600) + _diff(1, 590, 700, [["1.15", "1.0"]], pu=580)
    second = (
        _diff(2, 750, 800, [["1.10", "1.0"]], pu=700)
        + _trade(3, 8, X="INSURANCE_FUND")
        + _trade(4, 9, X="MARKET")
        + _frame(5, "markPrice@1s", e="markPriceUpdate", s="ABCUSDT", p="1.2345678")
        + _frame(
            6,
            "bookTicker",
            e="bookTicker",
            u=810,
            s="ABCUSDT",
            b="1.20",
            B="3.0",
            a="1.30",
            A="0.5",
            T=1,
            E=_T // 1000,
        )
    )
    made, tape = _import(tmp_path, first, second)
    assert _kinds(tape) == [(SNAPSHOT, 600), (DIFF, 700), (DIFF, 800), (TOP, 810)]
    assert all_rows(tape)["first"][all_rows(tape)["kind"] == TRADE].tolist() == [9]
    assert tape.header.instrument.kind is Kind.LINEAR
    assert made.left_out == {
        "trades off the book (insurance fund, ADL)": 1,
        "markPrice@1s frames": 1,
    }


_GOOD = _snapshot(0, 10) + _diff(1, 11, 11, [["1.15", "1.0"]]) + _diff(2, 12, 12, [["1.10", "1.0"]])
_BAD = {
    "no time": (_GOOD + "{}\n", r"line 4: expected '<local time in us or ns> <json>'"),
    "no json": (_GOOD + f"{_T} hello\n", r"line 4: expected a JSON text"),
    "cut json": (_GOOD + f'{_T} {{"stream":"a@depth","data":{{"U":}}}}\n', r"line 4: expected a Binance frame"),
    "shuffled": ("".join(_GOOD.splitlines(keepends=True)[n] for n in (0, 2, 1)), r"expected update ids that grow|expected every diff"),
    "late": (_GOOD + _trade(-5_000_000, 1), r"line 4: expected times in order"),
    "crossed": (_GOOD + _diff(3, 13, 13, [["1.30", "1.0"]]), r"line 4: expected the best bid below the best ask"),
    "two symbols": (_GOOD + _GOOD.replace("ABCUSDT", "XYZUSDT"), r"expected depth or trade frames of one symbol, found ABCUSDT, XYZUSDT"),
    "no symbol": (_snapshot(0, 1), r"expected depth or trade frames of one symbol, found none"),
    "empty": ("", r"found an empty file"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(_BAD))
def test_broken_recordings_are_refused(tmp_path: Path, name: str) -> None:
    """By file and line; nothing is left behind."""
    text, message = _BAD[name]
    if name == "shuffled":  # the diff that came too early is a gap, the one after it goes back
        text = (
            _GOOD.splitlines(keepends=True)[0]
            + _diff(1, 11, 11)
            + _diff(2, 13, 13)
            + _diff(3, 12, 12)
        )
    with pytest.raises(TapeError, match=message):
        _import(tmp_path, text)
    assert [p.name for p in tmp_path.iterdir()] == ["raw0.gz"]


def test_a_cut_recording_is_refused(tmp_path: Path) -> None:
    """Its last bytes are missing."""
    path = tmp_path / "raw.gz"
    path.write_bytes(gzip.compress(_GOOD.encode() * 50)[:-9])
    with pytest.raises(
        TapeError, match=r"raw.gz: expected a whole file, found it broken after line \d+"
    ):
        imported(open_recording, [path], tmp_path / "x.tape.parquet")


@pytest.mark.parametrize(
    ("options", "message"),
    [({"tick": Decimal("0.1")}, "1.15"), ({"tick": Decimal("0.25"), "lot": Decimal(1)}, "1.20")],
)
def test_a_wrong_tick_is_refused(tmp_path: Path, options: dict[str, object], message: str) -> None:
    """By line, with the price that is off it."""
    with pytest.raises(TapeError, match=rf"line \d: .*expected a multiple of tick .*{message}"):
        _import(tmp_path, _GOOD, **options)


def _naive_book(lines: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The documented procedure over text, in two dicts; diffs before the snapshot are kept for it."""
    kept: list[dict[str, object]] = []
    book: tuple[dict[str, str], dict[str, str]] = ({}, {})
    last = -1
    for line in lines:
        message = json.loads(line.split(" ", 1)[1])
        if "lastUpdateId" in message and last < 0:
            last = message["lastUpdateId"]
            for side, name in zip(book, ("bids", "asks"), strict=True):
                side.update((p, q) for p, q in message[name])
            pending, kept = kept, []
        elif message.get("data", {}).get("e") == "depthUpdate":
            pending = [message["data"]]
            if last < 0:
                kept.append(message["data"])
                continue
        else:
            continue
        for diff in pending:
            if diff["u"] <= last:
                continue
            last = diff["u"]
            for side, name in zip(book, ("b", "a"), strict=True):
                for price, size in diff[name]:
                    side.pop(price, None)
                    if float(size) > 0:
                        side[price] = size
    return book


@pytest.mark.parametrize(
    "name",
    [
        "binance-spot-nexousdt/nexousdt_20240723.dat.gz",
        "binance-raw/spot-btcusdt-20240808.gz",
        "binance-raw/usdm-ethusdt-20240808.gz",
        "binance-raw/coinm-btcusd_perp-20240808.gz",
    ],
)
def test_real_books_equal_a_naive_dict(name: str, tmp_path: Path) -> None:
    """The first 12,000 frames of real recordings: the last book, level by level, and no issue on the way."""
    with gzip.open(recording(name), "rt") as whole:
        lines = list(islice(whole, 12_000))
    made, tape = _import(tmp_path, "".join(lines))
    at = tape.header.instrument
    final = ({}, {})
    for frame, book in books(all_rows(tape)[all_rows(tape)["kind"] != TOP]):
        assert frame["kind"][0] in (SNAPSHOT, DIFF)
        final = book
    found = tuple({at.price(p): at.qty(q) for p, q in side.items()} for side in final)
    expected = tuple(
        {Decimal(p): Decimal(q) for p, q in side.items()} for side in _naive_book(lines)
    )
    assert found == expected
    assert [f.issue.name for f in made.findings] == []
