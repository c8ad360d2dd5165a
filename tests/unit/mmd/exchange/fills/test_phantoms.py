"""Orders that were never placed fill when a real one, alone in the same market, would have."""

import numpy as np
import pytest

from mmd.core.market import book as books
from mmd.core.market.record import DIFF, MARKET, SNAPSHOT, TRADE
from mmd.core.units import Side
from mmd.exchange.fills import phantoms
from mmd.exchange.fills.record import queue_model
from mmd.jit.kernel import bind, new
from tests.fill_bench import FillBench
from tests.session import instrument

MID, S = 10_000.5, 1_000_000_000
GRID = (1.0, 2.0, 4.0)


class Watched:
    """One sample's quotes, and one real order at the same price, in one hand-made market."""

    def __init__(self, model: str, side: Side, place: int, bids: dict, asks: dict) -> None:
        self.side, self.place = side, place
        self.quotes = phantoms.new_phantoms(
            instrument(), GRID, model=queue_model(model), life_ns=10 * S, latency_ns=0
        )
        self.book, self.market = new(books.BOOK), new(MARKET)
        self.fill_ns = np.zeros((1, 2, phantoms.GRID_MAX), np.int64)
        self.real = FillBench(model, quote=1e9, base=1e9)
        bind(books.reset, self.book)(self.book)
        self.update_id = 0
        self.depth(SNAPSHOT, bids, asks)
        bind(phantoms.quote, self.quotes, self.book, MID, 0)(self.quotes, self.book, MID, 0)
        self.px = int(self.quotes["px"][0, int(side), place])
        self.real.place(side, self.px, 1)

    def depth(self, kind: int, bids: dict, asks: dict) -> None:
        """Levels, to both."""
        self.update_id += 1
        m = self.market
        m["kind"], m["first"], m["last"], m["prev"] = (
            kind,
            self.update_id,
            self.update_id,
            self.update_id - 1,
        )
        for side, levels in enumerate((bids, asks)):
            m["n"][0, side] = len(levels)
            for i, (px, lots) in enumerate(levels.items()):
                m["px"][0, side, i], m["sz"][0, side, i] = px, lots
        args = (self.quotes, self.book, m, self.update_id, self.fill_ns)
        bind(phantoms.on_depth, *args)(*args)
        self.real.book(kind, bids, asks)

    def trade(self, aggressor: Side, px: int, lots: int) -> None:
        """A print, to both."""
        m = self.market
        m["kind"], m["side"], m["px"][0, 0, 0], m["sz"][0, 0, 0] = TRADE, int(aggressor), px, lots
        args = (self.quotes, m, self.update_id, self.fill_ns)
        bind(phantoms.on_print, *args)(*args)
        self.real.exchange.on_trade(aggressor, px, lots, self.update_id)

    @property
    def is_filled(self) -> tuple[bool, bool]:
        """Ours that was never placed, and the real one."""
        imagined = bool(self.fill_ns[0, int(self.side), self.place] > 0)
        return imagined, self.real.exchange.has_fills


@pytest.mark.parametrize("model", ["risk_averse", "power", "log", "front"])
@pytest.mark.parametrize("seed", range(6))
def test_an_imagined_order_fills_when_a_real_one_does(model: str, seed: int) -> None:
    """Trades, withdrawals and a price that comes near: after every event both are filled or neither is."""
    rng = np.random.default_rng(seed)
    bids = {10_000 - i: int(rng.integers(1, 30)) for i in range(8)}
    asks = {10_001 + i: int(rng.integers(1, 30)) for i in range(8)}
    side, place = Side(int(rng.integers(2))), int(rng.integers(3))
    w = Watched(model, side, place, bids, asks)
    for _ in range(60):
        if w.is_filled[0]:
            break
        if rng.random() < 0.5:
            away = int(rng.integers(0, 5))
            aggressor = Side(1 - int(side))
            px = (10_000 - away) if side == Side.BUY else (10_001 + away)
            w.trade(aggressor, px, int(rng.integers(1, 12)))
        else:
            levels = {
                int(px): int(rng.integers(0, 30))
                for px in rng.choice(sorted(bids if side == Side.BUY else asks), 3, replace=False)
            }
            w.depth(DIFF, levels if side == Side.BUY else {}, levels if side == Side.SELL else {})
        imagined, real = w.is_filled
        assert imagined == real


def test_quotes_are_never_nearer_than_asked_and_never_take() -> None:
    """Bids are rounded down and asks up; one that would take is refused, as a post-only order is."""
    w = Watched("front", Side.BUY, 0, {10_000: 5}, {10_001: 5})
    assert w.quotes["px"][0, :, :3].tolist() == [[9_999, 9_998, 9_996], [10_002, 10_003, 10_005]]
    w.depth(DIFF, {10_000: 0}, {9_998: 5})
    assert w.fill_ns[0, 0, :3].tolist() == [2, 2, 0], "both bids that the ask has reached"
    quotes = w.quotes
    bind(phantoms.quote, quotes, w.book, MID, 0)(quotes, w.book, MID, 0)
    second = phantoms.GRID_MAX
    assert quotes["leaves"][0, 0, second : second + 3].tolist() == [0, 0, 1]


def test_quotes_stand_for_their_life() -> None:
    """What comes later fills nobody."""
    w = Watched("front", Side.BUY, 0, {9_990: 5}, {10_011: 5})
    bind(phantoms.expire, w.quotes, 0)(w.quotes, 10 * S)
    assert int(w.quotes["oldest"][0]) == 0
    bind(phantoms.expire, w.quotes, 0)(w.quotes, 10 * S + 1)
    w.trade(Side.SELL, 9_000, 100)
    assert w.fill_ns.sum() == 0
