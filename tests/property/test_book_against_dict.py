"""The book against two dicts: on random events, and on every recorded Binance diff."""

import gzip
from bisect import bisect_left, insort
from collections.abc import Iterator
from decimal import Decimal

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.binance_spot.market_codec import MarketCodec
from mmd.core.instrument import Instrument
from mmd.core.market import book as kernels
from mmd.core.market.book import BOOK, CROSSED, GAP, OK, ONE_SIDED, STALE, UNSYNCED
from mmd.core.market.level_store import TOP as TOP_LEVELS
from mmd.core.market.level_store import WINDOW
from mmd.core.market.record import DIFF, MARKET, PARTIAL, SNAPSHOT, TOP
from mmd.core.units import InstrumentId
from mmd.jit.kernel import Rec, bind, new
from tests.market_events import Levels, fill
from tests.recordings import recording

BOOK_REC, MARKET_REC = new(BOOK), new(MARKET)
reset = bind(kernels.reset, BOOK_REC)
apply = bind(kernels.apply, BOOK_REC, MARKET_REC)
apply_top = bind(kernels.apply_top, BOOK_REC, MARKET_REC)
check = bind(kernels.check, BOOK_REC, MARKET_REC)
level = bind(kernels.level, BOOK_REC, 0, 0)


class DictBook:
    """Two dicts and their sorted keys: what an L2 book means, with nothing clever about it."""

    def __init__(self) -> None:
        self.levels: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.keys: tuple[list[int], list[int]] = ([], [])
        self.last = 0
        self.synced = False
        self.overlay: tuple[int, tuple[int, int], tuple[int, int]] | None = None

    def set(self, side: int, ticks: int, lots: int) -> None:
        """One level; 0 lots removes it."""
        held, keys = self.levels[side], self.keys[side]
        if lots == 0:
            if held.pop(ticks, None) is not None:
                del keys[bisect_left(keys, ticks)]
            return
        if ticks not in held:
            insort(keys, ticks)
        held[ticks] = lots

    def apply(self, kind: int, prev: int, last: int, bids: Levels, asks: Levels) -> int:
        """A snapshot or a diff."""
        if kind == SNAPSHOT:
            self.levels, self.keys, self.synced = ({}, {}), ([], []), True
        elif not self.synced:
            return UNSYNCED
        elif last <= self.last:
            return STALE
        elif prev > self.last:
            self.synced = False
            return GAP
        self.last = last
        for side, rows in enumerate((bids, asks)):
            for ticks, lots in rows:
                self.set(side, ticks, lots)
        if self.overlay is not None and self.overlay[0] <= last:
            self.overlay = None
        return health(self.best(0), self.best(1))

    def apply_top(self, last: int, bid: tuple[int, int], ask: tuple[int, int]) -> int:
        """A newer best bid and ask."""
        if not self.synced:
            return UNSYNCED
        if last <= self.last or (self.overlay is not None and last <= self.overlay[0]):
            return STALE
        self.overlay = (last, bid, ask)
        return health(self.view(0), self.view(1))

    def best(self, side: int, n: int = TOP_LEVELS) -> list[tuple[int, int]]:
        """The n best levels, best first."""
        keys = self.keys[side]
        chosen = keys[: -n - 1 : -1] if side == 0 else keys[:n]
        return [(k, self.levels[side][k]) for k in chosen]

    def view(self, side: int) -> list[tuple[int, int]]:
        """The 20 best levels with the newer best bid and ask in front."""
        rows = self.best(side)
        if self.overlay is not None:
            front = self.overlay[1 + side]
            if front[1] == 0:
                return []
            rows = [front] + [
                r for r in rows if (r[0] < front[0] if side == 0 else r[0] > front[0])
            ]
        return rows[:TOP_LEVELS]


def health(bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> int:
    """What the best levels say of a book."""
    if not bids or not asks:
        return ONE_SIDED
    return CROSSED if bids[0][0] >= asks[0][0] else OK


def rows(
    book: Rec, side: int, n: str = "ntop", px: str = "px", sz: str = "sz"
) -> list[tuple[int, int]]:
    """Best levels as the record shows them."""
    b = book[0]
    k = int(b[n][side])
    return list(zip(b[px][side, :k].tolist(), b[sz][side, :k].tolist(), strict=True))


def assert_equal(book: Rec, naive: DictBook) -> None:
    """Both pictures of both sides agree."""
    for side in range(2):
        assert rows(book, side) == naive.best(side)
        assert rows(book, side, "nview", "vpx", "vsz") == naive.view(side)


def random_levels(rng: np.random.Generator, centre: int, side: int, n: int) -> Levels:
    """Levels near, far and very far from a centre, a third of them removals, some on the wrong side."""
    sign = 2 * side - 1 if rng.random() < 0.95 else 1 - 2 * side
    reach = np.array([30, 200, WINDOW // 3, 3 * WINDOW])[rng.choice(4, n, p=[0.6, 0.2, 0.1, 0.1])]
    ticks = np.maximum(centre + sign * (1 + rng.integers(0, reach)), 1)
    lots = rng.integers(1, 1000, n) * (rng.random(n) < 0.67)
    return list(zip(ticks.tolist(), lots.tolist(), strict=True))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), start=st.sampled_from([40, 2_000, WINDOW // 2, 6_180_000]))
def test_random_events_leave_book_and_dicts_equal(seed: int, start: int) -> None:
    """Whatever arrives, status, best levels, view and at the end every level agree."""
    rng = np.random.default_rng(seed)
    naive, centre = DictBook(), start
    reset(BOOK_REC)
    for step in range(60):
        centre = max(centre + int(rng.integers(-20, 21)), 1)
        if rng.random() < 0.1:
            centre = max(centre + int(rng.integers(-2 * WINDOW, 2 * WINDOW)), 1)
        bids, asks = (random_levels(rng, centre, side, int(rng.integers(0, 30))) for side in (0, 1))
        last = max(naive.last + int(rng.integers(-3, 6)), 1)
        kind = int(rng.choice([SNAPSHOT, DIFF, TOP], p=[0.08, 0.72, 0.2]))
        if kind == TOP:
            bid, ask = (centre - 1, int(rng.integers(0, 9))), (centre + 1, int(rng.integers(0, 9)))
            fill(MARKET_REC, TOP, [bid], [ask], last=last)
            assert apply_top(BOOK_REC, MARKET_REC) == naive.apply_top(last, bid, ask)
        else:
            if kind == SNAPSHOT:
                bids, asks = ([*dict(x).items()] for x in (bids, asks))
            prev = naive.last + int(rng.choice([-1, 0, 1], p=[0.1, 0.87, 0.03]))
            fill(MARKET_REC, kind, bids, asks, last=last, prev=prev, ts_event_ns=step)
            assert apply(BOOK_REC, MARKET_REC) == naive.apply(kind, prev, last, bids, asks)
        assert BOOK_REC["synced"][0] == naive.synced
        assert_equal(BOOK_REC, naive)
        fill(MARKET_REC, PARTIAL, naive.best(0), naive.best(1), last=naive.last)
        assert check(BOOK_REC, MARKET_REC) == (0 if naive.synced else 2)
    for side in range(2):
        every = naive.best(side, len(naive.keys[side]))
        assert kernels.levels(BOOK_REC, side) == every
        assert all(level(BOOK_REC, side, ticks) == lots for ticks, lots in every)


RECORDINGS = {
    "spot-btcusdt": ("BTCUSDT", "0.01", "0.00001", ["binance-raw/spot-btcusdt-20240808.gz"]),
    "spot-ethusdt": ("ETHUSDT", "0.01", "0.0001", ["binance-raw/spot-ethusdt-20240808.gz"]),
    "coinm-btcusd": ("BTCUSD_PERP", "0.1", "1", ["binance-raw/coinm-btcusd_perp-20240808.gz"]),
    "usdm-btcusdt-2024": ("BTCUSDT", "0.1", "0.001", ["binance-raw/usdm-btcusdt-20240808.gz"]),
    "usdm-ethusdt-2024": ("ETHUSDT", "0.01", "0.001", ["binance-raw/usdm-ethusdt-20240808.gz"]),
    "usdm-btcusdt-2023": (
        "BTCUSDT",
        "0.1",
        "0.001",
        [f"binance-raw/usdm-btcusdt-2023040{day}.gz" for day in (4, 5)],
    ),
    "spot-nexousdt": (
        "NEXOUSDT",
        "0.001",
        "0.01",
        [f"binance-spot-nexousdt/nexousdt_202407{day}.dat.gz" for day in (23, 24)],
    ),
}


def scaled(text: str, digits: int) -> int:
    """A decimal text in units of 10**-digits; what is less than one unit but not nothing counts as one."""
    whole, _, fraction = text.partition(".")
    units = int(whole + (fraction + "0" * digits)[:digits])
    return 1 if units == 0 and fraction.strip("0") else units


def frames(names: list[str]) -> Iterator[bytes]:
    """Frames of a recording in file order."""
    for path in [recording(name) for name in names]:
        with gzip.open(path) as lines:
            for line in lines:
                yield line.partition(b" ")[2].rstrip()


@pytest.mark.slow
@pytest.mark.parametrize("name", RECORDINGS)
def test_recorded_diffs_leave_book_and_dicts_equal(name: str) -> None:
    """After each of a recording's diffs the 20 best levels are those of a dict, and no gap is found."""
    symbol, tick, lot, files = RECORDINGS[name]
    digits = [-int(Decimal(x).as_tuple().exponent) for x in (tick, lot)]
    instrument = Instrument(
        id=InstrumentId(0),
        venue="binance",
        symbol=symbol,
        base="",
        quote="",
        settle="",
        tick_size=Decimal(tick),
        lot_size=Decimal(lot),
    )
    codec, naive, buffered = MarketCodec([instrument]), DictBook(), list[bytes]()
    json = msgspec.json.Decoder()

    def follow(frame: bytes) -> int:
        event = json.decode(frame)["data"]
        sides = [[(scaled(p, digits[0]), scaled(q, digits[1])) for p, q in event[s]] for s in "ba"]
        prev = event.get("pu", event["U"] - 1)
        assert codec.decode(frame, 0) == DIFF
        status = apply(BOOK_REC, codec.market)
        assert status == naive.apply(DIFF, prev, event["u"], sides[0], sides[1])
        assert rows(BOOK_REC, 0) == naive.best(0)
        assert rows(BOOK_REC, 1) == naive.best(1)
        return status

    reset(BOOK_REC)
    statuses: dict[int, int] = {}
    for frame in frames(files):
        if frame.startswith(b'{"lastUpdateId"'):
            event = json.decode(frame)
            sides = [
                [(scaled(p, digits[0]), scaled(q, digits[1])) for p, q in event[s]]
                for s in ("bids", "asks")
            ]
            codec.decode_snapshot(frame, InstrumentId(0), 0)
            naive.apply(SNAPSHOT, 0, event["lastUpdateId"], sides[0], sides[1])
            assert apply(BOOK_REC, codec.market) in (OK, CROSSED)
            assert all(follow(held) != GAP for held in buffered)
        elif b'"depthUpdate"' in frame[:80]:
            if naive.synced:
                status = follow(frame)
                statuses[status] = statuses.get(status, 0) + 1
            else:
                buffered.append(frame)
        elif b'"bookTicker"' in frame[:80] or b"@bookTicker" in frame[:80]:
            codec.decode(frame, 0)
            if apply_top(BOOK_REC, codec.market) == OK:
                best = [
                    (int(codec.market["px"][0, s, 0]), int(codec.market["sz"][0, s, 0]))
                    for s in (0, 1)
                ]
                assert [rows(BOOK_REC, s, "nview", "vpx", "vsz")[0] for s in (0, 1)] == best
    assert set(statuses) <= {OK, STALE}
    assert statuses[OK] > 1000
    assert all(kernels.levels(BOOK_REC, s) == naive.best(s, len(naive.keys[s])) for s in (0, 1))
