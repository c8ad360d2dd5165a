"""Binance spot market data: documented frames in, exact events out; anything else is refused in one line."""

from decimal import Decimal

import numpy as np
import pytest

from adapters.binance_spot import market_codec
from adapters.binance_spot.exact_decode import decode_exact, fold
from adapters.binance_spot.market_codec import MarketCodec
from mmd.core.instrument import Instrument
from mmd.core.market.record import (
    DIFF,
    LEVELS_MAX,
    MARKET,
    PARTIAL,
    SNAPSHOT,
    TOP,
    TRADE,
    pack,
    packed_view,
)
from mmd.core.units import InstrumentId, Side
from mmd.errors import CodecError
from mmd.jit.kernel import Rec, bind, new


def instrument(number: int, symbol: str, tick: str, lot: str) -> Instrument:
    """An instrument with this grid."""
    return Instrument(
        id=InstrumentId(number),
        venue="binance",
        symbol=symbol,
        base=symbol[:3],
        quote=symbol[3:],
        settle=symbol[3:],
        tick_size=Decimal(tick),
        lot_size=Decimal(lot),
    )


BTC = instrument(7, "BTCUSDT", "0.01", "0.00001")
ETH = instrument(3, "ETHUSDT", "0.05", "0.0001")
CODEC = MarketCodec([BTC, ETH])
ALONE = MarketCodec([BTC])
BY_SYMBOL = {fold(i.symbol): i for i in (BTC, ETH)}
SLOW = new(MARKET)
pack_bound = bind(pack, SLOW)

DIFF_BODY = (
    '{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":157,"u":160,'
    '"b":[["61737.63000000","0.00000000"],["61730.17","1.5"]],"a":[["61837.64000000","1.54698000"]]}'
)
TOP_BODY = '{"u":212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}'
TRADE_BODY = (
    '{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000",'
    '"q":"0.02000000","T":1723161255342,"m":true,"M":true}'
)
BOOK_BODY = '{"lastUpdateId":160,"bids":[["61837.63","3.78826"],["61837.62","0.617"]],"asks":[["61837.64","1.5"]]}'


def wrapped(stream: str, body: str) -> str:
    """A combined stream's frame."""
    return f'{{"stream":"{stream}","data":{body}}}'


FRAMES = {
    "diff": wrapped("btcusdt@depth@100ms", DIFF_BODY),
    "diff at 1 s": wrapped("btcusdt@depth", DIFF_BODY),
    "top": wrapped("btcusdt@bookTicker", TOP_BODY),
    "trade": wrapped("btcusdt@trade", TRADE_BODY),
    "partial": wrapped("btcusdt@depth20@100ms", BOOK_BODY),
    "bare diff": DIFF_BODY,
    "bare top": TOP_BODY,
    "bare trade": TRADE_BODY,
}


def packed(market: Rec) -> bytes:
    """A market record's packed bytes."""
    return bytes(packed_view(market)[: pack_bound(market)])


def event(market: Rec) -> dict[str, object]:
    """Everything that a market record says."""
    row = market[0]
    names = ("kind", "instrument", "ts_event_ns", "ts_recv_ns", "first", "last", "prev", "side")
    levels = [
        list(
            zip(
                row["px"][s, : row["n"][s]].tolist(),
                row["sz"][s, : row["n"][s]].tolist(),
                strict=True,
            )
        )
        for s in (0, 1)
    ]
    return {name: int(row[name]) for name in names} | {"bids": levels[0], "asks": levels[1]}


HEAD = {"instrument": 7, "ts_recv_ns": 99, "first": 0, "last": 0, "prev": 0, "side": 0}
EXPECTED = {
    "diff": HEAD
    | {
        "kind": DIFF,
        "ts_event_ns": 1723161255208_000_000,
        "first": 157,
        "last": 160,
        "prev": 156,
        "bids": [(6173763, 0), (6173017, 150000)],
        "asks": [(6183764, 154698)],
    },
    "top": HEAD
    | {
        "kind": TOP,
        "ts_event_ns": 0,
        "last": 212,
        "bids": [(6183763, 378826)],
        "asks": [(6183764, 154698)],
    },
    "trade": HEAD
    | {
        "kind": TRADE,
        "ts_event_ns": 1723161255343_000_000,
        "first": 3735683259,
        "side": Side.SELL,
        "bids": [(6183763, 2000)],
        "asks": [],
    },
    "partial": HEAD
    | {
        "kind": PARTIAL,
        "ts_event_ns": 0,
        "last": 160,
        "bids": [(6183763, 378826), (6183762, 61700)],
        "asks": [(6183764, 150000)],
    },
}


@pytest.mark.parametrize("kind_of_bytes", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("name", FRAMES)
def test_documented_frame_is_decoded_by_the_compiled_scan(name, kind_of_bytes, monkeypatch) -> None:
    """Every field of every kind, bare and wrapped, without the exact path."""
    monkeypatch.delattr(market_codec, "decode_exact")
    expected = EXPECTED[name.split()[-1] if name.startswith("bare") else name.split()[0]]
    assert CODEC.decode(kind_of_bytes(FRAMES[name].encode()), 99) == expected["kind"]
    assert event(CODEC.market) == expected


@pytest.mark.parametrize("name", FRAMES)
def test_exact_path_says_the_same(name) -> None:
    """The two decoders agree on frames that both can read."""
    CODEC.decode(FRAMES[name].encode(), 0)
    decode_exact(FRAMES[name].encode(), SLOW, BY_SYMBOL)
    SLOW["ts_recv_ns"] = 0
    assert packed(CODEC.market) == packed(SLOW)


@pytest.mark.parametrize(
    ("old", "new_text"),
    [
        ('"E":', ' "E" : '),
        ("61730.17", "6.173017e4"),
        ("61730.17", "+61730.17"),
        ('"U":157,"u":160,', '"u":160,"U":157,'),
        ('"e":"depthUpdate",', ""),
        ('"s":"BTCUSDT"', '"\\u0073":"BTCUSDT"'),
        ('"E":1723161255208', '"x":{"y":[1,2.5]},"E":1723161255208'),
        ("1723161255208", "1723161255208000"),
        ('"u":160,', '"u":160,"pu":150,'),
        ('"s":"BTCUSDT",', '"s":"btcusdt",'),
    ],
)
def test_other_spellings_of_a_diff_mean_the_same(old, new_text) -> None:
    """Space, exponent, sign, order, escapes, unknown keys, microseconds, case."""
    frame = FRAMES["diff"].replace(old, new_text, 1)
    if old == '"e":"depthUpdate",':
        frame = FRAMES["diff"].replace(old, "").replace('"a":[[', '"e":"depthUpdate","a":[[')
    assert CODEC.decode(frame.encode(), 99) == DIFF
    expected = EXPECTED["diff"] | ({"prev": 150} if "pu" in new_text else {})
    assert event(CODEC.market) == expected


def test_numbers_before_the_symbol_are_read_on_the_right_grid() -> None:
    """Two instruments, levels first: the order of keys means nothing in JSON."""
    frame = '{"e":"depthUpdate","E":1,"U":1,"u":2,"b":[["2683.85","3.0292"]],"a":[],"s":"ETHUSDT"}'
    assert CODEC.decode(frame.encode(), 0) == DIFF
    assert event(CODEC.market)["bids"] == [(53677, 30292)]
    assert event(CODEC.market)["instrument"] == 3


def test_buyers_trade_has_the_buy_side() -> None:
    """m says whether the buyer was the maker."""
    CODEC.decode(FRAMES["trade"].replace('"m":true', '"m":false').encode(), 0)
    assert event(CODEC.market)["side"] == Side.BUY


def test_trade_of_before_2024_with_order_ids_is_read() -> None:
    """`b` and `a` were integers then."""
    frame = FRAMES["trade"].replace('"T":', '"b":88,"a":50,"T":')
    assert CODEC.decode(frame.encode(), 99) == TRADE
    assert event(CODEC.market) == EXPECTED["trade"]


def test_empty_side_of_a_top_is_nought() -> None:
    """The venue writes zeros where nobody quotes."""
    body = TOP_BODY.replace("61837.64000000", "0.00000000").replace("1.54698000", "0.00000000")
    assert CODEC.decode(body.encode(), 0) == TOP
    assert event(CODEC.market)["asks"] == [(0, 0)]


def test_sizes_off_the_lot_grid_are_rounded_down_but_never_to_nothing() -> None:
    """BTCUSDT shows such levels: orders from before a change of the lot size."""
    for text, lots in (("93.756587", 9375658), ("0.00000001", 1), ("1E-9", 1), ("1.5E1", 1500000)):
        CODEC.decode(DIFF_BODY.replace('"1.5"', f'"{text}"').encode(), 0)
        assert event(CODEC.market)["bids"][1] == (6173017, lots)


@pytest.mark.parametrize(
    "frame",
    [
        '{"result":null,"id":1}',
        '{"id":"a","error":{"code":2,"msg":"Invalid request"}}',
        wrapped("btcusdt@aggTrade", '{"e":"aggTrade","s":"BTCUSDT"}'),
        '{"e":"serverShutdown","E":1723161255208}',
        '{"e":"kline","E":1723161255208,"s":"XRPUSDT"}',
        "{}",
    ],
)
def test_what_is_no_market_data_of_ours_is_nought(frame) -> None:
    """Answers and other channels are the session's business."""
    assert CODEC.decode(frame.encode(), 0) == 0


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            DIFF_BODY.replace("61730.17", "61730.175"),
            r"diff bid 1 BTCUSDT: expected a multiple of tick 0.01",
        ),
        (
            DIFF_BODY.replace('"1.5"', '"-1.5"'),
            r"diff bid 1 BTCUSDT: expected a size of at least 0",
        ),
        (DIFF_BODY.replace('"1.5"', '"NaN"'), r"size of at least 0, found 'NaN'"),
        (DIFF_BODY.replace('"1.5"', '"1e9999"'), r"found '1e9999'"),
        (
            DIFF_BODY.replace("BTCUSDT", "XRPUSDT"),
            r"diff XRPUSDT: expected one of BTCUSDT, ETHUSDT",
        ),
        (DIFF_BODY.replace('"U":157', '"U":161'), r"expected U at most u, found 'U 161, u 160'"),
        (DIFF_BODY.replace('"U":157,', ""), r"missing required field `U`"),
        (DIFF_BODY.replace("1723161255208", "172316125520800"[:14]), r"expected E in milliseconds"),
        (DIFF_BODY[:-9], r"expected the documented JSON"),
        (
            wrapped("ethusdt@depth", DIFF_BODY),
            r"diff ethusdt: expected the stream's symbol, found 'BTCUSDT'",
        ),
        (wrapped("btcusdt@trade", DIFF_BODY), r"trade btcusdt: Invalid enum value 'depthUpdate'"),
        (
            wrapped("btcusdt@depth5", BOOK_BODY),
            r"expected depth20, to check 20 levels, found 'depth5'",
        ),
        (BOOK_BODY, r"expected the combined stream's wrapper"),
        ("nonsense", r"expected the documented JSON, found 'nonsense'"),
        ("", r"expected the documented JSON"),
    ],
)
def test_refused_frame_says_what_where_and_which_symbol(frame, message) -> None:
    """One line each."""
    with pytest.raises(CodecError, match=message) as caught:
        CODEC.decode(frame.encode(), 0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pretty", [False, True])
def test_snapshot_of_five_thousand_levels_a_side_is_read(pretty) -> None:
    """As the venue writes it, and with white space."""
    gap = " " if pretty else ""
    sides = [
        f",{gap}".join(
            f'["{sign * k + 30000}.00000000",{gap}"{k}.00000000"]' for k in range(1, LEVELS_MAX + 1)
        )
        for sign in (-1, 1)
    ]
    body = f'{{"lastUpdateId":160,{gap}"bids":[{sides[0]}],"asks":[{sides[1]}]}}'
    CODEC.decode_snapshot(body.encode(), InstrumentId(7), 99)
    found = event(CODEC.market)
    assert (found["kind"], found["last"], found["instrument"], found["ts_recv_ns"]) == (
        SNAPSHOT,
        160,
        7,
        99,
    )
    assert found["bids"] == [(3000000 - 100 * k, 100000 * k) for k in range(1, LEVELS_MAX + 1)]
    assert found["asks"] == [(3000000 + 100 * k, 100000 * k) for k in range(1, LEVELS_MAX + 1)]


def test_snapshot_with_too_many_levels_is_refused() -> None:
    """The record holds 5,000 a side, as the venue's largest answer does."""
    rows = ",".join(f'["{k}","1"]' for k in range(1, LEVELS_MAX + 2))
    body = f'{{"lastUpdateId":160,"bids":[],"asks":[{rows}]}}'
    with pytest.raises(
        CodecError, match=r"snapshot ask BTCUSDT: expected at most 5000 levels, found '5001'"
    ):
        CODEC.decode_snapshot(body.encode(), InstrumentId(7), 0)


def test_bare_book_of_the_only_instrument_is_its_snapshot() -> None:
    """Recordings hold the REST answer among the frames."""
    assert ALONE.decode(BOOK_BODY.encode(), 99) == SNAPSHOT
    assert event(ALONE.market) == EXPECTED["partial"] | {"kind": SNAPSHOT}


def test_frame_larger_than_the_scans_buffer_is_read_exactly() -> None:
    """White space of a megabyte is still JSON."""
    assert CODEC.decode(FRAMES["diff"].encode() + b" " * (1 << 20), 99) == DIFF
    assert event(CODEC.market) == EXPECTED["diff"]


def mutated(rng: np.random.Generator, frames: list[bytes]) -> bytes:
    """A frame with one to three of its bytes or pieces changed."""
    frame = bytearray(frames[rng.integers(len(frames))])
    alphabet = b'{}[]":,.0123456789eEuUbBaAstpqm-+\\ \x00\xff'
    for _ in range(rng.integers(1, 4)):
        at, end = sorted(rng.integers(0, len(frame) + 1, 2).tolist())
        end = min(end, at + 30)
        letter = alphabet[rng.integers(len(alphabet))]
        match int(rng.integers(6)):
            case 0:
                frame[at : at + 1] = bytes([letter])
            case 1:
                frame[at:at] = bytes([letter])
            case 2:
                del frame[at : at + int(rng.integers(1, 4))]
            case 3:
                frame[at:at] = frame[at:end]
            case 4:
                other = frames[rng.integers(len(frames))]
                frame[at:end] = other[at:end]
            case _:
                del frame[at:end]
    return bytes(frame)


@pytest.mark.parametrize("seed", range(4))
def test_mutated_frames_are_refused_or_decoded_as_the_exact_path_does(seed) -> None:
    """Five thousand each: never another exception, never another reading."""
    rng = np.random.default_rng(seed)
    frames, outcomes = (
        [f.encode() for f in FRAMES.values()],
        {"read": 0, "refused": 0, "not ours": 0},
    )
    for _ in range(5000):
        frame = mutated(rng, frames)
        try:
            expected = decode_exact(frame, SLOW, BY_SYMBOL)
        except CodecError:
            outcomes["refused"] += 1
            with pytest.raises(CodecError):
                CODEC.decode(frame, 0)
            continue
        assert CODEC.decode(frame, 0) == expected, frame
        outcomes["read" if expected else "not ours"] += 1
        if expected:
            SLOW["ts_recv_ns"] = 0
            assert packed(CODEC.market) == packed(SLOW), frame
    assert min(outcomes.values()) > 20
