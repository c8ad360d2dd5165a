"""The exact path's arithmetic and lookups; its messages are tested with the codec."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.binance_spot.exact_decode import decode_exact, decode_snapshot_exact, fold
from mmd.core.instrument import Instrument
from mmd.core.market.record import DIFF, MARKET, SNAPSHOT
from mmd.core.units import InstrumentId
from mmd.errors import CodecError
from mmd.jit.kernel import new

NICKEL = Instrument(
    id=InstrumentId(4),
    venue="binance",
    symbol="币安USDT",
    base="币安",
    quote="USDT",
    settle="USDT",
    tick_size=Decimal("0.05"),
    lot_size=Decimal("0.001"),
)
MARKET_REC = new(MARKET)


def book(price: str, size: str) -> bytes:
    """A snapshot of one bid."""
    return f'{{"lastUpdateId": 5, "bids": [["{price}", "{size}"]], "asks": []}}'.encode()


@given(ticks=st.integers(0, 10**14), lots=st.integers(0, 10**14), exponent=st.integers(-9, 9))
def test_any_spelling_of_a_number_on_the_grid_is_exact(ticks, lots, exponent) -> None:
    """Plain, scaled by an exponent, with trailing zeros and signs."""
    price, size = ticks * NICKEL.tick_size, lots * NICKEL.lot_size
    spelled = f"{price.scaleb(-exponent):f}E{exponent}", f"+{size:f}000"
    decode_snapshot_exact(book(*spelled), MARKET_REC, NICKEL)
    assert (MARKET_REC["px"][0, 0, 0], MARKET_REC["sz"][0, 0, 0]) == (ticks, lots)
    assert (MARKET_REC["kind"][0], MARKET_REC["instrument"][0]) == (SNAPSHOT, 4)


@pytest.mark.parametrize(
    "price",
    [
        "0.07",
        "1.000000000000000000000000000000000001",
        "-0.05",
        "1e40",
        "1e-40",
        "Infinity",
        "1_0",
        "٣",
        "",
        "9" * 90,
    ],
)
def test_price_that_is_no_number_of_ticks_is_refused(price) -> None:
    """However close, large or strange."""
    with pytest.raises(CodecError, match=r"expected a multiple of tick 0\.05"):
        decode_snapshot_exact(book(price, "1"), MARKET_REC, NICKEL)


def test_symbol_outside_ascii_is_found_by_its_bytes() -> None:
    """Letters of ASCII in any case, others as they are, escaped or not."""
    by_symbol = {fold(NICKEL.symbol): NICKEL}
    for symbol in ("币安USDT", "币安usdt", "\\u5e01\\u5b89USDT"):
        frame = f'{{"e":"depthUpdate","E":1,"s":"{symbol}","U":1,"u":2,"b":[],"a":[]}}'
        assert decode_exact(frame.encode(), MARKET_REC, by_symbol) == DIFF


@pytest.mark.parametrize(
    "text",
    ["[]", "1", '{"stream":5}', '{"e":"\\ud800"', '"\\', "\xff", '{"stream":"a@depth","data":[]}'],
)
def test_json_of_another_shape_is_refused(text) -> None:
    """Arrays, numbers, wrong types, broken escapes."""
    with pytest.raises(CodecError):
        decode_exact(text.encode("latin-1"), MARKET_REC, {fold(NICKEL.symbol): NICKEL})


def test_remnants_of_a_finer_tick_are_left_out_away_from_the_touch(mmd):
    """A snapshot keeps its first 20 levels whole; a diff may take a remnant away, but not put one there."""
    market = new(MARKET)
    bids = [[f"{100 - k}.00", "1.000"] for k in range(20)]
    deep = [["50.005", "7.000"], ["50.00", "2.000"]]
    body = {"lastUpdateId": 9, "bids": bids + deep, "asks": []}
    decode_snapshot_exact(msgspec.json.encode(body), market, mmd)
    m = market[0]
    assert m["n"].tolist() == [21, 0]
    assert (int(m["px"][0, 20]), int(m["sz"][0, 20])) == (5_000, 2_000)
    with pytest.raises(
        CodecError, match=r"snapshot bid 0 MMDUSDT: expected a multiple of tick 0\.01"
    ):
        decode_snapshot_exact(msgspec.json.encode(body | {"bids": deep}), market, mmd)
    known = {b"mmdusdt": mmd}
    diff = {"e": "depthUpdate", "E": 1, "s": "MMDUSDT", "U": 1, "u": 1, "a": []}
    gone = {"b": [["50.005", "0.000"], ["50.00", "0.000"]]}
    decode_exact(msgspec.json.encode(diff | gone), market, known)
    assert (market["n"][0].tolist(), int(market["px"][0][0, 0])) == ([1, 0], 5_000)
    for size in ("1.000", "0.0001"):
        with pytest.raises(CodecError, match="diff bid 0 MMDUSDT: expected a multiple of tick"):
            decode_exact(msgspec.json.encode(diff | {"b": [["50.005", size]]}), market, known)
