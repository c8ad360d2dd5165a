"""Binance recordings as normalised actions: spot and futures, what is ignored, what is refused."""

import gzip
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from adapters.binance_spot.raw_tape import actions, infer_instrument, split_symbol, steps
from mmd.core.units import Side
from mmd.errors import TapeError
from mmd.exchange.tape_actions import TapeDiff, TapeSnapshot, TapeTrade
from tests.recordings import recording

_SPOT = """\
1 {"stream":"abcusdt@bookTicker","data":{"u":7,"s":"ABCUSDT","b":"1.000000001","B":"1","a":"2","A":"1"}}
2 {"lastUpdateId":10,"bids":[["1.20","3.000"]],"asks":[["1.25","0.500"]]}
3 {"stream":"abcusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"ABCUSDT","U":11,"u":13,"b":[["1.20000000","0.000"]],"a":[]}}
4 {"stream":"abcusdt@trade","data":{"e":"trade","E":1,"s":"ABCUSDT","t":5,"p":"1.25","q":"0.250","T":1,"m":false,"M":true}}
"""
_FUTURES = """\
1 {"stream":"abcusd_perp@depth@0ms","data":{"e":"depthUpdate","E":1,"T":1,"s":"ABCUSD_PERP","ps":"ABCUSD","U":500,"u":600,"pu":450,"b":[["10.5","3"]],"a":[]}}
2 {"stream":"abcusd_perp@markPrice@1s","data":{"e":"markPriceUpdate","E":1,"s":"ABCUSD_PERP","p":"10.123","r":"0.1","T":2}}
3 {"stream":"abcusd_perp@trade","data":{"e":"trade","E":1,"T":1,"s":"ABCUSD_PERP","t":6,"p":"10.5","q":"2","X":"MARKET","m":true}}
4 {"stream":"abcusd_perp@trade","data":{"e":"trade","E":1,"T":1,"s":"ABCUSD_PERP","t":7,"p":"0.001","q":"2","X":"INSURANCE_FUND","m":true}}
"""


def _file(folder: Path, text: str) -> Path:
    path = folder / "tape.txt"
    path.write_text(text)
    return path


def test_spot_frames_become_actions(tmp_path: Path) -> None:
    """Snapshot, diff and trade in ticks and lots of the inferred grid; bookTicker is not used."""
    path = _file(tmp_path, _SPOT)
    at = infer_instrument([path])
    assert (at.symbol, at.base, at.quote) == ("ABCUSDT", "ABC", "USDT")
    assert (at.tick_size, at.lot_size) == (Decimal("0.05"), Decimal("0.25"))
    assert list(actions([path], at)) == [
        TapeSnapshot(2000, 10, [(24, 12)], [(25, 2)]),
        TapeDiff(3000, 11, 13, 10, [(24, 0)], []),
        TapeTrade(4000, 5, Side.BUY, 25, 1),
    ]


def test_futures_frames_chain_by_pu_and_drop_trades_off_the_book(tmp_path: Path) -> None:
    """Ids jump on futures: the diff before ended at pu. Insurance fund trades are no market trades."""
    path = _file(tmp_path, _FUTURES)
    at = infer_instrument([path])
    assert (at.symbol, at.base, at.quote, at.lot_size) == ("ABCUSD_PERP", "ABC", "USD", Decimal(1))
    assert list(actions([path], at)) == [
        TapeDiff(1000, 451, 600, 450, [(1, 3)], []),
        TapeTrade(3000, 6, Side.SELL, 1, 2),
    ]


def test_a_number_off_the_grid_is_refused(tmp_path: Path) -> None:
    """A tick that changed within a recording is not rounded away."""
    path = _file(tmp_path, _SPOT)
    at = msgspec.structs.replace(infer_instrument([path]), tick_size=Decimal("0.5"))
    with pytest.raises(TapeError, match=r"1\.20 is not a multiple"):
        list(actions([path], at))


@pytest.mark.parametrize(
    ("text", "scale", "step", "expected"),
    [("61773.6", 1, 1, 617736), ("0.00100000", 3, 1, 1), ("12", 2, 25, 48), ("0", 8, 1, 0)],
)
def test_texts_become_steps(text: str, scale: int, step: int, expected: int) -> None:
    """Exact integers, whatever zeros were written."""
    assert steps(text, scale, step) == expected


@pytest.mark.parametrize("text", ["1.2345", "1e-3", "", "x", "-"])
def test_bad_numbers_are_refused(text: str) -> None:
    """Off the grid or no number."""
    with pytest.raises(TapeError):
        steps(text, 2, 1)


def test_frames_that_are_not_binance_json_are_refused(tmp_path: Path) -> None:
    """A frame of the wrong shape names its time."""
    path = _file(tmp_path, '5 {"stream":"x@depth","data":{"U":"one"}}\n')
    with pytest.raises(TapeError, match=r"5000 ns is not Binance JSON"):
        infer_instrument([path])


def test_two_symbols_in_one_recording_are_refused(tmp_path: Path) -> None:
    """The sandbox serves one instrument: say which were found."""
    other = _SPOT.replace("ABCUSDT", "XYZUSDT").replace("abcusdt", "xyzusdt")
    with pytest.raises(TapeError, match="ABCUSDT, XYZUSDT"):
        infer_instrument([_file(tmp_path, _SPOT + other)])


@pytest.mark.parametrize(
    ("symbol", "pair"),
    [
        ("NEXOUSDT", ("NEXO", "USDT")),
        ("BTCUSD_PERP", ("BTC", "USD")),
        ("ETHBTC", ("ETH", "BTC")),
        ("BTCFDUSD", ("BTC", "FDUSD")),
    ],
)
def test_symbols_split_by_known_quotes(symbol: str, pair: tuple[str, str]) -> None:
    """The longest suffix wins."""
    assert split_symbol(symbol) == pair


def test_unknown_quotes_are_refused() -> None:
    """No guessing."""
    with pytest.raises(TapeError):
        split_symbol("ABCXYZ")


@pytest.mark.parametrize(
    ("name", "tick", "lot"),
    [
        ("binance-spot-nexousdt/nexousdt_20240723.dat.gz", "0.001", "0.01"),
        ("binance-raw/usdm-btcusdt-20230404.gz", "0.1", "0.001"),
    ],
)
def test_grids_of_real_recordings(name: str, tick: str, lot: str, tmp_path: Path) -> None:
    """The first 3,000 lines are enough for the venue's own tick and lot."""
    with gzip.open(recording(name), "rt") as whole:
        text = "".join(line for line, _ in zip(whole, range(3000), strict=False))
    at = infer_instrument([_file(tmp_path, text)])
    assert (at.tick_size, at.lot_size) == (Decimal(tick), Decimal(lot))
