"""The calibrated market: it follows its tables, stays coupled and keeps up."""

import numpy as np
import pytest

from mmd.core.units import NANOS_PER_SECOND
from mmd.exchange.executions import PublicTrade
from mmd.exchange.flow_interactive import Kind
from mmd.exchange.orders import OrderType
from tests.exchange_world import BUY, order
from tests.generated_markets import LIMITS, flow_of, table_preset, tables

SECOND = NANOS_PER_SECOND


def test_the_same_seed_gives_the_same_market_and_another_one_does_not() -> None:
    """Twenty seconds of trades and the book at their end."""
    paths = []
    for seed in (3, 3, 4):
        exchange, flow = flow_of(table_preset(), seed)
        trades = [
            (t.price_ticks, t.qty_lots, t.ts_ns)
            for t in flow.advance(20 * SECOND)
            if isinstance(t, PublicTrade)
        ]
        paths.append((trades, [side.depth(20) for side in exchange.markets[0].book.sides]))
    assert paths[0] == paths[1]
    assert paths[0] != paths[2]


def test_limit_orders_arrive_as_often_as_the_tables_say() -> None:
    """With empty queues' weight known: arrivals behind the touch over the integral of T / (T + q)."""
    rates = ((LIMITS,) * 5,) * 2
    exchange, flow = flow_of(
        table_preset(sigma_bps=0.0, market_rate=0.0, tables=tables(limit_rates=rates)), 5
    )
    book = exchange.markets[0].book
    exposure, before = 0.0, flow.accepted[Kind.LIMIT]
    for step in range(1, 20_000):
        flow.advance(step * SECOND // 100)
        for side in book.sides:
            best = side.best
            assert best is not None
            shares = [100.0 / (100.0 + side.displayed(best - side.side.sign * d)) for d in range(5)]
            exposure += 0.01 * float(np.dot(shares, (*LIMITS[:3], LIMITS[3] / 2, LIMITS[3] / 2)))
    assert (flow.accepted[Kind.LIMIT] - before) / exposure == pytest.approx(1.0, abs=0.06)


def test_spread_closes_fast_and_stale_quotes_go() -> None:
    """The spread is one tick nearly always, although the price moves on."""
    exchange, flow = flow_of(table_preset(sigma_bps=1.0), 6)
    book, spreads, gaps = exchange.markets[0].book, [], []
    for step in range(1, 3_000):
        flow.advance(step * SECOND // 50)
        bid, ask = book.best_bid, book.best_ask
        assert bid is not None
        assert ask is not None
        assert bid < ask
        spreads.append(ask - bid)
        gaps.append((bid + ask) / 2 - flow.public_ticks)
    assert np.mean(np.array(spreads) == 1) > 0.75
    assert abs(np.mean(gaps)) < 0.15
    assert np.std(gaps) < 2.0


def test_paths_stay_coupled_when_a_strategy_trades() -> None:
    """The latent price is the same, and after a small order nearly all background trades still are."""
    preset = table_preset()
    trades, latent = [], []
    for lots in (0, 40):
        exchange, flow = flow_of(preset, 9, {"a": dict.fromkeys(("USDT", "GEN"), 10**14)})
        flow.advance(5 * SECOND)
        if lots > 0:
            exchange.place("a", order(BUY, 0, lots, kind=OrderType.MARKET), 5 * SECOND)
        events = flow.advance(65 * SECOND)
        trades.append({t.ts_ns for t in events if isinstance(t, PublicTrade)})
        latent.append(flow.latent_ticks)
    assert latent[0] == latent[1]
    shared = len(trades[0] & trades[1]) / len(trades[0])
    assert shared > 0.4
