"""Gemini CSV: tops each second and trades by the maker's side; and the real day."""

from decimal import Decimal
from pathlib import Path

import pytest

from mmd.core.market.record import TOP, TRADE
from mmd.errors import TapeError
from mmd.tape.importers.gemini import open_gemini
from tests.recordings import recording
from tests.tapes import all_rows, imported

_QUOTES = """\
time_seconds,bid_price_bid_size,ask_price_ask_size
1625097600,2271.58_1.6477,2279.63_28.479526
1625097601,2271.58_1.6477,2279.86_11.74342
"""
_TRADES = """\
time_seconds,price,size,is_buyer_maker
1625097600.647,2278.15,0.0409,1
1625097601.5,2279.86,0.0008,0
"""


def _files(folder: Path, quotes: str = _QUOTES, trades: str = _TRADES) -> list[Path]:
    (folder / "bbo.csv").write_text(quotes)
    (folder / "trades.csv").write_text(trades)
    return [folder / "bbo.csv", folder / "trades.csv"]


def test_tops_and_trades_by_time(tmp_path: Path) -> None:
    """A buyer who is the maker was sold to."""
    _, tape = imported(open_gemini, _files(tmp_path), tmp_path / "x.tape.parquet")
    rows = all_rows(tape)[1:]
    assert rows["kind"].tolist() == [TOP, TOP, TRADE, TOP, TOP, TRADE]
    assert rows["side"].tolist() == [0, 1, 1, 0, 1, 0]
    assert rows["ts_event_ns"][2] == 1_625_097_600_647_000_000
    at = tape.header.instrument
    prices = [at.price(t) for t in rows["price_ticks"].tolist()]
    assert prices[:3] == [Decimal("2271.58"), Decimal("2279.63"), Decimal("2278.15")]
    assert [at.qty(q) for q in rows["qty_lots"].tolist()][:2] == [
        Decimal("1.6477"),
        Decimal("28.479526"),
    ]


@pytest.mark.parametrize(
    ("quotes", "trades", "message"),
    [
        (
            _QUOTES.replace("_1.6477", "-1.6477", 1),
            _TRADES,
            r"bbo.csv: line 2: expected price_size",
        ),
        (_QUOTES, _TRADES.replace(",1\n", ",2\n"), r"trades.csv: line 2: expected is_buyer_maker"),
        (
            _QUOTES,
            _TRADES.replace(",0\n", "\n"),
            r"trades.csv: line 3: expected 4 columns, found 3",
        ),
        ("price,size\n1,2\n", _TRADES, r"bbo.csv: line 1: expected time_seconds"),
        (
            _QUOTES.replace("1625097601", "1625097590"),
            _TRADES,
            r"bbo.csv: line 3: expected times in order",
        ),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, quotes: str, trades: str, message: str) -> None:
    """By file and line; nothing is left behind."""
    out = tmp_path / "x.tape.parquet"
    with pytest.raises(TapeError, match=message):
        imported(open_gemini, _files(tmp_path, quotes, trades), out)
    assert not out.exists()


def test_the_real_day_is_whole(tmp_path: Path) -> None:
    """As many tops and trades as lines, and no issue."""
    files = [recording(f"gemini-ethusd/20210701-{kind}.csv.gz") for kind in ("bbo", "trades")]
    made, tape = imported(
        open_gemini,
        files,
        tmp_path / "x.tape.parquet",
        tick=Decimal("0.01"),
        lot=Decimal("0.00000001"),
    )
    assert made.findings == []
    assert tape.header.counts.frames == {"snapshot": 1, "top": 72_180, "trade": 25_222}
