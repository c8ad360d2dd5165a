"""Binance's public CSV: spot and futures spellings, milliseconds and microseconds, zip or not."""

import gzip
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from mmd.core.instrument import Kind
from mmd.core.market.record import TOP, TRADE
from mmd.errors import TapeError
from mmd.tape.importers.binance_csv import open_binance_csv
from tests.tapes import all_rows, imported

_SPOT_AGGREGATES = """\
100,0.20000000,50.00000000,7,9,1608872400000,False,True
101,0.21000000,25.00000000,10,10,1608872400001,True,True
"""
_FUTURES_TRADES = """\
id,price,qty,quote_qty,time,is_buyer_maker
5,100.5,2,201,1735689600010866,true
6,101.0,4,404,1735689600010999,false
"""
_TICKER = """\
update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time
900,100.0,6,100.5,2,1735689600010,1735689600012
905,100.5,2,101.0,8,1735689600011,1735689600013
"""


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name.replace(".zip", ".csv"), text)
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def _columns(rows, *names: str) -> list[tuple[int, ...]]:
    return list(zip(*(rows[name].tolist() for name in names), strict=True))


def test_spot_aggregates(tmp_path: Path) -> None:
    """No column names, milliseconds; first and last trade id of each; the maker's side turned round."""
    file = _file(tmp_path, "ETHBTC-aggTrades-2020-12-25.csv", _SPOT_AGGREGATES)
    _, tape = imported(open_binance_csv, [file], tmp_path / "x.tape.parquet")
    rows = all_rows(tape)
    assert _columns(rows, "kind", "first", "last", "side", "price_ticks", "qty_lots") == [
        (TRADE, 7, 9, 0, 20, 2),
        (TRADE, 10, 10, 1, 21, 1),
    ]
    assert rows["ts_event_ns"].tolist() == [1_608_872_400_000_000_000, 1_608_872_400_001_000_000]
    at = tape.header.instrument
    assert (at.symbol, at.base, at.quote, at.tick_size, at.lot_size) == (
        "ETHBTC",
        "ETH",
        "BTC",
        Decimal("0.01"),
        Decimal(25),
    )


def test_futures_trades_with_tickers(tmp_path: Path) -> None:
    """Column names, microseconds for trades, the ticker's update ids after an empty book."""
    trades = _file(tmp_path, "BTCUSD_PERP-trades-2025-01-01.zip", _FUTURES_TRADES)
    ticker = _file(tmp_path, "BTCUSD_PERP-bookTicker-2025-01-01.zip", _TICKER)
    _, tape = imported(open_binance_csv, [ticker, trades], tmp_path / "x.tape.parquet")
    rows = all_rows(tape)
    assert rows["kind"].tolist() == [1, TOP, TOP, TRADE, TRADE, TOP, TOP]
    assert rows["last"].tolist()[:3] == [899, 900, 900]
    assert tape.header.has_sequence
    assert tape.header.instrument.kind is Kind.INVERSE


@pytest.mark.parametrize("suffix", [".csv", ".zip", ".csv.gz"])
@pytest.mark.parametrize(
    "names", ["", "id,price,qty,quote_qty,time,is_buyer_maker,is_best_match\n"]
)
@pytest.mark.parametrize(
    ("stamps", "expected_ns"),
    [
        (
            ("1735603200123", "1735603200124"),
            (1_735_603_200_123_000_000, 1_735_603_200_124_000_000),
        ),
        (
            ("1735689600123456", "1735689600123457"),
            (1_735_689_600_123_456_000, 1_735_689_600_123_457_000),
        ),
    ],
    ids=["2024", "2025"],
)
def test_spot_trades_however_they_come(
    tmp_path: Path, suffix: str, names: str, stamps: tuple[str, str], expected_ns: tuple[int, int]
) -> None:
    """Milliseconds until 2024, microseconds since; with column names or without; plain, in a zip, or compressed."""
    text = f"{names}11,93576.0,0.5,46788.0,{stamps[0]},True,True\n12,93575.5,1.5,140363.25,{stamps[1]},False,True\n"
    file = _file(tmp_path, f"BTCUSDT-trades-2025-01-01{suffix}", text)
    _, tape = imported(open_binance_csv, [file], tmp_path / "x.tape.parquet")
    rows = all_rows(tape)
    assert _columns(rows, "kind", "first", "side", "price_ticks", "qty_lots") == [
        (TRADE, 11, 1, 187_152, 1),
        (TRADE, 12, 0, 187_151, 3),
    ]
    assert tuple(rows["ts_event_ns"].tolist()) == expected_ns
    assert tape.header.instrument.kind is Kind.SPOT


_BAD = {
    "kind": ("BTCUSDT-bookDepth-2024-01-01.csv", "x", r"expected a file named like .*, found 'bookDepth'"),
    "name": ("data.csv", "x", r"expected a file named like"),
    "columns": ("BTCUSDT-trades-2024-01-01.csv", "1,2,3\n", r"line 1: expected 6 columns of trades, found 3"),
    "flag": ("BTCUSDT-trades-2024-01-01.csv", "1,2,3,6,1608872400000,maybe\n", r"line 1: .*'maybe'"),
    "empty": ("BTCUSDT-trades-2024-01-01.csv", "", r"found an empty file"),
    "names only": ("BTCUSDT-trades-2024-01-01.csv", "id,price,qty,quote_qty,time,is_buyer_maker\n", r"expected market data, found none"),
    "shuffled": ("BTCUSDT-trades-2024-01-01.csv", "1,2,3,6,1608872409000,true\n2,2,3,6,1608872400000,true\n", r"line 2: expected times in order"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(_BAD))
def test_broken_files_are_refused(tmp_path: Path, name: str) -> None:
    """By file and line; nothing is left behind."""
    file, text, message = _BAD[name]
    out = tmp_path / "x.tape.parquet"
    with pytest.raises(TapeError, match=message):
        imported(open_binance_csv, [_file(tmp_path, file, text)], out)
    assert not out.exists()


def test_trades_are_told_once(tmp_path: Path) -> None:
    """Trades and aggTrades of a day are the same trades; two symbols are two tapes."""
    names = (
        "ETHBTC-aggTrades-2020-12-25.csv",
        "ETHBTC-trades-2020-12-25.csv",
        "BTCUSDT-trades-2020-12-25.csv",
    )
    files = [_file(tmp_path, name, _SPOT_AGGREGATES) for name in names]
    with pytest.raises(TapeError, match="they tell the same trades"):
        imported(open_binance_csv, files[:2], tmp_path / "x.tape.parquet")
    with pytest.raises(TapeError, match="expected files of one symbol, found BTCUSDT, ETHBTC"):
        imported(open_binance_csv, files[1:], tmp_path / "x.tape.parquet")
