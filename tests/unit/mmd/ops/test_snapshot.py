"""The picture of a running daemon: everything as the engine has it, in people's units."""

from decimal import Decimal

import pytest

from mmd.core.events import Balance, EndReason, FeedDown, OrderEnded
from mmd.core.risk.reasons import LevelReason
from mmd.core.units import ATOMS_PER_UNIT, Side
from mmd.ops.snapshot import top_levels
from tests.engine_bench import ZERO
from tests.ops_state import cold, quoting, state_of
from tests.session import SESSION


async def test_a_daemon_that_knows_nothing_shows_nothing() -> None:
    """No price is 0 where there is none: it is absent."""
    state = state_of(cold())
    (row,) = state.instruments
    assert not state.ready
    assert (row.mid, row.fair, row.half_spread_bps, row.sigma_bps, row.average_cost) == (None,) * 5
    assert (row.book.bids, row.book.asks, row.orders) == ([], [], [])
    assert row.book.age_s == 0.0
    assert set(row.markout_bps.values()) == {None}
    assert state.session == f"{SESSION:08x}"


async def test_a_quoting_daemon_shows_its_orders_fills_and_money() -> None:
    """Prices and quantities are exact decimals; the totals are the ledger's."""
    bench = quoting()
    state = state_of(bench)
    (row,) = state.instruments
    assert state.ready
    assert (row.orders_sent, row.orders_acked, row.fills, row.fills_maker) == (6, 6, 1, 1)
    assert {Decimal(o.price) % Decimal("0.01") for o in row.orders} == {0}
    assert {o.side for o in row.orders} == {"BUY", "SELL"}
    assert row.mid == pytest.approx(100.0)
    (fill,) = bench.maker.ledger.fills
    assert Decimal(row.position) == bench.maker.instrument.qty(fill.qty_lots)
    assert row.average_cost == pytest.approx(float(bench.maker.instrument.price(fill.price_ticks)))
    assert row.pnl_total == pytest.approx(row.pnl_realised + row.pnl_unrealised - row.fees)
    assert (row.identity_error, row.position_drift_atoms) == (0, 0)
    assert 0 < row.inventory_ratio < 1


async def test_a_balance_that_no_fill_explains_is_shown_before_the_next_reconciliation() -> None:
    """As soon as it has raised the level; a balance whose fill is still under way shows nothing."""
    bench = quoting()
    held = bench.maker.ledger.base_atoms
    bench.event(Balance(bench.now_ns, "embedded", "MMD", held - ATOMS_PER_UNIT, 0))
    assert state_of(bench).instruments[0].position_drift_atoms == 0
    for _ in range(30):
        bench.pass_time(100)
        bench.tick()
    assert bench.real_engine.levels.is_active(LevelReason.POSITION_DRIFT)
    assert state_of(bench).instruments[0].position_drift_atoms == -ATOMS_PER_UNIT


async def test_an_order_that_ended_with_more_than_we_heard_of_owes_fills() -> None:
    """Until the trade comes; `mmd_orders_owing_fills` shows that it does not."""
    bench = quoting()
    order_id, order = next((i, o) for i, o in bench.open.items() if o.side is Side.SELL)
    bench.event(OrderEnded(bench.now_ns, ZERO, order_id, EndReason.CANCELED, 3, bench.now_ns))
    assert state_of(bench).instruments[0].orders_owing_fills == 1
    bench.fill(order_id, 3)
    assert state_of(bench).instruments[0].orders_owing_fills == 0
    assert order.qty_lots > 3


async def test_the_book_is_the_depth_book_to_20_levels() -> None:
    """Best first, as exact decimals."""
    bench = quoting()
    bids, asks = top_levels(bench.maker, Side.BUY), top_levels(bench.maker, Side.SELL)
    assert bids[:2] == [("99.99", "5.000"), ("99.98", "5.000")]
    assert asks[:2] == [("100.01", "5.000"), ("100.02", "5.000")]
    assert len(bids) == len(asks) == 20


async def test_ages_and_readiness_follow_the_engine() -> None:
    """A lost feed is not ready; a book ages by engine time."""
    bench = quoting()
    bench.pass_time(1_500)
    before = state_of(bench)
    assert before.instruments[0].book.age_s == pytest.approx(1.5)
    bench.event(FeedDown(bench.now_ns, ZERO, "reset"))
    bench.driver.decide()
    state = state_of(bench)
    assert not state.ready
    assert not state.instruments[0].book.synced
    assert state.instruments[0].reason == "FEED_DOWN"
