"""NBBO zips: one-sided rows joined into tops, trades without a side, days apart; and a real day."""

import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from mmd.core.market.record import SNAPSHOT, TOP, TRADE
from mmd.errors import TapeError
from mmd.tape.format import AGGRESSOR_KNOWN
from mmd.tape.importers.meter import Meter
from mmd.tape.importers.nbbo import open_nbbo
from mmd.tape.importers.text_lines import csv_rows
from tests.recordings import recording
from tests.tapes import all_rows, frames_of, imported

_QUOTES = (
    "34200000,138400,700,0,0,P,1,0\n34200000,0,0,139500,200,P,1,0\n34201000,138500,300,0,0,P,1,0\n"
)
_TRADES = "34200500,139500,100,P,20002020,0\n"


def _zip(folder: Path, kind: str, text: str, day: str = "20131007") -> Path:
    path = folder / f"{day}_{kind.lower()}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{day}_bac_{kind}_Tick.csv", text)
    return path


def _top(frame) -> tuple[tuple[int, int], ...]:
    return tuple(zip(frame["price_ticks"].tolist(), frame["qty_lots"].tolist(), strict=True))


def test_sides_join_into_tops(tmp_path: Path) -> None:
    """The last bid with the last ask; a side that has not come yet is empty; the trade in its place."""
    files = [_zip(tmp_path, "Quote", _QUOTES), _zip(tmp_path, "Trade", _TRADES)]
    _, tape = imported(open_nbbo, files, tmp_path / "x.tape.parquet")
    frames = list(frames_of(all_rows(tape)))
    assert [int(f["kind"][0]) for f in frames] == [SNAPSHOT, TOP, TOP, TRADE, TOP]
    assert [_top(f) for f in frames[1:]] == [
        ((1384, 7), (0, 0)),
        ((1384, 7), (1395, 2)),
        ((1395, 1),),
        ((1385, 3), (1395, 2)),
    ]
    assert frames[3]["flags"][0] & AGGRESSOR_KNOWN == 0
    nine_thirty_ns = 1_381_152_600 * 10**9  # 2013-10-07 09:30 in New York
    assert frames[1]["ts_event_ns"][0] == nine_thirty_ns
    at = tape.header.instrument
    assert (at.symbol, at.tick_size, at.lot_size) == ("BAC", Decimal("0.01"), Decimal(100))


def test_a_day_begins_without_yesterdays_quotes(tmp_path: Path) -> None:
    """Files may be given in any order; days follow each other."""
    files = [_zip(tmp_path, "Quote", _QUOTES, day) for day in ("20131008", "20131007")]
    _, tape = imported(open_nbbo, files, tmp_path / "x.tape.parquet")
    tops = [_top(f) for f in frames_of(all_rows(tape)) if f["kind"][0] == TOP]
    assert tops[3] == ((1384, 7), (0, 0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("34200000,138400,700\n", r"line 1: expected 8 columns of a quote, found 3"),
        (_QUOTES + "34199000,x,1,0,0,P,1,0\n", r"line 4: .*'x'"),
        (_QUOTES + "34100000,138400,700,0,0,P,1,0\n", r"line 4: expected times in order"),
        ("", r"expected lines of text, found an empty file"),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    """By zip and line; nothing is left behind."""
    out = tmp_path / "x.tape.parquet"
    with pytest.raises(TapeError, match=r"20131007_quote\.zip: " + message):
        imported(open_nbbo, [_zip(tmp_path, "Quote", text)], out)
    assert not out.exists()


def test_a_member_says_what_it_is(tmp_path: Path) -> None:
    """Its name has day, symbol and kind."""
    with pytest.raises(TapeError, match="expected a file named like 20131007_bac_Quote"):
        imported(open_nbbo, [_zip(tmp_path, "Depth", _QUOTES)], tmp_path / "x.tape.parquet")


def test_an_hour_of_a_real_day(tmp_path: Path) -> None:
    """Every quote row is a top whose changed side is that row's, in the real file's first 20,000 lines."""
    lines = csv_rows(recording("us-equities/bac/20131007_quote.zip"), Meter())
    kept = [row for _, row in (next(lines) for _ in range(20_000))]
    file = _zip(tmp_path, "Quote", "".join(",".join(row) + "\n" for row in kept))
    _, tape = imported(
        open_nbbo, [file], tmp_path / "x.tape.parquet", tick=Decimal("0.01"), lot=Decimal(1)
    )
    tops = [_top(f) for f in frames_of(all_rows(tape)) if f["kind"][0] == TOP]
    assert len(tops) == len([r for r in kept if r[1] != "0" or r[3] != "0"])
    best = [(0, 0), (0, 0)]
    for found, row in zip(tops, (r for r in kept if r[1] != "0" or r[3] != "0"), strict=True):
        for side, (price, size) in enumerate(((row[1], row[2]), (row[3], row[4]))):
            if price != "0":
                best[side] = (int(price) // 100, int(size))
        assert found == tuple(best)
