"""The engine from events to commands: when it quotes, what it quotes, and when it must not."""

import pytest

from mmd.core.commands import CancelOrder, PlaceOrder, QueryOrder, ReplaceOrder, ResyncBook
from mmd.core.events import (
    Decision,
    FeedDown,
    InstrumentStatus,
    OperatorAction,
    OperatorCommand,
    OrderStatus,
    PrivateDown,
    PrivateUp,
    Reconciled,
    RequestTimedOut,
)
from mmd.core.instrument import TradingStatus
from mmd.core.quoting.quote_state import QuoteReason
from mmd.core.risk.levels import RiskLevel
from mmd.core.units import ATOMS_PER_UNIT, Side, TimeInForce, session_of
from tests.engine_bench import ZERO, EngineBench
from tests.session import SESSION, quoting, risk, session_spec


@pytest.fixture
def bench() -> EngineBench:
    up = EngineBench()
    up.bring_up()
    return up


def quoting_bench() -> EngineBench:
    up = EngineBench()
    up.bring_up()
    up.turn()
    return up


def test_first_decision_quotes_three_levels_a_side(bench: EngineBench) -> None:
    """Post-only orders of this session, distinct prices, none crossing the market or each other."""
    placed = bench.turn()
    assert all(isinstance(c, PlaceOrder) for c in placed)
    bids = [c for c in placed if isinstance(c, PlaceOrder) and c.side is Side.BUY]
    asks = [c for c in placed if isinstance(c, PlaceOrder) and c.side is Side.SELL]
    assert len(bids) == len(asks) == 3
    assert len({c.price_ticks for c in bids}) == len({c.price_ticks for c in asks}) == 3
    assert max(c.price_ticks for c in bids) < 10_001
    assert min(c.price_ticks for c in asks) > 9_999
    for command in (*bids, *asks):
        assert command.tif is TimeInForce.POST_ONLY
        assert session_of(command.client_order_id) == SESSION


def test_nothing_is_sent_while_nothing_changes(bench: EngineBench) -> None:
    """Acknowledged orders at their targets are left alone."""
    bench.turn()
    bench.pass_time(1)
    assert bench.turn() == []


@pytest.mark.parametrize("missing", ["feed", "reconciliation", "private"])
def test_no_quotes_before_everything_is_up(missing: str) -> None:
    """Book, holdings and order entry must all be known."""
    bench = EngineBench()
    bench.bring_up()
    fresh = EngineBench()
    fresh.now_ns = bench.now_ns
    if missing != "feed":
        from mmd.core.events import FeedUp

        fresh.event(FeedUp(fresh.now_ns, ZERO))
        fresh.snapshot()
    if missing != "reconciliation":
        fresh.event(Reconciled(fresh.now_ns, "embedded", ZERO, 0))
    if missing != "private":
        fresh.event(PrivateUp(fresh.now_ns, "embedded"))
    assert fresh.turn() == []


def test_quotes_follow_the_market(bench: EngineBench) -> None:
    """After a jump every order is where it belongs again; a bid that would meet our own old ask waits for its end."""
    bench.turn()
    bench.pass_time(100)
    bench.shift(40)
    assert all(isinstance(c, ReplaceOrder | CancelOrder) for c in bench.turn())
    bench.turn()
    assert len(bench.open) == 6
    assert bench.best(Side.BUY).price_ticks > 9_999


def test_a_one_tick_move_keeps_orders_that_still_fit() -> None:
    """With one-tick spacing, a move of a tick touches one end of each ladder and keeps the queue places between."""
    up = EngineBench(
        session_spec(
            quoting=quoting(
                spread_model="fixed",
                fixed_half_spread_bps=2,
                level_spacing_bps=1,
                level_spread_growth=0,
                size_skew=False,
                level_size_decay=1,
            )
        )
    )
    up.bring_up()
    before = {c.client_order_id for c in up.turn() if isinstance(c, PlaceOrder)}
    up.pass_time(100)
    up.shift(1)
    up.turn()
    kept = before & set(up.open)
    assert len(kept) == 4


def test_a_command_counts_as_sent_once_the_caller_comes_back(bench: EngineBench) -> None:
    """So the next one is judged with it; a caller who goes away has still taken the last."""
    commands = bench.engine.decide(Decision(bench.now_ns, 1))
    orders = bench.maker.orders
    next(commands)
    assert (sum(orders.open_orders), bench.maker.counts.sent) == (0, 0)
    next(commands)
    assert (sum(orders.open_orders), bench.maker.counts.sent) == (1, 1)
    del commands
    assert (sum(orders.open_orders), bench.maker.counts.sent) == (2, 2)


def test_gap_withdraws_and_asks_for_a_resync(bench: EngineBench) -> None:
    """A hole in the sequence: no quotes on that book, one resync asked for, quotes again after the snapshot."""
    bench.turn()
    bench.pass_time(50)
    bench.diff({9_999: 1}, gap=3)
    commands = bench.turn()
    assert sum(isinstance(c, ResyncBook) for c in commands) == 1
    assert bench.open == {}
    assert bench.maker.view.gaps == 1
    assert bench.turn() == []
    bench.snapshot()
    assert len([c for c in bench.turn() if isinstance(c, PlaceOrder)]) == 6


def test_stale_book_withdraws(bench: EngineBench) -> None:
    """No update for longer than the limit: every quote is pulled; the next update brings them back."""
    bench.turn()
    bench.pass_time(3_001)
    commands = bench.turn()
    assert len(commands) == 6
    assert all(isinstance(c, CancelOrder) for c in commands)
    assert bench.maker.reason is QuoteReason.BOOK_STALE
    bench.diff({9_999: 4_000})
    assert len(bench.turn()) == 6


def test_feed_loss_withdraws(bench: EngineBench) -> None:
    """A lost feed is no market to quote on."""
    bench.turn()
    bench.event(FeedDown(bench.now_ns, ZERO, "reset"))
    assert all(isinstance(c, CancelOrder) for c in bench.turn())
    assert bench.open == {}


def test_halted_instrument_is_not_quoted(bench: EngineBench) -> None:
    """CANCEL_ONLY lets cancels out and nothing else."""
    bench.turn()
    bench.event(InstrumentStatus(bench.now_ns, ZERO, TradingStatus.CANCEL_ONLY))
    assert all(isinstance(c, CancelOrder) for c in bench.turn())
    assert bench.turn() == []


def test_lost_private_link_makes_every_order_unknown_until_queried(bench: EngineBench) -> None:
    """After a reconnect each order is asked for, and quoting goes on only when all are known."""
    orders = [c for c in bench.turn() if isinstance(c, PlaceOrder)]
    bench.event(PrivateDown(bench.now_ns, "embedded", "reset"))
    assert bench.turn() == []
    bench.pass_time(1_500)
    bench.diff({9_999: 4_000})
    bench.event(PrivateUp(bench.now_ns, "embedded"))
    queries = bench.decide()
    assert {c.client_order_id for c in queries if isinstance(c, QueryOrder)} == set(bench.open)
    for order in orders:
        bench.event(
            OrderStatus(
                bench.now_ns,
                ZERO,
                order.client_order_id,
                True,
                True,
                1,
                order.side,
                order.price_ticks,
                order.qty_lots,
                0,
            )
        )
    assert bench.maker.orders.unknown_count == 0
    assert not any(isinstance(c, QueryOrder | PlaceOrder) for c in bench.turn())


def test_timed_out_request_pauses_quoting_and_is_queried(bench: EngineBench) -> None:
    """An order whose answer never came may be working: ask, and add nothing meanwhile."""
    order = next(c for c in bench.decide() if isinstance(c, PlaceOrder))
    bench.event(RequestTimedOut(bench.now_ns, ZERO, order.client_order_id))
    assert bench.maker.orders.unknown_count == 1
    commands = bench.decide()
    asked = [c.client_order_id for c in commands if isinstance(c, QueryOrder)]
    assert asked == [order.client_order_id]
    assert not any(isinstance(c, PlaceOrder | ReplaceOrder) for c in commands)


def test_fill_moves_position_and_quotes(bench: EngineBench) -> None:
    """A bought order makes us long; both quotes go down; the identity holds; the side rests for the delay."""
    bench.turn()
    bid_before, ask_before = bench.best(Side.BUY).price_ticks, bench.best(Side.SELL).price_ticks
    for order in [o for o in bench.open.values() if o.side is Side.BUY]:
        bench.fill(order.client_order_id)
        del bench.open[order.client_order_id]
    pnl = bench.maker.ledger.pnl
    assert pnl is not None
    assert bench.maker.ledger.position_lots > 0
    assert pnl.identity_error == 0
    commands = bench.turn()
    assert not any(isinstance(c, PlaceOrder) and c.side is Side.BUY for c in commands)
    bench.pass_time(150)
    bench.tick()
    bench.turn()
    assert bench.best(Side.BUY).price_ticks <= bid_before
    assert bench.best(Side.SELL).price_ticks <= ask_before
    assert (bench.best(Side.BUY).price_ticks, bench.best(Side.SELL).price_ticks) != (
        bid_before,
        ask_before,
    )


def test_worst_case_position_never_exceeds_the_limit() -> None:
    """Fill every bid again and again: working and held together stay within the limit."""
    bench = EngineBench(
        session_spec(
            quoting=quoting(refresh_delay_ms=0, inventory_sd_target=20),
            risk=risk(position_notional_max=300),
        )
    )
    bench.bring_up()
    limit = None
    for _ in range(40):
        bench.turn()
        limit = bench.maker.scale.position_lots_max if bench.maker.scale else None
        assert limit is not None
        held = bench.maker.ledger.position_lots
        assert held + bench.maker.orders.open_lots[Side.BUY] <= limit
        assert held - bench.maker.orders.open_lots[Side.SELL] >= -limit
        for order in [o for o in bench.open.values() if o.side is Side.BUY][:1]:
            bench.fill(order.client_order_id)
            del bench.open[order.client_order_id]
        bench.pass_time(20)
        bench.diff({9_999: 4_000 + bench.decisions})
    assert bench.maker.ledger.position_lots > 0


@pytest.mark.parametrize("action", [OperatorAction.STOP, OperatorAction.HALT])
def test_stop_and_halt_pull_every_quote_and_stay(
    bench: EngineBench, action: OperatorAction
) -> None:
    """Every order is cancelled; nothing new is placed whatever the market does."""
    bench.turn()
    bench.event(OperatorCommand(bench.now_ns, action, "test"))
    assert all(isinstance(c, CancelOrder) for c in bench.turn())
    assert bench.open == {}
    assert bench.engine.orders_open == 0
    for _ in range(3):
        bench.pass_time(100)
        bench.shift(20)
        assert bench.turn() == []
    assert bench.engine.levels.level is RiskLevel.HALTED


def test_halt_can_be_resumed_and_stop_cannot(bench: EngineBench) -> None:
    """An operator may resume after HALT; STOP is final."""
    bench.turn()
    for action, resumes in ((OperatorAction.HALT, True), (OperatorAction.STOP, False)):
        bench.event(OperatorCommand(bench.now_ns, action, "test"))
        bench.turn()
        bench.turn()
        bench.event(OperatorCommand(bench.now_ns, OperatorAction.RESUME, "test"))
        assert bool(bench.turn()) is resumes


def test_day_loss_halts() -> None:
    """A fall of the market under a long position beyond the limit cancels all and halts."""
    bench = EngineBench(session_spec(risk=risk(loss_max=1, drawdown_max=1)))
    bench.bring_up()
    bench.turn()
    bench.tick()
    bench.fill(bench.best(Side.BUY).client_order_id)
    bench.pass_time(100)
    bench.shift(-200)
    bench.turn()
    bench.tick()
    bench.turn()
    assert bench.engine.levels.level >= RiskLevel.CANCEL_ALL
    bench.turn()
    assert bench.engine.orders_open == 0


def test_later_reconciliation_measures_drift_and_changes_nothing(bench: EngineBench) -> None:
    """Holdings that our fills do not explain are drift; the position stays what our fills made it."""
    bench.turn()
    fill = bench.fill(bench.best(Side.BUY).client_order_id)
    held = 1_000 * ATOMS_PER_UNIT + fill.qty_lots * bench.maker.instrument.atoms_per_lot
    position = bench.maker.ledger.position_atoms
    bench.event(Reconciled(bench.now_ns, "embedded", ZERO, held))
    assert bench.maker.ledger.drift_atoms == 0
    bench.event(Reconciled(bench.now_ns, "embedded", ZERO, held + 5))
    assert bench.maker.ledger.drift_atoms == 5
    assert bench.maker.ledger.position_atoms == position


def test_a_fill_that_comes_behind_the_reconciliation_it_is_in_explains_its_drift(
    bench: EngineBench,
) -> None:
    """And the level that was raised for it ends; a fill made later explains nothing."""
    bench.turn()
    maker, quoted = bench.maker, bench.best(Side.BUY)
    atoms = quoted.qty_lots * maker.instrument.atoms_per_lot
    held, late = 1_000 * ATOMS_PER_UNIT + atoms, 7
    bench.trades = late - 1
    bench.event(Reconciled(bench.now_ns, "embedded", ZERO, held, late))
    assert maker.ledger.drift_atoms == atoms
    assert bench.engine.levels.level is RiskLevel.REDUCE_ONLY
    assert bench.fill(quoted.client_order_id).trade_id == late
    assert maker.ledger.drift_atoms == 0
    assert bench.engine.levels.level is RiskLevel.NORMAL
    bench.event(Reconciled(bench.now_ns, "embedded", ZERO, held + 5, late))
    bench.turn()
    assert bench.fill(bench.best(Side.BUY).client_order_id).trade_id > late
    assert maker.ledger.drift_atoms == 5


def test_a_target_carries_inventory_over_a_restart() -> None:
    """Holdings beyond the target of an earlier session are inventory from the start."""
    bench = EngineBench(session_spec(target_atoms=(999 * ATOMS_PER_UNIT,)))
    bench.bring_up(base=1_000)
    assert bench.maker.ledger.position_atoms == ATOMS_PER_UNIT
