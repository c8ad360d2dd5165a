"""A session recorded at the venue decodes without loss: every frame is accounted for by kind."""

import shutil
import subprocess
from collections import Counter

import msgspec
import pytest

from adapters.binance_spot.book_sync import BookSync
from adapters.binance_spot.instruments import instruments_of
from adapters.binance_spot.market_codec import MarketCodec
from adapters.binance_spot.stream_session import read_control
from adapters.binance_spot.wire import CommissionRates, ExchangeInfo, decode
from mmd.core.market import book as books
from mmd.core.market.record import DIFF, MARKET, TOP
from mmd.jit.kernel import bind, new
from tests.recordings import recording

SYMBOLS = ("NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR")


class Line(msgspec.Struct):
    """One line of the recording."""

    t: str
    url: str = ""
    data: str = ""


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    """The recorded session, uncompressed."""
    path = recording("venue-frames/binance.jsonl.zst")
    zstd = shutil.which("zstd")
    if zstd is None:
        pytest.skip("the recording needs the `zstd` command (apt install zstd)")
    text = subprocess.run([zstd, "-dc", path], capture_output=True, check=True).stdout
    return [msgspec.json.decode(line, type=Line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def instruments(lines):
    """The recorded instruments, by the recorded exchangeInfo."""
    (body,) = (line.data for line in lines if line.url.endswith("exchangeInfo"))
    info = decode(body.encode(), ExchangeInfo, "exchangeInfo")
    assert len(info.symbols) > 1_000
    every = instruments_of(info, [s.symbol for s in info.symbols], "v", 0, CommissionRates())
    assert len(every) == len(info.symbols), "every listed symbol makes an instrument"
    return instruments_of(info, SYMBOLS, "v", 0, CommissionRates())


def test_every_frame_is_read_or_refused_by_name(lines, instruments):
    """Diffs and tops are read; klines and aggregate trades, which we never ask for, are passed over by name."""
    codec, seen, frames = MarketCodec(instruments), Counter(), Counter()
    for line in lines:
        if line.t != "recv":
            continue
        stream = msgspec.json.decode(line.data)["stream"].partition("@")[2]
        frames[stream] += 1
        kind = codec.decode(line.data.encode(), 1)
        if kind == 0:
            assert read_control(line.data.encode()).unknown.endswith(f"@{stream}")
        seen[kind] += 1
    assert frames == {"depth@100ms": 177, "bookTicker": 84, "aggTrade": 2, "kline_1m": 2}
    assert seen == {DIFF: 177, TOP: 84, 0: 4}


def test_recorded_books_join_their_snapshots_without_a_gap(lines, instruments):
    """The documented procedure on the recorded frames: every diff is applied or older than its snapshot."""
    codec = MarketCodec(instruments)
    by_symbol = {i.symbol: i.id for i in instruments}
    made = {i.id: new(books.BOOK) for i in instruments}
    apply = bind(books.apply, new(books.BOOK), new(MARKET))
    statuses = Counter()

    def release(market) -> None:
        statuses[apply(made[int(market["instrument"][0])], market)] += 1

    syncs = {i.id: BookSync(codec.market, release, lambda: None) for i in instruments}
    for sync in syncs.values():
        sync.on_connected()
    diffs = Counter()
    for line in lines:
        if "/depth?" in line.url:
            instrument = by_symbol[line.url.partition("symbol=")[2].partition("&")[0]]
            codec.decode_snapshot(line.data.encode(), instrument, 1)
            syncs[instrument].on_snapshot(syncs[instrument].wanted)
        elif line.t == "recv" and codec.decode(line.data.encode(), 1) == DIFF:
            instrument = int(codec.market["instrument"][0])
            diffs[instrument] += 1
            if syncs[instrument].live:
                release(codec.market)
            else:
                syncs[instrument].on_diff()
    assert sum(diffs.values()) == 177
    assert statuses.keys() == {books.OK}
    live = [i for i, sync in syncs.items() if sync.live]
    assert by_symbol["NKNUSDT"] in live
    for instrument in live:
        book = made[instrument][0]
        assert 0 < int(book["px"][0, 0]) < int(book["px"][1, 0])
