"""Working orders: exposure, idempotence, races, strangers."""

import pytest

from mmd.core.commands import AmendOrder, CancelAll, CancelOrder, QueryOrder, ResyncBook
from mmd.core.events import EndReason, RejectReason
from mmd.core.orders.order_diff import new_working
from mmd.core.orders.order_state import IllegalTransitionError, OrderState
from mmd.core.orders.working_orders import Outcome, WorkingOrders
from mmd.core.units import Side
from tests.order_events import (
    INSTRUMENT,
    SESSION,
    accepted,
    cancel_rejected,
    ended,
    fill,
    order_id,
    place,
    rejected,
    replace,
    status,
    timed_out,
)


@pytest.fixture
def orders():
    return WorkingOrders(INSTRUMENT, SESSION, new_working(), history_max=4)


def run(orders, *steps):
    """Apply events and record commands, in order; returns the outcomes of the events."""
    outcomes = []
    for step in steps:
        if hasattr(step, "ts_recv_ns"):
            outcomes.append(orders.apply(step).outcome)
        else:
            orders.on_sent(step, 100)
    return outcomes


def test_exposure_counts_from_the_moment_of_sending(orders):
    """In flight is as good as filled for the worst case."""
    run(orders, place(1), place(2, Side.SELL, 1010, 5), place(3))
    assert (orders.open_lots, orders.open_orders) == ([20, 5], [2, 1])
    assert orders.best_price_ticks[Side.BUY] == 1000
    assert [o.client_order_id for o in orders] == [order_id(1), order_id(2), order_id(3)]


def test_a_plain_life(orders):
    """Acknowledged, filled in two parts, forgotten by the sums."""
    outcomes = run(orders, place(1), accepted(1), fill(1, 50, 4), fill(1, 51, 6))
    assert outcomes == [Outcome.CHANGED] * 3
    assert orders.get(order_id(1)).state is OrderState.FILLED
    assert (orders.open_lots, orders.open_orders) == ([0, 0], [0, 0])


def test_fills_are_idempotent_by_trade_id(orders):
    """The same trade told twice is booked once, during the order's life and after it."""
    run(orders, place(1), accepted(1))
    assert orders.apply(fill(1, 50, 4)).is_new_fill
    again = orders.apply(fill(1, 50, 4))
    assert (again.outcome, again.is_new_fill) == (Outcome.DUPLICATE, False)
    assert orders.open_lots == [6, 0]
    run(orders, ended(1, 4))
    assert not orders.apply(fill(1, 50, 4)).is_new_fill


def test_duplicates_of_everything_are_recognised(orders):
    """Private events come twice as a matter of course."""
    run(orders, place(1))
    for event in (accepted(1), status(1), fill(1, 50, 4), ended(1, 4)):
        orders.apply(event)
        assert orders.apply(event).outcome is Outcome.DUPLICATE


def test_a_fill_may_precede_the_acknowledgement(orders):
    """And the acknowledgement then changes nothing."""
    outcomes = run(orders, place(1), fill(1, 50, 4), accepted(1))
    assert outcomes == [Outcome.CHANGED, Outcome.DUPLICATE]
    assert orders.get(order_id(1)).state is OrderState.PARTIALLY_FILLED


def test_a_cancelled_order_may_still_fill(orders):
    """CANCELED then FILLED happens: the fill is new and the order is known."""
    run(orders, place(1), accepted(1), CancelOrder(INSTRUMENT, order_id(1)), ended(1))
    late = orders.apply(fill(1, 50, 10))
    assert (late.outcome, late.is_new_fill) == (Outcome.CHANGED, True)
    assert late.order.state is OrderState.FILLED
    assert orders.open_lots == [0, 0]


def test_fills_counted_at_the_end_stay_exposed_until_they_arrive(orders):
    """OrderEnded says 4 were filled, of which we have heard 1: 3 more are coming."""
    run(orders, place(1), accepted(1), fill(1, 50, 1), ended(1, 4))
    assert (orders.open_lots, orders.open_orders) == ([3, 0], [0, 0])
    assert [o.client_order_id for o in orders.owed_fills()] == [order_id(1)]
    run(orders, fill(1, 51, 3))
    assert orders.open_lots == [0, 0]
    assert orders.owed_fills() == []


def test_a_cancel_under_way_keeps_the_exposure(orders):
    """Only the venue's word takes it off."""
    run(orders, place(1), accepted(1), CancelOrder(INSTRUMENT, order_id(1)))
    assert (orders.open_lots, orders.open_orders) == ([10, 0], [1, 0])


@pytest.mark.parametrize("reason", [EndReason.CANCELED, EndReason.REPLACED])
def test_replacement_in_either_order_of_reports(reason):
    """The end of the old and the acknowledgement of the new may come in either order."""
    for reports in ((ended(1, 0, reason), accepted(2)), (accepted(2), ended(1, 0, reason))):
        orders = WorkingOrders(INSTRUMENT, SESSION, new_working())
        run(orders, place(1), accepted(1), replace(1, 2))
        assert orders.open_lots == [20, 0]
        run(orders, *reports)
        assert orders.open_lots == [10, 0]
        assert orders.best_price_ticks[Side.BUY] == 1001


def test_a_failed_replacement_leaves_the_old_order_in_doubt(orders):
    """The venue refused both: the new one never was, the old one must be asked for."""
    run(orders, place(1), accepted(1), replace(1, 2), cancel_rejected(1), rejected(2))
    assert [o.client_order_id for o in orders.unknown_orders()] == [order_id(1)]
    assert orders.unknown_count == 1
    run(orders, status(1, is_open=False, filled_lots=10))
    assert orders.unknown_count == 0
    assert orders.open_lots == [10, 0]
    run(orders, fill(1, 50, 10))
    assert orders.open_lots == [0, 0]


def test_a_cancel_turned_away_untried_leaves_the_order_working(orders):
    """A rate limit says nothing about the order, and asking would only add to it."""
    run(orders, place(1), accepted(1), CancelOrder(INSTRUMENT, order_id(1)))
    run(orders, cancel_rejected(1, RejectReason.RATE_LIMIT))
    assert orders.get(order_id(1)).state is OrderState.WORKING


def test_a_time_out_makes_unknown_until_the_venue_answers(orders):
    """Neither dead nor alive; exposure stays."""
    run(orders, place(1), timed_out(1))
    assert (orders.unknown_count, orders.open_lots) == (1, [10, 0])
    run(orders, QueryOrder(INSTRUMENT, order_id(1)))
    assert orders.unknown_orders(asked_before_ns=100) == []
    assert len(orders.unknown_orders(asked_before_ns=101)) == 1
    run(orders, status(1, known=False))
    assert (orders.unknown_count, orders.open_lots) == (0, [0, 0])
    assert orders.get(order_id(1)).state is OrderState.REJECTED


def test_overdue_requests_are_found(orders):
    """Only what waits for an answer can be overdue, counted from its last request."""
    orders.on_sent(place(1), 0)
    orders.on_sent(place(2), 0)
    orders.apply(accepted(2))
    assert [o.client_order_id for o in orders.overdue(50, 50)] == [order_id(1)]
    orders.on_sent(CancelOrder(INSTRUMENT, order_id(1)), 30)
    assert orders.overdue(50, 50) == []
    assert len(orders.overdue(80, 50)) == 1


def test_amend_shrinks_only_when_confirmed(orders):
    """Until then the larger quantity may fill."""
    run(orders, place(1), accepted(1), AmendOrder(INSTRUMENT, order_id(1), 6))
    assert orders.open_lots == [10, 0]
    run(orders, status(1, qty_lots=6))
    assert orders.open_lots == [6, 0]
    assert orders.get(order_id(1)).state is OrderState.WORKING
    with pytest.raises(IllegalTransitionError):
        run(orders, place(2), AmendOrder(INSTRUMENT, order_id(2), 6))
    assert orders.open_lots == [16, 0]


def test_cancel_all_touches_every_open_order(orders):
    """All are pending cancel; a book resync touches none."""
    run(orders, place(1), place(2), accepted(2), ResyncBook(INSTRUMENT), CancelAll(INSTRUMENT))
    assert {o.state for o in orders} == {OrderState.PENDING_CANCEL}


def test_a_lost_link_puts_every_open_order_in_doubt(orders):
    """What happened meanwhile is unknown until asked."""
    run(orders, place(1), accepted(1), place(2), place(3), fill(3, 50, 10))
    orders.on_link_lost(200)
    assert orders.unknown_count == 2
    assert len(orders.unknown_orders()) == 2


def test_overfill_is_a_breach_and_still_booked(orders):
    """The trade is real: it is reported, counted, and never clipped."""
    run(orders, place(1), accepted(1), fill(1, 50, 8))
    over = orders.apply(fill(1, 51, 5))
    assert (over.outcome, over.is_new_fill) == (Outcome.BREACH, True)
    assert "exceeds" in over.message
    assert over.order.filled_lots == 13
    assert orders.open_lots == [0, 0]


def test_a_contradiction_revives_the_order_as_unknown(orders):
    """A rejected order that fills is a breach: the fill counts, the rest is exposed and queried."""
    run(orders, place(1), rejected(1))
    ghost = orders.apply(fill(1, 50, 4))
    assert (ghost.outcome, ghost.is_new_fill) == (Outcome.BREACH, True)
    assert (orders.unknown_count, orders.open_lots) == (1, [6, 0])
    run(orders, status(1, is_open=False, filled_lots=4))
    assert (orders.unknown_count, orders.open_lots) == (0, [0, 0])


def test_events_of_other_sessions_are_foreign(orders):
    """They are typed, not guessed at; their fills are deduplicated too."""
    first = orders.apply(fill(1, 50, 4, session=3))
    assert (first.outcome, first.is_new_fill, first.order) == (Outcome.FOREIGN, True, None)
    assert not orders.apply(fill(1, 50, 4, session=3)).is_new_fill


def test_an_order_of_ours_that_we_never_sent_is_a_breach(orders):
    """Someone uses our session's ids."""
    assert orders.apply(accepted(9)).outcome is Outcome.BREACH
    stray = orders.apply(fill(9, 50, 4))
    assert (stray.outcome, stray.is_new_fill) == (Outcome.BREACH, True)


def test_history_is_bounded_and_forgetting_is_told(orders):
    """A fill on an order beyond the history is booked once and reported; other late events are nothing."""
    for sequence in range(1, 8):
        run(orders, place(sequence), accepted(sequence), ended(sequence))
    assert orders.get(order_id(3)) is None
    assert orders.get(order_id(4)) is not None
    assert orders.apply(ended(1)).outcome is Outcome.DUPLICATE
    late = orders.apply(fill(1, 50, 4))
    assert (late.outcome, late.is_new_fill) == (Outcome.BREACH, True)
    assert orders.apply(fill(1, 50, 4)).outcome is Outcome.DUPLICATE


def test_client_order_ids_must_grow(orders):
    """A repeated id is a programmer's error: nothing else could tell the two orders apart."""
    run(orders, place(2))
    with pytest.raises(AssertionError):
        orders.on_sent(place(2), 0)


def test_requests_about_strangers_are_ignored(orders):
    """Orders of earlier sessions may be cancelled and asked for without being ours to track."""
    run(orders, CancelOrder(INSTRUMENT, order_id(1, 3)), QueryOrder(INSTRUMENT, order_id(1, 3)))
    assert list(orders) == []


def test_slots_lead_back_to_orders(orders):
    """An action of the diff names a slot."""
    run(orders, place(1), place(2))
    assert orders.at(Side.BUY, 1).client_order_id == order_id(2)
