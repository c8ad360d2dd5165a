"""The risk gate: one test per reason, and that nothing passes which would break a limit."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.commands import AmendOrder, Approved, CancelAll, CancelOrder, QueryOrder, ResyncBook
from mmd.core.instrument import TradingStatus
from mmd.core.risk.gate import CommandCosts, Refused, RiskGate
from mmd.core.risk.levels import RiskLevel, RiskLevels
from mmd.core.risk.limits import Bounds
from mmd.core.risk.order_to_trade import OrderToTrade
from mmd.core.risk.reasons import LevelReason, RiskReason
from mmd.core.risk.throttle import Budget, Cost, Counted, Throttle
from mmd.core.risk.view import RiskView
from mmd.core.units import Side
from tests.order_events import (
    INSTRUMENT,
    accepted,
    ended,
    fill,
    instrument,
    order_id,
    place,
    replace,
    timed_out,
)
from tests.risk_views import hold, limits, view

R = RiskReason
LOT = 1_000_000
HARMLESS = [
    CancelOrder(INSTRUMENT, order_id(1)),
    CancelAll(INSTRUMENT),
    QueryOrder(INSTRUMENT, order_id(1)),
    ResyncBook(INSTRUMENT),
]


def gate(budgets=(), level=RiskLevel.NORMAL, costs=None):
    levels = RiskLevels()
    if level > RiskLevel.NORMAL:
        levels.escalate(level, LevelReason.OPERATOR, 0)
    return RiskGate(levels, Throttle(budgets), costs)


def judge(command, seen, judge_gate=None):
    seen.settle()
    made = (gate() if judge_gate is None else judge_gate).check(command, seen)
    if isinstance(made, Approved):
        assert made.command is command
        return R.OK
    assert isinstance(made, Refused)
    assert made.command is command
    return made.reason


def send(seen, *commands):
    for command in commands:
        seen.orders.on_sent(command, 0)


def test_an_ordinary_order_is_approved_and_counted():
    """Counters are plain integers by reason."""
    one = gate()
    assert judge(place(1), view(), one) is R.OK
    assert judge(place(1), view(), one) is R.DUPLICATE_ID
    assert (one.counts[R.OK], one.counts[R.DUPLICATE_ID], sum(one.counts)) == (1, 1, 2)


def test_a_new_view_lets_nothing_pass():
    """Until the engine has filled it in, nothing is known to be safe."""
    seen = RiskView(Bounds(instrument(), limits()), view().orders)
    assert judge(place(1), seen) is R.NOT_TRADING


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("status", TradingStatus.CANCEL_ONLY, R.NOT_TRADING),
        ("status", TradingStatus.HALTED, R.NOT_TRADING),
        ("is_private_up", False, R.PRIVATE_DOWN),
        ("is_synced", False, R.NOT_SYNCED),
        ("bid_ticks", 0, R.NOT_SYNCED),
        ("bid_ticks", 1002, R.CROSSED_BOOK),
        ("now_ns", 2_000_000_001, R.STALE_BOOK),
        ("now_ns", 2_000_000_000, R.OK),
        ("last_ticks", 2000, R.COLLAR),
        ("last_ticks", 0, R.OK),
    ],
)
def test_the_state_of_the_world_is_checked(field, value, reason):
    """One field wrong is enough."""
    seen = view()
    setattr(seen, field, value)
    assert judge(place(1), seen) is reason


@pytest.mark.parametrize(
    ("grid", "limit", "order", "reason"),
    [
        ({"price_ticks_min": 1001}, {}, {}, R.PRICE_FILTER),
        ({"price_ticks_max": 999}, {}, {}, R.PRICE_FILTER),
        ({"price_ratio_down": 0.999}, {}, {"price_ticks": 999}, R.PRICE_FILTER),
        ({"price_ratio_up": 1.001}, {}, {"side": Side.SELL, "price_ticks": 1003}, R.PRICE_FILTER),
        ({}, {"collar_bps": 100.0}, {"price_ticks": 990}, R.COLLAR),
        ({}, {"collar_bps": 100.0}, {"price_ticks": 991}, R.OK),
        ({"qty_lots_min": 11}, {}, {}, R.QTY_MIN),
        ({}, {}, {"qty_lots": 0}, R.QTY_MIN),
        ({}, {}, {"qty_lots": -5}, R.QTY_MIN),
        ({}, {"qty_lots_max": 9}, {}, R.QTY_MAX),
        ({"notional_min": Decimal("0.11")}, {}, {}, R.NOTIONAL_MIN),
        ({"notional_min": Decimal("0.1")}, {}, {}, R.OK),
        ({}, {"notional_quote_max": Decimal("0.09")}, {}, R.NOTIONAL_MAX),
        ({}, {"position_lots_max_long": 9}, {}, R.WORST_CASE_POSITION),
        ({}, {"position_lots_max_long": 10}, {}, R.OK),
        (
            {},
            {"position_lots_max_short": 9},
            {"side": Side.SELL, "price_ticks": 1002},
            R.WORST_CASE_POSITION,
        ),
    ],
)
def test_the_order_is_checked(grid, limit, order, reason):
    """Filters of the venue and limits of ours, at their edges."""
    assert judge(place(1, **order), view(instrument(**grid), **limit)) is reason


def test_selling_needs_base_and_buying_quote():
    """Each side locks its own asset."""
    seen = view()
    hold(seen, base_atoms=0, quote_atoms=9_999_999)
    assert judge(place(1), seen) is R.BALANCE
    hold(seen, quote_atoms=10_000_000)
    assert judge(place(1), seen) is R.OK
    seen = view()
    hold(seen, base_atoms=10 * LOT - 1)
    assert judge(place(1, Side.SELL, 1002), seen) is R.BALANCE
    hold(seen, base_atoms=10 * LOT)
    assert judge(place(1, Side.SELL, 1002), seen) is R.OK


def test_all_orders_of_a_side_count_in_the_worst_case():
    """Working, in flight, being cancelled and unknown; fractions of a lot too."""
    seen = view(position_lots_max_long=30)
    send(seen, place(1), place(2))
    seen.orders.apply(accepted(1))
    send(seen, CancelOrder(INSTRUMENT, order_id(1)))
    assert judge(place(3), seen) is R.OK
    hold(seen, position_atoms=1)
    assert judge(place(3), seen) is R.WORST_CASE_POSITION
    hold(seen, position_atoms=-LOT)
    assert judge(place(3, qty_lots=11), seen) is R.OK


def test_a_replacement_counts_beside_what_it_replaces():
    """The old order may fill in part before it is cancelled; unless the owner accepts that."""
    for frees, reason in ((False, R.WORST_CASE_POSITION), (True, R.OK)):
        seen = view(position_lots_max_long=10, replacement_frees_leaves=frees)
        send(seen, place(1))
        seen.orders.apply(accepted(1))
        assert judge(replace(1, 2), seen) is reason


def test_a_replacement_uses_the_funds_of_what_it_replaces():
    """The venue unlocks the old order's funds first."""
    seen = view()
    send(seen, place(1))
    seen.orders.apply(accepted(1))
    hold(seen, quote_atoms=10_010_000)  # what the old order locks, and its 10 lots one tick higher
    assert judge(replace(1, 2, price_ticks=1001), seen) is R.OK
    assert judge(replace(1, 3, price_ticks=1002), seen) is R.BALANCE
    hold(seen, base_atoms=10 * LOT)
    send(seen, place(4, Side.SELL, 1005))
    seen.orders.apply(accepted(4))
    assert judge(replace(4, 5, Side.SELL, 1006), seen) is R.OK


def test_only_open_orders_can_be_replaced_or_amended():
    """A replacement of what is gone would be a plain order in disguise."""
    seen = view()
    assert judge(replace(1, 2), seen) is R.NOT_WORKING
    send(seen, place(1))
    seen.orders.apply(fill(1, 50, 4))
    for qty_lots, reason in ((10, R.NOT_WORKING), (4, R.NOT_WORKING), (9, R.OK), (5, R.OK)):
        assert judge(AmendOrder(INSTRUMENT, order_id(1), qty_lots), seen) is reason
    assert judge(replace(1, 2, side=Side.SELL), seen) is R.NOT_WORKING
    seen.orders.apply(ended(1, 4))
    assert judge(replace(1, 2), seen) is R.NOT_WORKING
    assert judge(AmendOrder(INSTRUMENT, order_id(1), 5), seen) is R.NOT_WORKING


def test_open_orders_are_counted_per_side():
    """A replacement may hold a second place while it is under way."""
    seen = view(open_orders_max=2)
    send(seen, place(1), place(2))
    assert judge(place(3), seen) is R.OPEN_ORDERS
    assert judge(place(3, Side.SELL, 1002), seen) is R.OK
    assert judge(replace(1, 3), seen) is R.OK


@pytest.mark.parametrize(
    ("side", "price_ticks", "reason"),
    [
        (Side.BUY, 1005, R.OWN_CROSS),
        (Side.BUY, 1004, R.OK),
        (Side.SELL, 995, R.OWN_CROSS),
        (Side.SELL, 996, R.OK),
    ],
)
def test_our_own_orders_are_never_met(side, price_ticks, reason):
    """Neither at their price nor beyond it."""
    seen = view()
    send(seen, place(1, Side.SELL, 1005), place(2, Side.BUY, 995))
    assert judge(place(3, side, price_ticks), seen) is reason


def test_an_unknown_order_pauses_quoting():
    """Until the venue has said what became of it."""
    seen = view()
    send(seen, place(1))
    seen.orders.apply(timed_out(1))
    assert judge(place(2), seen) is R.UNKNOWN_ORDERS


@pytest.mark.parametrize("level", RiskLevel)
def test_levels_decide_what_may_be_sent(level):
    """Adding below REDUCE_ONLY, reducing there and in FLATTEN, nothing in CANCEL_ALL and HALTED."""
    seen = view()
    hold(seen, position_atoms=10 * LOT)
    adds = judge(place(1), seen, gate(level=level))
    reduces = judge(place(1, Side.SELL, 1002), seen, gate(level=level))
    assert (adds is R.OK) == (level < RiskLevel.REDUCE_ONLY)
    assert (reduces is R.OK) == (level not in {RiskLevel.CANCEL_ALL, RiskLevel.HALTED})


@pytest.mark.parametrize("position_atoms", [0, 10 * LOT - 1, -10 * LOT])
def test_reducing_means_not_turning_the_position_round(position_atoms):
    """With all other orders of its side the order must fit into what is held."""
    seen = view()
    hold(seen, position_atoms=position_atoms)
    reduce_only = gate(level=RiskLevel.REDUCE_ONLY)
    assert judge(place(1, Side.SELL, 1002), seen, reduce_only) is R.LEVEL
    hold(seen, position_atoms=15 * LOT)
    send(seen, place(1, Side.SELL, 1005))
    assert judge(place(2, Side.SELL, 1002), seen, reduce_only) is R.LEVEL
    assert judge(place(2, Side.SELL, 1002, 5), seen, reduce_only) is R.OK


@pytest.mark.parametrize("level", RiskLevel)
@pytest.mark.parametrize("command", HARMLESS)
def test_cancels_queries_and_resyncs_pass_whatever_happens(level, command):
    """The view is empty, the link is down, the session halted."""
    seen = RiskView(Bounds(instrument(), limits()), view().orders)
    assert judge(command, seen, gate(level=level)) is R.OK


def budget(counts, limit, burst, reserve=0):
    return Budget(
        name=counts.name,
        counts=counts,
        limit=limit,
        interval_ns=10**10,
        burst=burst,
        reserve=reserve,
    )


def test_orders_run_out_before_cancels():
    """The reserved share of the message budget is for what reduces risk, down to its last token."""
    weights = CommandCosts(place=Cost(1, 1), cancel=Cost(0, 1))
    limited = gate([budget(Counted.WEIGHT, 10, 4, 2)], costs=weights)
    seen = view()
    hold(seen, position_atoms=100 * LOT)
    assert [judge(place(i), seen, limited) for i in (1, 2, 3)] == [R.OK, R.OK, R.MESSAGE_BUDGET]
    assert judge(place(3, Side.SELL, 1002), seen, limited) is R.OK
    assert judge(HARMLESS[0], seen, limited) is R.OK
    assert judge(HARMLESS[0], seen, limited) is R.MESSAGE_BUDGET


def test_the_order_rate_is_its_own_reason_and_costs_are_the_venues():
    """Cancels take no orders from the order budget."""
    limited = gate([budget(Counted.ORDERS, 4, 2)], costs=CommandCosts(place=Cost(2, 1)))
    seen = view()
    assert [judge(place(i), seen, limited) for i in (1, 2)] == [R.OK, R.ORDER_RATE]
    assert judge(HARMLESS[0], seen, limited) is R.OK


@pytest.mark.parametrize(
    ("command", "held", "reason"),
    [
        (place(9, Side.BUY, 1000, 10), 0, R.ORDER_RESERVE),
        (replace(1, 9, Side.BUY, 1001, 10), 0, R.ORDER_RESERVE),
        (replace(1, 9, Side.BUY, 1000, 11), 0, R.ORDER_RESERVE),
        (replace(1, 9, Side.BUY, 999, 10), 0, R.OK),
        (replace(1, 9, Side.BUY, 1000, 9), 0, R.OK),
        (place(9, Side.SELL, 1010, 10), 10, R.OK),
        (replace(2, 9, Side.SELL, 1009, 10), 5, R.OK),
        (replace(2, 9, Side.SELL, 1009, 11), 5, R.ORDER_RESERVE),
    ],
)
def test_the_reserve_of_the_order_budget_is_for_what_reduces_risk(command, held, reason):
    """Retreats, smaller orders, and orders that filled leave no larger position than before."""
    limited = gate([budget(Counted.ORDERS, 10, 4, reserve=1)])
    seen = view()
    hold(seen, position_atoms=held * LOT)
    send(seen, place(1, Side.BUY, 1000, 10))
    seen.orders.apply(accepted(1))
    if command.side is Side.SELL and command != place(9, Side.SELL, 1010, 10):
        send(seen, place(2, Side.SELL, 1010, 10))
        seen.orders.apply(accepted(2))
    assert [judge(place(i, Side.BUY, 990), seen, limited) for i in (3, 4, 5)] == [R.OK] * 3
    assert judge(command, seen, limited) is reason


def test_a_refused_id_may_be_used_again():
    """Only an approved order uses its id up."""
    one, seen = gate(), view()
    seen.is_synced = False
    assert judge(place(1), seen, one) is R.NOT_SYNCED
    seen.is_synced = True
    assert judge(place(1), seen, one) is R.OK


ORDERS = st.tuples(
    st.sampled_from(Side),
    st.integers(990, 1012),
    st.integers(-1, 12),
    st.sampled_from(["place", "replace"]),
)
NEWS = st.tuples(
    st.sampled_from(["accept", "fill", "cancel", "end", "time out"]),
    st.integers(1, 40),
    st.integers(1, 5),
)


@given(st.lists(ORDERS | NEWS, max_size=40), st.integers(-30, 30))
def test_the_worst_case_never_exceeds_the_limit(steps, start_lots):
    """Whatever is asked and whatever the venue does, position plus all that may fill stays inside."""
    seen, one = view(position_lots_max_long=30, position_lots_max_short=30), gate()
    hold(seen, position_atoms=start_lots * LOT)
    sequence, trade_id = 0, 0
    for step in steps:
        match step:
            case (Side() as side, price_ticks, qty_lots, kind):
                sequence += 1
                old = next((o for o in seen.orders if o.side is side), None)
                command = place(sequence, side, price_ticks, qty_lots)
                if kind == "replace" and old is not None:
                    command = replace(
                        old.client_order_id & 0xFF, sequence, side, price_ticks, qty_lots
                    )
                if judge(command, seen, one) is R.OK:
                    seen.orders.on_sent(command, 0)
            case (news, wanted, lots):
                order = seen.orders.get(order_id(wanted))
                if order is None or not order.is_open:
                    continue
                if news == "accept":
                    seen.orders.apply(accepted(wanted))
                elif news == "fill":
                    trade_id += 1
                    part = min(lots, order.leaves_lots)
                    seen.orders.apply(fill(wanted, trade_id, part, order.side, order.price_ticks))
                    moved = order.side.sign * part * LOT
                    hold(seen, position_atoms=seen.position_atoms + moved)
                elif news == "cancel":
                    seen.orders.on_sent(CancelOrder(INSTRUMENT, order_id(wanted)), 0)
                elif news == "end":
                    seen.orders.apply(ended(wanted, order.filled_lots))
                else:
                    seen.orders.apply(timed_out(wanted))
        bought, sold = (lots * LOT for lots in seen.orders.open_lots)
        assert seen.position_atoms + bought <= 30 * LOT
        assert seen.position_atoms - sold >= -30 * LOT


@pytest.mark.parametrize("reason", [R.BLACKOUT, R.CLOCK_OFFSET, R.FEED_LATENCY])
def test_a_hindrance_stops_what_adds_and_never_what_reduces(reason):
    """The reason that the session states is the reason of the refusal."""
    seen = view()
    hold(seen, position_atoms=10 * LOT)
    seen.hindrance = reason
    assert judge(place(1), seen) is reason
    assert judge(place(1, Side.SELL, 1002), seen) is R.OK


def test_exposure_shared_with_others_is_a_limit_of_its_own():
    """At the room that they leave, not beyond; what reduces passes without any."""
    seen = view()
    seen.exposure_lots = (10, 3)
    assert judge(place(1), seen) is R.OK
    assert judge(place(1, qty_lots=11), seen) is R.EXPOSURE
    assert judge(place(1, Side.SELL, 1002), seen) is R.EXPOSURE
    hold(seen, position_atoms=10 * LOT)
    assert judge(place(1, Side.SELL, 1002), seen) is R.OK


def test_orders_beyond_the_ratio_wait_for_fills():
    """Refusals use nothing up, reducing orders are counted and pass."""
    seen, ratio = view(), OrderToTrade(ratio_max=2, grace=1)
    limited = RiskGate(RiskLevels(), Throttle(()), ratio=ratio)
    assert judge(place(1), seen, limited) is R.OK
    assert judge(place(2), seen, limited) is R.ORDER_TO_TRADE
    assert (ratio.orders, ratio.left) == (1, 0)
    hold(seen, position_atoms=10 * LOT)
    assert judge(place(2, Side.SELL, 1002), seen, limited) is R.OK
    ratio.on_fill()
    assert judge(place(3), seen, limited) is R.OK


def test_every_reason_is_tested():
    """Each member of the closed set is named by a test of this file."""
    text = Path(__file__).read_text()
    assert [reason for reason in R if f"R.{reason.name}" not in text] == []


@given(
    st.integers(1, 3000),
    st.floats(1.0, 2_000.0),
    st.integers(0, 1500),
    st.sampled_from([0.2, 0.9, 0.995]),
    st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), max_size=5),
)
def test_the_settled_price_range_never_passes_what_the_checks_refuse(
    price, collar, last, down, moves
):
    """It saves time, and changes no verdict, after small moves of the market either."""
    seen = view(instrument(price_ticks_min=5, price_ratio_down=down), collar_bps=collar)
    seen.last_ticks = last
    for mid_ticks, last_ticks in [(0, 0), *moves]:
        seen.bid_ticks += mid_ticks
        seen.ask_ticks += mid_ticks
        seen.last_ticks = max(seen.last_ticks + last_ticks, 0)
        seen.settle()
        if seen.price_low <= price <= seen.price_high:
            assert seen.price_reason(price) is R.OK
