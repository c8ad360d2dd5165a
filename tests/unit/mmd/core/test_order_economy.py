"""Little order budget is left for what reduces risk; what merely follows the market waits where it is."""

import pytest

from mmd.core.commands import CancelOrder, PlaceOrder, ReplaceOrder
from mmd.core.events import CancelRejected, OperatorAction, OperatorCommand, RejectReason
from mmd.core.risk.reasons import RiskReason
from mmd.core.units import Side
from tests.engine_bench import EngineBench
from tests.session import quoting, risk, session_spec


def bench_of(budget: int, **changes: object) -> EngineBench:
    """Two levels of a fixed spread around 100.00, and so many orders in ten seconds."""
    spec = session_spec(
        quoting=quoting(
            spread_model="fixed",
            levels=1,
            fixed_half_spread_bps=4.0,
            quote_inside_break_even=True,
            requote_tolerance_bps=0.0,
        ),
        risk=risk(orders_per_10s=budget, **changes),
    )
    bench = EngineBench(spec)
    bench.bring_up()
    bench.turn()
    assert len(bench.open) == 2
    return bench


def test_with_the_reserve_left_retreats_go_and_advances_wait() -> None:
    """Eight orders in ten seconds: a burst of four, two of them reserved; the first quotes took the others."""
    bench = bench_of(8, orders_reserve_ratio=0.5)
    bench.shift(-3)
    first = bench.turn()
    assert [(type(c), c.side) for c in first if isinstance(c, ReplaceOrder)] == [
        (ReplaceOrder, Side.BUY)
    ]
    assert not any(isinstance(c, CancelOrder) for c in first), (
        "the ask stays where it is, behind its target"
    )
    assert len(bench.open) == 2
    counts = bench.engine.gate.counts
    assert counts[RiskReason.ORDER_RESERVE] == bench.maker.counts.requotes_skipped == 1
    bench.shift(-3)
    bench.turn()
    assert counts[RiskReason.ORDER_RATE] == 0
    bench.shift(-3)
    third = bench.turn()
    assert [type(c) for c in third] == [CancelOrder], (
        "with nothing left a retreat is a cancel, which is free"
    )
    assert counts[RiskReason.ORDER_RATE] == 1
    assert bench.best(Side.SELL)


def test_what_reduces_the_position_uses_the_reserve() -> None:
    """Long: the ask follows the market down, although it comes closer to the touch; no new bid is placed."""
    bench = bench_of(8, orders_reserve_ratio=0.5, position_notional_max=1_000)
    bought = bench.best(Side.BUY)
    bench.fill(bought.client_order_id)
    del bench.open[bought.client_order_id]
    bench.pass_time(50)
    bench.shift(-3)
    moved = bench.turn()
    assert [c.side for c in moved if isinstance(c, ReplaceOrder)] == [Side.SELL]
    bench.shift(6)
    moved = bench.turn()
    assert [c.side for c in moved if isinstance(c, ReplaceOrder)] == [Side.SELL], "a retreat"
    assert bench.maker.counts.requotes_skipped == 0, "the bid rests after its fill"
    bench.pass_time(60)
    assert bench.turn() == [], "and is not placed with the last of the budget"
    assert bench.engine.gate.counts[RiskReason.ORDER_RESERVE] == 1


def test_without_a_reserve_a_refused_replacement_is_taken_back() -> None:
    """As it was before there was one."""
    bench = bench_of(4, orders_reserve_ratio=0.0)
    bench.shift(-3)
    commands = bench.turn()
    assert {type(c) for c in commands} == {CancelOrder}
    assert bench.engine.gate.counts[RiskReason.ORDER_RESERVE] == 0


@pytest.mark.parametrize("ratio", [0.0, 0.25, 0.5])
def test_no_ten_seconds_see_more_orders_than_the_budget(ratio: float) -> None:
    """Whatever the reserve; and once there is calm, the quotes are where they should be."""
    bench = bench_of(10, orders_reserve_ratio=ratio)
    sent: list[int] = []
    for step in range(300):
        bench.pass_time(100)
        bench.shift(3 if step % 7 < 3 else -2)
        commands = bench.turn()
        sent += [bench.now_ns] * sum(isinstance(c, PlaceOrder | ReplaceOrder) for c in commands)
    for at, now_ns in enumerate(sent):
        assert sum(then_ns > now_ns - 10_000_000_000 for then_ns in sent[: at + 1]) <= 10
    for _ in range(30):
        bench.pass_time(1_000)
        bench.shift(0)
        bench.turn()
    quote = bench.maker.quoter.quote[0]
    for side in Side:
        assert bench.best(side).price_ticks == quote["px"][side, 0]


@pytest.mark.parametrize(("backoff_ms", "decided"), [(0, 40), (200, 8)])
def test_cancels_that_the_venue_turns_away_wait_before_they_are_decided_anew(
    backoff_ms: int, decided: int
) -> None:
    """Two cancels, a book every 25 ms for half a second: tried at 0, 50 and 150 ms, and then each 200 ms."""
    bench = bench_of(40, backoff_ms_max=backoff_ms)
    bench.event(OperatorCommand(bench.now_ns, OperatorAction.CANCEL_ALL, "test"))
    sent = []
    for _ in range(20):
        cancels = bench.decide()
        assert all(isinstance(c, CancelOrder) for c in cancels)
        sent += cancels
        for c in cancels:
            bench.event(
                CancelRejected(
                    bench.now_ns, 0, c.client_order_id, RejectReason.RATE_LIMIT, 0, "wait"
                )
            )
        bench.pass_time(25)
        bench.shift(0)
    assert len(sent) == decided
    bench.pass_time(300)
    bench.shift(0)
    bench.turn()
    assert not bench.engine.orders_open
