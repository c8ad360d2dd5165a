"""Hedges on the instrument itself, through the engine: begun, sized, traded, ended."""

from itertools import pairwise

import pytest

from mmd.core.commands import CancelOrder, PlaceOrder, ReplaceOrder
from mmd.core.events import OperatorAction, OperatorCommand
from mmd.core.hedging.hedger import HedgeState
from mmd.core.inventory.settings import HedgeSpec, InventorySpec
from mmd.core.notices import NoticeKind
from mmd.core.risk.levels import RiskLevel
from mmd.core.risk.reasons import LevelReason, RiskReason
from mmd.core.units import Side, TimeInForce
from tests.hedge_bench import HedgeBench, hedge_spec

LIMIT = 10_000
"""Lots; an order at level 0 has 1,000."""


def bench_of(carried=9.5, takes=None, **hedge):
    spec = hedge_spec(carried, HedgeSpec(**({"route": "same"} | hedge)))
    bench = HedgeBench(spec, takes)
    bench.start()
    return bench


def kinds(bench):
    return [n.kind for n in bench.engine.notices.since(0)]


def test_nothing_is_hedged_below_the_threshold():
    """Even just below."""
    bench = bench_of(carried=9.0)
    bench.run(3_000)
    assert bench.hedges == []
    assert bench.hedger.state is HedgeState.IDLE


@pytest.mark.parametrize(("carried", "side"), [(9.5, Side.SELL), (-9.5, Side.BUY)])
def test_a_critical_inventory_is_hedged_to_thirty_percent_less_what_quotes_may_do(carried, side):
    """Long is sold, short is bought, within the cap; what rests on that side already counts."""
    bench = bench_of(carried)
    quoted = bench.maker.orders.open_lots[side]
    assert quoted > 1_000
    bench.run(200)
    (_, order), *more = bench.hedges
    assert not more
    assert (order.side, order.tif) == (side, TimeInForce.IOC)
    assert order.qty_lots == 9_500 - 3_000 - quoted
    worst = 9_999 * (1 - 20e-4) if side is Side.SELL else 10_001 * (1 + 20e-4)
    assert abs(order.price_ticks - worst) <= 1
    assert abs(bench.lots) == 3_000 + quoted
    bench.run(2_000)
    assert bench.hedger.state is HedgeState.IDLE
    assert kinds(bench)[-2:] == [NoticeKind.HEDGE_STARTED, NoticeKind.HEDGE_DONE]
    assert (bench.hedger.done, bench.hedger.hedged_lots) == (1, 9_500 - abs(bench.lots))
    assert abs(bench.lots) - bench.maker.orders.open_lots[side] < 3_000 + 101


def test_partial_fills_are_hedged_on():
    """A thousand lots at a time, a pause between; each order is for what is left."""
    bench = bench_of(takes=lambda _: 1_000)
    bench.run(5_000)
    sizes = [order.qty_lots for _, order in bench.hedges]
    assert len(sizes) > 1
    assert sizes == sorted(sizes, reverse=True)
    times = [ns for ns, _ in bench.hedges]
    assert min(b - a for a, b in pairwise(times)) >= 250_000_000
    assert bench.hedger.state is HedgeState.IDLE
    assert bench.hedger.hedged_lots == 9_500 - bench.lots
    assert bench.lots < 0.9 * LIMIT


def test_a_hedge_that_nobody_takes_is_late_after_thirty_seconds():
    """An alert, and from then on working quotes do not count any more."""
    bench = bench_of(takes=lambda _: 0)
    bench.run(29_000)
    assert bench.hedger.state is HedgeState.HEDGING
    bench.run(2_000)
    assert bench.hedger.state is HedgeState.LATE
    assert NoticeKind.HEDGE_LATE in kinds(bench)
    bench.takes = lambda order: order.qty_lots
    bench.run(1_000)
    assert bench.lots == 3_000
    bench.run(1_000)
    assert (bench.hedger.state, bench.hedger.late, bench.hedger.done) == (HedgeState.IDLE, 1, 1)


def test_the_side_that_a_hedge_would_meet_is_pulled_first():
    """VaR is the reason here, so both sides were quoted; our bids are gone before the hedge sells."""
    bench = bench_of(5.0, var_equity_ratio=1e-9)
    bench.run(1_000)
    hedge = bench.commands.index(bench.hedges[0][1])
    bids = {
        c.client_order_id
        for c in bench.commands[:hedge]
        if isinstance(c, PlaceOrder | ReplaceOrder) and c.side is Side.BUY
    }
    ended = {c.client_order_id for c in bench.commands[:hedge] if isinstance(c, CancelOrder)}
    ended |= {c.cancel_id for c in bench.commands[:hedge] if isinstance(c, ReplaceOrder)}
    assert bids
    assert bids <= ended
    assert bench.engine.gate.counts[RiskReason.OWN_CROSS] == 0


def test_both_sides_are_quoted_again_after_a_hedge():
    """The block ends with it."""
    bench = bench_of()
    bench.run(2_000)
    assert bench.hedger.state is HedgeState.IDLE
    assert min(bench.maker.orders.open_orders) > 0


def test_passive_rests_follows_and_crosses():
    """Post-only at the best ask; moved once the book moves; after its time the rest is taken."""
    bench = bench_of(algorithm="passive_then_cross", passive_ns=5_000_000_000)
    bench.run(200)
    (_, first), *_ = bench.hedges
    assert (first.tif, first.price_ticks, first.side) == (TimeInForce.POST_ONLY, 10_001, Side.SELL)
    bench.give(first, 1_000)
    bench.shift(-20)
    bench.turn()
    bench.run(600)
    second = bench.hedges[-1][1]
    assert (second.tif, second.price_ticks) == (TimeInForce.POST_ONLY, 9_981)
    bench.run(6_000)
    last = bench.hedges[-1][1]
    assert (last.tif, last.side) == (TimeInForce.IOC, Side.SELL)
    assert bench.hedger.state is HedgeState.IDLE
    assert bench.lots < 0.9 * LIMIT


def test_twap_spreads_a_hedge_over_its_time():
    """Six slices in twenty seconds, done within thirty."""
    bench = bench_of(algorithm="twap")
    bench.run(25_000)
    times = [round((ns - bench.hedges[0][0]) / 1e9, 1) for ns, _ in bench.hedges]
    assert len(times) == 6
    assert 16 < times[-1] < 18
    assert (bench.hedger.state, bench.hedger.late) == (HedgeState.IDLE, 0)


@pytest.mark.parametrize("algorithm", ["ioc", "passive_then_cross", "twap"])
def test_no_hedge_outlives_a_halt(algorithm):
    """What rests is taken back, nothing new is sent."""
    bench = bench_of(algorithm=algorithm, takes=lambda _: 10)
    bench.run(300)
    sent = len(bench.hedges)
    assert sent > 0
    bench.event(OperatorCommand(bench.now_ns, OperatorAction.HALT, "test"))
    bench.run(5_000)
    assert len(bench.hedges) == sent
    assert bench.engine.orders_open == 0
    assert bench.engine.levels.level is RiskLevel.HALTED
    assert (bench.hedger.state, bench.hedger.done) == (HedgeState.IDLE, 0)


def test_a_var_limit_shrinks_what_may_be_held_and_so_brings_the_hedge():
    """Position limit of quotes and gate alike, from the timer on."""
    bench = HedgeBench(hedge_spec(5.0, inventory=InventorySpec(var_max=4)))
    bench.start()
    assert bench.maker.scale.position_lots_max == LIMIT
    bench.run(2_000)
    held = bench.engine.inventory.held[0]
    assert held.lots_max is not None
    assert bench.maker.scale.position_lots_max == held.lots_max < 5_000
    assert bench.maker.risk.bounds.long_atoms_max == held.lots_max * 100_000
    assert bench.hedges[0][1].side is Side.SELL
    assert bench.lots < 5_000


def test_hedges_pass_the_gate_at_reduce_only():
    """They shrink the position."""
    bench = HedgeBench(hedge_spec())
    bench.start()
    bench.engine.levels.escalate(RiskLevel.REDUCE_ONLY, LevelReason.ORDER_BREACH, bench.now_ns)
    bench.run(300)
    assert len(bench.hedges) == 1
