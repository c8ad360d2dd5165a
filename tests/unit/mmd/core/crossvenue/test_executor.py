"""Carrying out arbitrage against pure exchanges: both legs, partial fills, misses, and what they really came to."""

from decimal import Decimal
from pathlib import Path

import pytest

from mmd.core.commands import PlaceOrder, ReplaceOrder
from mmd.core.crossvenue.execution import Execution, Outcome, Stage
from mmd.core.crossvenue.executor import Executor
from mmd.core.events import OperatorAction, OperatorCommand
from mmd.core.orders.order import OrderPurpose
from mmd.core.risk.throttle import Counted
from mmd.core.units import Side, TimeInForce
from mmd.journal.replay import replay
from mmd.journal.writer import JournalWriter
from mmd.ops.crossvenue_history import CrossVenueHistory
from tests.session import quoting, risk
from tests.two_venue_world import (
    STRANGER,
    World,
    arbitrage,
    instrument_at,
    lift,
    two_quiet_venues,
    world_spec,
)
from tests.unit.mmd.core.crossvenue.test_scanner import LIVELY

LOT = 10**5
UNIT = 10**8


def trading(**changes: object) -> World:
    """Two still venues and an engine that trades on what it finds, up to 3,000 dollars at a time."""
    fields: dict[str, object] = {"execute": True, "slippage_share": 0.0, "notional_max": 3_000}
    return two_quiet_venues(arbitrage=arbitrage(**(fields | changes)))


def executor(world: World) -> Executor:
    assert world.engine.crossvenue is not None
    made = world.engine.crossvenue.executor
    assert made is not None
    return made


def only(world: World) -> Execution:
    (execution,) = executor(world).history
    return execution


def taken(world: World) -> list[PlaceOrder]:
    """Immediate-or-cancel orders sent so far."""
    return [c for c in world.commands if isinstance(c, PlaceOrder) and c.tif is TimeInForce.IOC]


def base_of(world: World) -> list[int]:
    """What our accounts gained of the base asset, by venue."""
    return [v.exchange.accounts["us"].total("MMD") - 10**14 for v in world.venues]


def worth(world: World) -> float:
    """What our accounts gained, by their own books, base at the first venue's mid."""
    cash = sum(v.exchange.accounts["us"].total("USDT") - 10**14 for v in world.venues)
    mid = world.engine.makers[0].view.mid_half_ticks / 200
    return cash / UNIT + sum(base_of(world)) / UNIT * mid


def test_both_legs_fill_and_the_result_is_what_was_expected() -> None:
    """Bought at the first venue, sold at the second; the accounts agree, their commission in base at the mid."""
    world = trading()
    lift(world)
    world.step(6)
    execution = only(world)
    assert execution.outcome is Outcome.COMPLETE
    assert execution.planned_atoms == execution.bought_atoms == execution.sold_atoms
    assert execution.realised_net == pytest.approx(execution.expected_net, rel=1e-4)
    assert execution.realised_net == pytest.approx(
        execution.planned_atoms / UNIT * (100.41 * 0.9999 - 100.01 * 1.0001), rel=1e-4
    )
    assert base_of(world)[1] == -execution.sold_atoms
    assert worth(world) == pytest.approx(execution.realised_net, abs=1e-6)


def test_one_leg_follows_the_other() -> None:
    """The second is sent once the first is filled, and never two of one pair at a time."""
    world = trading()
    lift(world)
    world.step()
    assert len(taken(world)) == 1
    world.step()
    assert len(taken(world)) == 1
    world.step()
    assert [o.instrument for o in taken(world)] == [0, 1]
    assert len(executor(world).active) == 1


def test_fills_are_attributed_to_arbitrage() -> None:
    """Both instruments' books of the purpose hold the legs, and all sources add up."""
    world = trading()
    lift(world)
    world.step(6)
    ledgers = [m.ledger for m in world.engine.makers]
    assert [ledger.fill_count for ledger in ledgers] == [1, 1]
    for ledger in ledgers:
        pnl = ledger.pnl
        assert pnl is not None
        assert pnl.sources.total_units == pnl.total_units
        assert pnl.sources.arbitrage_units == pnl.books.gross_units(
            OrderPurpose.ARBITRAGE, pnl.mid_half_ticks
        )
        assert pnl.sources.spread_units == pnl.sources.drift_units == 0


def test_a_first_leg_that_misses_costs_nothing() -> None:
    """The price was gone when the order came."""
    world = trading(retry_ms=10_000)
    lift(world)
    first, second = world.venues

    def vanish(order: PlaceOrder | ReplaceOrder) -> None:
        if order.tif is not TimeInForce.IOC:
            return
        for name in [f"s{k}" for k in range(2, 12, 2)]:
            if first.exchange.history.find(STRANGER, 0, None, name).is_open:
                first.withdraw(name)

    first.on_arrival = second.on_arrival = vanish
    world.step(6)
    execution = only(world)
    assert execution.outcome is Outcome.MISSED
    assert execution.realised_net == 0.0
    assert len(taken(world)) == 1
    assert base_of(world) == [0, 0]


def test_a_partly_filled_first_leg_sizes_the_second() -> None:
    """What the first was filled with is what the second asks for."""
    world = trading(retry_ms=10_000)
    lift(world)
    first = world.venues[0]

    def shrink(order: object) -> None:
        if isinstance(order, PlaceOrder) and order.tif is TimeInForce.IOC:
            first.withdraw("s2")
            first.quote(Side.SELL, 10_001, 7_000)
            for k in range(4, 12, 2):
                first.withdraw(f"s{k}")
            first.on_arrival = lambda _: None

    first.on_arrival = shrink
    world.step(6)
    execution = only(world)
    assert execution.first is world.engine.crossvenue.outlets[0]  # type: ignore[union-attr]
    assert execution.outcome is Outcome.PARTIAL
    assert execution.bought_atoms == execution.sold_atoms == 7_000 * LOT


@pytest.mark.parametrize("refuses", [True, False], ids=["refused", "moved"])
def test_a_missed_second_leg_is_unwound_where_it_costs_least(refuses: bool) -> None:
    """The second venue refuses, or its bid is gone: what was bought is sold again, and the loss is told."""
    world = trading(retry_ms=10_000)
    high = lift(world)
    second = world.venues[1]
    world.step()
    if refuses:
        second.refuses = True
    else:
        second.withdraw(high)
    world.step(4)
    second.refuses = False
    world.step(20)
    execution = only(world)
    assert execution.outcome is Outcome.UNWOUND
    assert execution.bought_atoms == execution.sold_atoms > 0
    assert execution.legs[-1].stage is Stage.UNWIND
    assert sum(base_of(world)) == execution.residual_atoms
    assert worth(world) == pytest.approx(execution.realised_net, abs=1e-6)
    assert world.engine.crossvenue is not None
    route = world.engine.crossvenue.router.routes[-1]
    assert route.chosen == execution.legs[-1].outlet.id
    assert len(route.candidates) == 2
    if not refuses:
        assert execution.realised_net < 0.0 < execution.expected_net
        assert route.chosen == 0, "the venue whose bid is left"


def test_what_cannot_be_undone_in_time_is_left_and_said() -> None:
    """Nobody bids anywhere: after the time given it is inventory."""
    world = trading(retry_ms=10_000, unwind_s_max=0.3)
    high = lift(world)
    world.step()
    first, second = world.venues
    second.withdraw(high)
    for k in range(1, 11, 2):
        first.withdraw(f"s{k}")
        second.withdraw(f"s{k}")
    first.quote(Side.BUY, 9_000, 100_000)
    second.quote(Side.BUY, 9_000, 100_000)
    world.step(40)
    execution = only(world)
    assert execution.outcome is Outcome.LEFT_OPEN
    assert execution.unmatched_atoms == execution.bought_atoms > 0
    assert not executor(world).active


def test_the_slower_venue_goes_first() -> None:
    """Where its orders take longer it is likelier to miss."""
    world = trading()
    assert world.engine.crossvenue is not None
    latencies = world.engine.crossvenue.latencies.by_venue
    for _ in range(20):
        latencies["second"].on_answer(900_000_000)
    lift(world)
    world.step(1)
    assert [o.instrument for o in taken(world)] == [1]


def test_limits_hold_for_arbitrage_too() -> None:
    """What the position limit leaves room for is less than what pays: held back, and said so."""
    world = two_quiet_venues(
        arbitrage=arbitrage(execute=True, slippage_share=0.0, notional_max=3_000),
        risk=risk(position_notional_max=500, order_notional_max=500, loss_max=10_000),
    )
    lift(world)
    world.step(6)
    assert taken(world) == []
    assert executor(world).held_back["size"] > 0


def test_nothing_is_begun_once_the_level_is_raised() -> None:
    """A halted session does not trade on anything."""
    world = trading()
    world.event(OperatorCommand(world.now_ns, OperatorAction.HALT, "test"))
    lift(world)
    world.step(6)
    assert taken(world) == []
    assert world.engine.crossvenue is not None
    assert world.engine.crossvenue.scanner.opportunities.opened == 1, "it is found all the same"


def test_our_quotes_are_never_traded_with() -> None:
    """What stands in the way is taken back first, and no order of ours ever meets another."""
    spec = world_spec(
        [instrument_at("first", 0), instrument_at("second", 1)],
        quoting=quoting(
            levels=1, order_notional=500, fixed_half_spread_bps=2.0, spread_model="fixed"
        ),
        arbitrage=arbitrage(execute=True, slippage_share=0.0, profit_min=Decimal(1)),
    )
    world = World(spec)
    for venue, mid in zip(world.venues, (10_000, 10_060), strict=True):
        for away in (1, 20, 30):
            venue.quote(Side.BUY, mid - away, 50_000)
            venue.quote(Side.SELL, mid + away, 50_000)
    world.bring_up()
    world.step(40)
    assert executor(world).held_back["own_orders"] > 0
    assert executor(world).outcomes[Outcome.COMPLETE] > 0
    assert [v.prevented for v in world.venues] == [0, 0]


def test_a_session_that_trades_replays_to_the_same_commands(tmp_path: Path) -> None:
    """Two lively venues with a lag: executions, their sums and every command come out of the journal again."""
    spec = world_spec(
        [instrument_at("first", 0), instrument_at("second", 1)],
        arbitrage=arbitrage(
            execute=True, slippage_share=0.0, profit_min=Decimal("0.25"), notional_max=3_000
        ),
    )
    folder = tmp_path / "session"
    with JournalWriter(folder, spec, segment_bytes=1 << 22, sync_ns=10**9) as journal:
        world = World(spec, flow=LIVELY, seed=11, journal=journal)
        world.bring_up()
        world.run(40.0)
    made = executor(world)
    assert made.begun > 3
    history = CrossVenueHistory()
    again = replay(folder, lambda engine, _: history.look(engine))
    history.finish(again.engine)
    assert again.divergence is None
    assert (len(history.told.opportunities), len(history.told.executions)) == (
        world.engine.crossvenue.scanner.opportunities.opened,  # type: ignore[union-attr]
        made.begun,
    )
    assert [e.number for e in history.told.executions] == list(range(1, made.begun + 1))
    assert again.engine.crossvenue is not None
    other = again.engine.crossvenue.executor
    assert other is not None
    assert (other.begun, other.outcomes, other.realised_net) == (
        made.begun,
        made.outcomes,
        made.realised_net,
    )
    for maker in world.engine.makers:
        assert maker.ledger.pnl is not None
        assert maker.ledger.pnl.identity_error == 0
        assert maker.ledger.pnl.sources.total_units == maker.ledger.pnl.total_units


def test_both_legs_must_fit_into_the_order_rate() -> None:
    """Each venue must have one left for its leg, and one more to undo what the other misses."""
    world = two_quiet_venues(
        arbitrage=arbitrage(execute=True, slippage_share=0.0, notional_max=3_000),
        risk=risk(position_notional_max=100_000, order_notional_max=50_000, orders_per_10s=8),
    )
    left = world.engine.throttle.available(Counted.ORDERS, world.now_ns)
    assert left is not None
    assert left < 2
    lift(world)
    world.step()
    assert taken(world) == []
    assert executor(world).held_back["order_rate"] > 0
