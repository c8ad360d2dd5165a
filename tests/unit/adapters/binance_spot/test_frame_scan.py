"""What the compiled scan leaves to the exact path: everything that is not the venue's usual spelling."""

import pytest

from adapters.binance_spot import frame_scan
from adapters.binance_spot.frame_fields import SCAN
from adapters.binance_spot.frame_scan import NO_TIME, event_ns
from mmd.core.market.record import DIFF, MARKET, PARTIAL, SNAPSHOT, TOP, TRADE
from mmd.jit.kernel import Rec, bind, new
from mmd.jit.places import places

MARKET_REC = new(MARKET)


def tables() -> Rec:
    """A scan record that knows one instrument with tick 0.01 and lot 0.001."""
    scan = new(SCAN)
    row = scan[0]
    row["n"] = 1
    row["grid"][0] = 2, 1, 3, 1
    row["symbol_len"][0] = 6
    row["symbol"][0, :6] = list(b"btcusd")
    return scan


SCAN_REC = tables()
PLACES = places(scan=SCAN_REC, market=MARKET_REC)
scan_frame = bind(frame_scan.scan_frame, PLACES, b"", 0, 0)
DIFF_FRAME = (
    '{"e":"depthUpdate","E":1723161255208,"s":"BTCUSD","U":1,"u":2,"b":[["1.5","2"]],"a":[]}'
)
TOP_FRAME = '{"u":2,"s":"BTCUSD","b":"1.50","B":"2.000","a":"1.51","A":"3.000"}'
TRADE_FRAME = '{"e":"trade","E":1,"s":"BTCUSD","t":5,"p":"1.50","q":"2","m":false}'
BOOK_FRAME = '{"lastUpdateId":9,"bids":[["1.5","2"]],"asks":[]}'


def scan(text: str, row: int = -1) -> int:
    """Kind of the frame, as the compiled scan sees it."""
    return scan_frame(PLACES, text.encode(), 5, row)


@pytest.mark.parametrize(
    ("frame", "kind"),
    [(DIFF_FRAME, DIFF), (TOP_FRAME, TOP), (TRADE_FRAME, TRADE)],
    ids=["diff", "top", "trade"],
)
def test_usual_spelling_is_read(frame, kind) -> None:
    """Bare, and in the wrapper of its own stream but of no other."""
    channel = {DIFF: "depth@100ms", TOP: "bookTicker", TRADE: "trade"}[kind]
    other = {DIFF: "trade", TOP: "depth", TRADE: "bookTicker"}[kind]
    assert scan(frame) == kind
    assert scan(f'{{"stream":"btcusd@{channel}","data":{frame}}}') == kind
    assert scan(f'{{"stream":"btcusd@{other}","data":{frame}}}') == 0
    assert scan(f'{{"stream":"ethusd@{channel}","data":{frame}}}') == 0


def test_books_are_read_where_the_instrument_is_known() -> None:
    """From the stream's name or from the caller, not from nothing."""
    assert scan(f'{{"stream":"btcusd@depth20","data":{BOOK_FRAME}}}') == PARTIAL
    assert scan(f'{{"stream":"btcusd@depth20@100ms","data":{BOOK_FRAME}}}') == PARTIAL
    assert scan(f'{{"stream":"btcusd@depth200","data":{BOOK_FRAME}}}') == 0
    assert scan(BOOK_FRAME, row=0) == SNAPSHOT
    assert scan(BOOK_FRAME) == 0


@pytest.mark.parametrize(
    ("old", "other"),
    [
        ('"E":', '"E": '),
        ('"U":1,', '"U":1,"U":1,'),
        ('"U":1', '"U":01'),
        ('"U":1', '"U":-1'),
        ('"U":1', '"U":1.0'),
        ('"U":1', '"U":3'),
        ("1.5", "1.505"),
        ("1.5", "1.5e0"),
        ("BTCUSD", "BTCUSDT"),
        ("BTCUSD", "BTCUS"),
        ('"u":2,', '"u":2,"x":[],'),
        ('"b":[', '"b":5,"b":['),
        ('"b":[', '"b":"5","b":['),
        ('"u":2,', '"u":2,"x":"\\"",'),
        ('"u":2,', '"u":2,"x":tru,'),
        ('"u":2,', '"u":2,"":1,"b"",'),
        ('"u":2,', '"u":2,"data":1,'),
        ('"u":2,', '"u":2,\x00'),
        ("]],", "],],"),
        ('"a":[]}', '"a":[]}}'),
        ('"a":[]}', '"a":[]} '),
        ('"a":[]}', '"a":[]'),
        ("1723161255208", "17231612552081"),
        ('"e":"depthUpdate"', '"e":"depth"'),
        ("{", "["),
    ],
)
def test_unusual_spelling_is_left_to_the_exact_path(old, other) -> None:
    """Whether right or wrong is not for the scan to say."""
    assert old in DIFF_FRAME
    assert scan(DIFF_FRAME.replace(old, other, 1)) == 0


@pytest.mark.parametrize(
    "extra", ['"T":1,', '"X":"MARKET",', '"M":true,', '"z":null,', '"ps":"BTC",', '"y":false,']
)
def test_foreign_scalars_are_passed_over(extra) -> None:
    """Fields of futures streams and of the future."""
    assert scan(DIFF_FRAME.replace('"U"', extra + '"U"', 1)) == DIFF


@pytest.mark.parametrize("cut", range(len(DIFF_FRAME)))
def test_frame_cut_short_anywhere_is_left_to_the_exact_path(cut) -> None:
    """What an earlier frame left in the buffer behind it is not read."""
    assert scan(DIFF_FRAME) == DIFF
    assert scan(DIFF_FRAME[:cut]) == 0


def test_event_time_is_told_by_magnitude() -> None:
    """13 digits are milliseconds, 16 microseconds, others neither."""
    assert event_ns(1723161255208) == 1723161255208_000_000
    assert event_ns(1723161255208123) == 1723161255208123_000
    assert event_ns(0) == 0
    assert event_ns(17231612552081) == event_ns(10**17) == event_ns(-1) == NO_TIME
