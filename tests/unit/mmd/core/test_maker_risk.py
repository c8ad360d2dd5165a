"""An instrument under risk control: flattening, blind cancels, caution, drift, late feeds, amends, smoothing."""

import pytest

from mmd.core.blackouts import Blackout
from mmd.core.commands import AmendOrder, CancelOrder, PlaceOrder, QueryOrder, ReplaceOrder
from mmd.core.events import (
    Balance,
    CancelRejected,
    ClockOffset,
    DayMark,
    FeedDown,
    FeedUp,
    OperatorAction,
    OperatorCommand,
    OrderRejected,
    PrivateDown,
    RateUsage,
    Reconciled,
    RejectReason,
    Timer,
)
from mmd.core.orders.order import OrderPurpose
from mmd.core.quoting.quote_state import QuoteReason, QuoteState
from mmd.core.risk.levels import RiskLevel
from mmd.core.risk.reasons import LevelReason, RiskReason
from mmd.core.trading_day import DayState
from mmd.core.units import ATOMS_PER_UNIT, InstrumentId, Side, TimeInForce
from tests.engine_bench import MS, ZERO, EngineBench
from tests.session import instrument, quoting, risk, session_spec

ONE = InstrumentId(1)
START_S = 1_700_000_000
"""Of the session's clock, at engine time 0."""


def bench_of(**spec) -> EngineBench:
    bench = EngineBench(session_spec(**spec))
    bench.bring_up()
    bench.turn()
    return bench


def operate(bench: EngineBench, action: OperatorAction) -> None:
    bench.event(OperatorCommand(bench.now_ns, action, "test"))


def buy(bench: EngineBench) -> int:
    """Have our best bid filled; returns its lots."""
    best = next(i for i, o in bench.open.items() if o is bench.best(Side.BUY))
    fill = bench.fill(best)
    del bench.open[best]
    return fill.qty_lots


# Flattening


@pytest.mark.parametrize("halted", [False, True])
def test_flatten_cancels_first_then_takes_in_slices_and_halts(halted: bool) -> None:
    """Immediate-or-cancel orders of the size limit, one at a time and paced, until flat; halted or not before."""
    bench = bench_of(risk=risk(order_notional_max=105))
    lots = buy(bench) + buy(bench)
    if halted:
        operate(bench, OperatorAction.HALT)
        bench.turn()
        bench.turn()
        assert bench.engine.levels.level is RiskLevel.HALTED
    operate(bench, OperatorAction.FLATTEN)
    assert bench.engine.levels.level is RiskLevel.FLATTEN
    taken = []
    for _ in range(20):
        for command in bench.turn():
            if isinstance(command, PlaceOrder):
                assert (command.tif, command.side) == (TimeInForce.IOC, Side.SELL)
                assert not [i for i in bench.open if i != command.client_order_id]
                taken.append((bench.now_ns, command.qty_lots))
                sent = bench.maker.orders.get(command.client_order_id)
                assert sent is not None
                assert sent.purpose is OrderPurpose.FLATTEN
                bench.fill(command.client_order_id)
                del bench.open[command.client_order_id]
            else:
                assert isinstance(command, CancelOrder)
        bench.pass_time(100)
    assert sum(qty for _, qty in taken) == lots
    assert len(taken) == 2
    assert taken[1][0] - taken[0][0] >= 250 * MS
    assert bench.engine.levels.level is RiskLevel.HALTED
    assert bench.turn() == []
    operate(bench, OperatorAction.RESUME)
    assert len(bench.turn()) == 6


def test_an_order_that_takes_is_not_cancelled_while_it_can_end_by_itself() -> None:
    """Its cancel would only be refused; one that hangs is."""
    bench = bench_of()
    buy(bench)
    operate(bench, OperatorAction.FLATTEN)
    bench.turn()
    (taking,) = bench.turn()
    assert isinstance(taking, PlaceOrder)
    bench.pass_time(300)
    assert bench.turn() == []
    bench.pass_time(1_800)
    bench.diff({9_999: 4_000})
    assert bench.turn() == [CancelOrder(ZERO, taking.client_order_id)]


@pytest.mark.parametrize(
    "action", [OperatorAction.HALT, OperatorAction.STOP, OperatorAction.CANCEL_ALL]
)
def test_any_other_order_of_an_operator_ends_a_flattening(action: OperatorAction) -> None:
    """Nothing more is taken, the position stays."""
    bench = bench_of()
    buy(bench)
    operate(bench, OperatorAction.FLATTEN)
    bench.turn()
    operate(bench, action)
    assert bench.engine.levels.level is RiskLevel.HALTED
    assert bench.turn() == []


def test_a_flattening_waits_for_a_book_it_can_trust() -> None:
    """On a stale one nothing is taken; the next update lets it go on."""
    bench = bench_of()
    buy(bench)
    operate(bench, OperatorAction.FLATTEN)
    bench.turn()
    bench.pass_time(4_000)
    assert bench.turn() == []
    bench.diff({9_999: 4_000})
    assert [c.side for c in bench.turn() if isinstance(c, PlaceOrder)] == [Side.SELL]


def test_flat_at_once_goes_to_halted() -> None:
    """Nothing is held: only the quotes have to go."""
    bench = bench_of()
    operate(bench, OperatorAction.FLATTEN)
    assert len(bench.turn()) == 6
    bench.turn()
    assert bench.engine.levels.level is RiskLevel.HALTED


@pytest.mark.parametrize(("on_loss", "level"), [("halt", "CANCEL_ALL"), ("flatten", "FLATTEN")])
def test_a_loss_halts_or_flattens(on_loss: str, level: str) -> None:
    """As the settings say."""
    bench = bench_of(risk=risk(on_loss=on_loss, loss_max=1))
    buy(bench)
    bench.tick()
    bench.pass_time(100)
    bench.shift(-300)
    bench.turn()
    bench.tick()
    assert bench.engine.levels.level.name == level
    assert bench.engine.levels.reasons == (LevelReason.DAY_LOSS,)


# The private link is down


def test_blind_orders_are_cancelled_once_a_period_when_quoting_must_stop() -> None:
    """Only cancels, each once, then again after two seconds; no questions that nobody could answer."""
    bench = bench_of()
    bench.event(PrivateDown(bench.now_ns, "embedded", "reset"))
    bench.pass_time(10)
    assert bench.turn() == []
    bench.event(FeedDown(bench.now_ns, ZERO, "reset"))
    first = bench.decide()
    assert {c.client_order_id for c in first if isinstance(c, CancelOrder)} == set(bench.open)
    assert len(first) == 6
    bench.pass_time(1_000)
    assert bench.decide() == []
    bench.pass_time(1_000)
    assert len(bench.decide()) == 6


@pytest.mark.parametrize("action", [OperatorAction.HALT, OperatorAction.FLATTEN])
def test_an_operator_can_pull_blind_orders(action: OperatorAction) -> None:
    """And never gets a new one."""
    bench = bench_of()
    bench.event(PrivateDown(bench.now_ns, "embedded", "reset"))
    bench.pass_time(10)
    operate(bench, action)
    commands = bench.turn()
    assert len(commands) == 6
    assert all(isinstance(c, CancelOrder) for c in commands)
    assert bench.open == {}
    assert bench.turn() == []


def test_blind_orders_go_when_the_link_stays_down() -> None:
    """After the setting's time, with the market as it was."""
    bench = bench_of(risk=risk(private_down_ms=1_000))
    bench.event(PrivateDown(bench.now_ns, "embedded", "reset"))
    bench.pass_time(999)
    assert bench.decide() == []
    bench.pass_time(1)
    assert len(bench.decide()) == 6


# Caution


def test_cautious_quotes_are_wider_and_smaller_by_the_settings() -> None:
    """At half a reject storm; and back after a window without rejects."""
    bench = bench_of(
        risk=risk(rejects_max=4, rejects_window_ms=1_000),
        quoting=quoting(
            spread_model="fixed",
            fixed_half_spread_bps=10,
            passive_spread_multiplier=3,
            passive_size_multiplier=0.5,
            requote_tolerance_bps=0,
        ),
    )
    before = bench.best(Side.BUY)
    for _ in range(2):
        bench.maker._storm.on_reject(RejectReason.OTHER, bench.now_ns)
    assert bench.engine.levels.level is RiskLevel.CAUTIOUS
    bench.turn()
    bench.turn()
    assert (bench.maker.state, bench.maker.reason) == (QuoteState.PASSIVE, QuoteReason.RISK)
    after = bench.best(Side.BUY)
    assert 10_000 - after.price_ticks == pytest.approx(3 * (10_000 - before.price_ticks), abs=1)
    assert after.qty_lots == before.qty_lots // 2
    bench.pass_time(1_001)
    bench.tick()
    assert bench.engine.levels.level is RiskLevel.NORMAL


def test_a_storm_at_one_instrument_is_not_ended_by_the_calm_of_another() -> None:
    """Each instrument's watchers clear what they raised, and nothing else."""
    both = (instrument(), instrument(id=ONE, symbol="BTCUSDT"))
    bench = EngineBench(
        session_spec(
            instruments=both,
            target_atoms=(None, None),
            risk=risk(rejects_max=4, rejects_window_ms=1_000, adverse_streak_max=0),
        )
    )
    bench.bring_up()
    storm = bench.engine.makers[0]._storm
    for _ in range(4):
        storm.on_reject(RejectReason.OTHER, bench.now_ns)
    for _ in range(5):
        bench.pass_time(100)
        bench.tick()
    assert bench.engine.levels.level is RiskLevel.REDUCE_ONLY
    bench.pass_time(1_000)
    bench.tick()
    assert bench.engine.levels.level is RiskLevel.NORMAL


def test_a_storm_of_market_data_makes_cautious_and_then_ends() -> None:
    """Counted once a second; back after a time of health."""
    limits = risk(feed_messages_per_s_max=50, caution_hold_ms=2_000)
    bench = bench_of(risk=limits)
    seen = []
    for per_s in (20, 100, 20, 20, 20):
        for n in range(per_s):
            bench.pass_time(1_000 / per_s)
            bench.diff({9_999: 4_000 + n})
        bench.tick()
        bench.turn()
        seen.append((bench.engine.levels.level.name, bench.maker.state.name))
    assert seen[1:4] == [("CAUTIOUS", "PASSIVE")] * 2 + [("NORMAL", "ACTIVE")]
    assert bench.engine.levels.rises[LevelReason.MESSAGE_STORM] == 1


def test_adverse_fills_in_a_row_make_cautious() -> None:
    """Each bid is filled and the mid falls a second later; fills of one sweep count once."""
    bench = bench_of(risk=risk(adverse_streak_max=2, caution_hold_ms=5_000, loss_max=10_000))
    seen = []
    for _ in range(2):
        buy(bench)
        buy(bench)
        bench.pass_time(150)
        bench.shift(-60)
        bench.turn()
        bench.pass_time(1_000)
        bench.tick()
        seen.append((bench.maker.adverse.streak, bench.engine.levels.level))
        bench.turn()
        bench.turn()
    assert seen == [(1, RiskLevel.NORMAL), (2, RiskLevel.CAUTIOUS)]
    bench.pass_time(5_000)
    bench.tick()
    assert bench.engine.levels.level is RiskLevel.NORMAL
    assert bench.maker.adverse.streak == 0


# What hinders


def test_a_blackout_withdraws_and_ends_by_itself() -> None:
    """Exactly in its span, by the session's clock."""
    span = Blackout(start_s=START_S + 2, duration_s=1, reason="release")
    spec = session_spec()
    bench = bench_of(risk=risk().__class__(**_fields(spec.risk, blackouts=(span,))))
    bench.pass_time(999)
    assert bench.turn() == []
    bench.pass_time(1)
    assert all(isinstance(c, CancelOrder) for c in bench.turn())
    assert bench.maker.reason is QuoteReason.BLACKOUT
    assert bench.engine.risk.hindrance is RiskReason.BLACKOUT
    bench.pass_time(1_000)
    assert len(bench.turn()) == 6


def test_a_clock_that_is_off_makes_cautious_and_then_withdraws() -> None:
    """From half the limit, and beyond it; a new measurement ends it, caution after the hold."""
    bench = bench_of(risk=risk(clock_offset_ms_max=100, caution_hold_ms=1_000))
    for offset_ms, level, reason in (
        (50, "NORMAL", "NONE"),
        (-51, "CAUTIOUS", "RISK"),
        (-101, "CAUTIOUS", "CLOCK_OFFSET"),
        (0, "CAUTIOUS", "RISK"),
    ):
        bench.event(ClockOffset(bench.now_ns, "embedded", offset_ms * MS, MS))
        bench.tick()
        bench.turn()
        found = bench.engine.levels.level.name, bench.maker.reason.name
        assert found == (level, reason), offset_ms
    bench.pass_time(1_000)
    bench.tick()
    assert bench.engine.levels.level is RiskLevel.NORMAL


@pytest.mark.parametrize("offset_ms", [0, 300])
def test_a_late_feed_makes_cautious_and_then_withdraws(offset_ms: int) -> None:
    """By the venue's times, corrected by the clocks' difference; the next event in time brings quotes back."""
    bench = bench_of(risk=risk(feed_latency_ms_max=100, caution_hold_ms=0, clock_offset_ms_max=0))
    bench.event(ClockOffset(bench.now_ns, "embedded", offset_ms * MS, MS))
    for late_ms, level, reason in (
        (50, "NORMAL", "NONE"),
        (51, "CAUTIOUS", "RISK"),
        (101, "CAUTIOUS", "FEED_LATENCY"),
        (20, "NORMAL", "NONE"),
    ):
        stated_ns = bench.now_ns + START_S * 10**9 + (offset_ms - late_ms) * MS
        bench.diff({9_999: 4_000 + late_ms}, ts_event_ns=stated_ns)
        bench.tick()
        bench.turn()
        found = bench.engine.levels.level.name, bench.maker.reason.name
        assert found == (level, reason), late_ms
    assert bench.engine.risk.latency_ns(bench.maker.view.lag_ns) == 20 * MS


def test_the_order_to_trade_limit_stops_quoting_until_a_new_day() -> None:
    """The grace of the day is used up; what works is left alone."""
    bench = bench_of(risk=risk(order_to_trade_max=1, order_to_trade_grace=6, stale_book_ms=10**9))
    bench.pass_time(100)
    bench.shift(40)
    assert all(isinstance(c, CancelOrder) for c in bench.turn())
    assert bench.turn() == []
    assert bench.engine.gate.counts[RiskReason.ORDER_TO_TRADE] > 0
    bench.pass_time(24 * 3_600 * 1_000)
    bench.tick()
    assert len(bench.turn()) == 6


def test_exposure_limits_bound_what_is_quoted() -> None:
    """Tighter than the position limit; worst case of either side."""
    bench = bench_of(risk=risk(exposure_gross_max=150))
    bench.tick()
    bench.turn()
    for _ in range(10):
        worst = bench.maker.ledger.position_lots + bench.maker.orders.open_lots[Side.BUY]
        assert worst * 0.1 <= 150
        buy(bench)
        bench.pass_time(200)
        bench.tick()
        bench.turn()
        if not [o for o in bench.open.values() if o.side is Side.BUY]:
            break
    assert bench.engine.gate.counts[RiskReason.EXPOSURE] > 0
    assert bench.engine.risk.commitments.total.gross_atoms <= 150 * ATOMS_PER_UNIT


# Drift


def test_holdings_that_fills_do_not_explain_reduce_only() -> None:
    """Beyond the tolerance; a reconciliation that agrees ends it."""
    bench = bench_of(risk=risk(position_drift_max=1))
    at = 1_000 * ATOMS_PER_UNIT
    for atoms, level in ((at + 10**6, "NORMAL"), (at + 2 * 10**6, "REDUCE_ONLY"), (at, "NORMAL")):
        bench.event(Reconciled(bench.now_ns, "embedded", ZERO, atoms))
        assert bench.engine.levels.level.name == level


def test_a_position_smaller_than_an_order_is_reduced_where_only_reducing_is_allowed() -> None:
    """The order that does it is no larger than the position, so that it passes."""
    bench = bench_of()
    bench.fill(bench.best(Side.BUY).client_order_id, held := bench.best(Side.BUY).qty_lots // 3)
    bench.engine.levels.escalate(RiskLevel.REDUCE_ONLY, LevelReason.ORDER_BREACH, bench.now_ns)
    for _ in range(3):
        bench.turn()
    assert [(o.side, o.qty_lots) for o in bench.open.values()] == [(Side.SELL, held)]


def test_a_balance_that_stays_unexplained_reduces_only() -> None:
    """After two seconds; one whose fill comes behind it, or ahead of it, does not."""
    bench = bench_of()
    lot_atoms = bench.maker.instrument.atoms_per_lot
    held = 1_000 * ATOMS_PER_UNIT + bench.best(Side.BUY).qty_lots * lot_atoms
    bench.event(Balance(bench.now_ns, "embedded", "MMD", held, 0))
    bench.tick()
    buy(bench)
    bench.pass_time(3_000)
    bench.tick()
    assert bench.engine.levels.level is RiskLevel.NORMAL
    bench.diff({9_999: 4_000})
    bench.turn()
    buy(bench)
    bench.tick()
    bench.pass_time(3_000)
    bench.tick()
    assert bench.engine.levels.level is RiskLevel.NORMAL
    bench.event(Balance(bench.now_ns, "embedded", "MMD", 5 * held, 0))
    bench.tick()
    bench.pass_time(2_000)
    bench.tick()
    assert bench.engine.levels.reasons == (LevelReason.POSITION_DRIFT,)


# The day


def test_a_loss_is_counted_over_a_restart() -> None:
    """What the first session lost leaves the second only the rest of the limit; another day forgets it."""
    spec = {"risk": risk(loss_max=50, drawdown_max=1_000)}
    first = bench_of(**spec)
    buy(first)
    first.tick()
    first.pass_time(100)
    first.shift(-2_000)
    first.turn()
    first.tick()
    day = first.engine.risk.day_state
    assert day is not None
    assert -50 * ATOMS_PER_UNIT < day.pnl_atoms < -5 * ATOMS_PER_UNIT
    for carried, level in (
        (day, RiskLevel.NORMAL),
        (DayState(**_fields(day, pnl_atoms=-50 * ATOMS_PER_UNIT)), RiskLevel.CANCEL_ALL),
        (
            DayState(**_fields(day, pnl_atoms=-50 * ATOMS_PER_UNIT, day=day.day - 1)),
            RiskLevel.NORMAL,
        ),
        (
            DayState(**_fields(day, pnl_atoms=-50 * ATOMS_PER_UNIT, currency="EUR")),
            RiskLevel.NORMAL,
        ),
    ):
        second = bench_of(**spec, day=carried)
        second.tick()
        assert second.engine.levels.level is level
    second = bench_of(**spec, day=day)
    second.tick()
    second.event(DayMark(second.now_ns, day.day, day.currency, 0, 0))
    assert second.engine.risk.day_state == day


def test_the_day_rolls_where_the_settings_say() -> None:
    """Loss and ratio count anew from there."""
    hours = START_S % 86_400 // 3_600
    bench = bench_of(risk=risk(day_starts=f"{hours + 1:02d}:00", stale_book_ms=10**9))
    bench.tick()
    before = bench.engine.risk.day
    bench.pass_time((3_600 - START_S % 3_600) * 1_000 - 1_001)
    bench.tick()
    assert bench.engine.risk.day == before
    assert bench.engine.risk.ratio.orders == 6
    bench.pass_time(1)
    bench.tick()
    assert bench.engine.risk.day == before + 1
    assert bench.engine.risk.ratio.orders == 0


# Amends and smoothing


def test_a_venue_that_amends_is_amended() -> None:
    """A smaller target shrinks the order in place; without the capability it is kept as it is."""
    for amends_max in (0, 10):
        bench = bench_of(
            instruments=(instrument(amends_max=amends_max),),
            quoting=quoting(
                spread_model="fixed",
                fixed_half_spread_bps=3,
                fixed_skew_half_spreads=0,
                refresh_delay_ms=0,
            ),
        )
        buy(bench)
        commands = bench.turn()
        amends = [c for c in commands if isinstance(c, AmendOrder)]
        assert bool(amends) == (amends_max > 0)
        for amend in amends:
            assert 0 < amend.qty_lots < bench.open[amend.client_order_id].qty_lots


def test_smoothing_lags_the_fair_value() -> None:
    """By its time constant; without it quotes jump with the market."""
    fair = {}
    for smoothing_s in (0, 10):
        bench = bench_of(quoting=quoting(smoothing_s=smoothing_s))
        bench.pass_time(1_000)
        bench.shift(40)
        bench.turn()
        fair[smoothing_s] = bench.maker.quoter.fair_ticks
    assert fair[0] == pytest.approx(10_040, abs=1)
    assert fair[10] == pytest.approx(10_000 + 40 * 0.0952, abs=1)


def test_uptime_counts_quotes_on_both_sides() -> None:
    """By the timer's samples since the account is known."""
    bench = bench_of()
    for _ in range(4):
        bench.event(Timer(bench.now_ns))
        bench.pass_time(100)
    assert bench.maker.uptime.ratio == 1.0
    operate(bench, OperatorAction.HALT)
    bench.turn()
    bench.event(Timer(bench.now_ns))
    assert bench.maker.uptime.ratio == 0.75


def test_a_refused_blind_cancel_leaves_the_order_to_be_asked_for() -> None:
    """It is still counted, and queried when the link is back."""
    bench = bench_of()
    bench.event(PrivateDown(bench.now_ns, "embedded", "reset"))
    operate(bench, OperatorAction.HALT)
    bench.pass_time(1)
    cancels = bench.decide()
    first = cancels[0].client_order_id
    bench.event(CancelRejected(bench.now_ns, ZERO, first, RejectReason.OTHER, 0, "not sent"))
    assert bench.maker.orders.unknown_count == 6
    assert not any(isinstance(c, QueryOrder | ReplaceOrder) for c in bench.decide())


def test_an_account_of_two_instruments_shares_its_quote_currency() -> None:
    """What one has locked in bids is not there for the other; each day's money is summed over both."""
    pair = (instrument(), instrument(id=ONE, symbol="ODDUSDT", base="ODD"))
    spec = session_spec(
        instruments=pair, target_atoms=(None, None), risk=risk(exposure_gross_max=10_000)
    )
    bench = EngineBench(spec)
    other = bench.engine.makers[1]
    bench.bring_up(quote=300)
    bench.event(FeedUp(bench.now_ns, ONE))
    bench.snapshot(at=ONE)
    bench.event(Balance(bench.now_ns, "embedded", "ODD", 100 * ATOMS_PER_UNIT, 0))
    bench.event(Reconciled(bench.now_ns, "embedded", ONE, 100 * ATOMS_PER_UNIT))
    bench.tick()
    commands = bench.turn()
    for side in Side:
        placed = [c for c in commands if isinstance(c, PlaceOrder) and c.side is side]
        assert {c.instrument for c in placed} == {ZERO, ONE}
        locked = sum(c.price_ticks * c.qty_lots * 1_000 for c in placed)
        assert side is Side.SELL or locked <= 300 * ATOMS_PER_UNIT
    assert bench.engine.gate.counts[RiskReason.BALANCE] > 0
    total = bench.engine.risk.commitments.total
    assert total.gross_atoms == pytest.approx(
        sum(max(m.orders.open_lots) for m in bench.engine.makers) * 0.1 * ATOMS_PER_UNIT
    )
    bench.event(RateUsage(bench.now_ns, "embedded", "ORDERS", 79, 80, 10**10))
    assert bench.engine.throttle.buckets[0].available(bench.now_ns) <= 1
    assert not other.is_flat


def _fields(of, **changes):
    return {name: getattr(of, name) for name in of.__struct_fields__} | changes


def test_an_order_that_the_venue_contradicts_reduces_only_until_it_is_reconciled() -> None:
    """A rejection of what was acknowledged; the next reconciliation that agrees ends it."""
    bench = bench_of()
    order_id = next(iter(bench.open))
    bench.event(OrderRejected(bench.now_ns, ZERO, order_id, RejectReason.OTHER, -1, "no"))
    assert bench.engine.levels.reasons == (LevelReason.ORDER_BREACH,)
    assert bench.maker.counts.breaches == 1
    bench.event(Reconciled(bench.now_ns, "embedded", ZERO, 1_000 * ATOMS_PER_UNIT))
    assert bench.engine.levels.level is RiskLevel.NORMAL


def test_an_order_without_an_answer_is_unknown_after_its_time() -> None:
    """The timer finds it, whatever the venue's adapter does; it is then asked for."""
    bench = bench_of()
    bench.pass_time(100)
    bench.shift(40)
    unanswered = bench.decide()
    bench.pass_time(4_000)
    bench.tick()
    assert bench.maker.orders.unknown_count > 0
    assert bench.maker.counts.timed_out > 0
    asked = {c.client_order_id for c in bench.decide() if isinstance(c, QueryOrder)}
    assert asked & {c.client_order_id for c in unanswered if isinstance(c, ReplaceOrder)}
