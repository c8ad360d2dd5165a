"""The execution algorithms as state machines: what is wanted goes in, one step comes out."""

import pytest

from mmd.core.hedging.execution import (
    ImmediateOrCancel,
    PassiveThenCross,
    Place,
    TimeWeighted,
    Wanted,
    Withdraw,
    hedge_execution,
)
from mmd.core.inventory.settings import HedgeSpec
from mmd.core.orders.order import Order, OrderPurpose
from mmd.core.orders.order_state import OrderState
from mmd.core.units import Side, TimeInForce
from tests.order_events import INSTRUMENT, order_id

MS = 1_000_000


def wanted(qty_lots=100, live=None, **changes):
    fields = {
        "side": Side.SELL,
        "qty_lots": qty_lots,
        "lots_min": 10,
        "cap_ticks": 990,
        "best_ticks": 1_001,
        "live": live,
    }
    return Wanted(**(fields | changes))


def resting(price_ticks=1_001, state=OrderState.WORKING, sent_ns=0, side=Side.SELL):
    order = Order(INSTRUMENT, order_id(1), side, price_ticks, 100, 0, sent_ns, OrderPurpose.HEDGE)
    order.state = state
    return order


# Immediate or cancel


def test_ioc_takes_all_at_the_cap_and_waits_before_the_rest():
    """A partial fill makes the next order smaller; never a second one while the first is under way."""
    ioc = ImmediateOrCancel(250 * MS)
    ioc.begin(0)
    assert ioc.step(wanted(100), 0) == Place(990, 100, TimeInForce.IOC)
    assert ioc.step(wanted(0, live=resting(990, OrderState.PENDING_NEW)), 300 * MS) is None
    assert ioc.step(wanted(40), 249 * MS) is None
    assert ioc.step(wanted(40), 250 * MS) == Place(990, 40, TimeInForce.IOC)
    assert ioc.step(wanted(9), 900 * MS) is None


def test_ioc_takes_back_what_another_algorithm_left_resting():
    """So it is when a passive hedge becomes late."""
    ioc = ImmediateOrCancel(250 * MS)
    order = resting()
    assert ioc.step(wanted(0, live=order, is_resting=True), 0) == Withdraw(order)
    order.state = OrderState.PENDING_CANCEL
    assert ioc.step(wanted(0, live=order, is_resting=True), 1_999 * MS) is None
    assert ioc.step(wanted(0, live=order, is_resting=True), 2_000 * MS) == Withdraw(order)


# Passive, then cross


@pytest.fixture
def passive():
    made = PassiveThenCross(10_000 * MS, 250 * MS)
    made.begin(0)
    return made


def test_passive_joins_the_best_price_and_stays(passive):
    """Post-only; partial fills leave it alone."""
    assert passive.step(wanted(100), 0) == Place(1_001, 100, TimeInForce.POST_ONLY)
    assert passive.step(wanted(0, live=resting(), is_resting=True), 5_000 * MS) is None


@pytest.mark.parametrize(
    ("side", "best", "is_behind"),
    [
        (Side.SELL, 1_000, True),
        (Side.SELL, 1_002, False),
        (Side.BUY, 1_002, True),
        (Side.BUY, 1_000, False),
    ],
)
def test_passive_follows_a_price_that_leaves_it_behind(passive, side, best, is_behind):
    """A book that moved our way is waited for."""
    order = resting(side=side)
    step = passive.step(
        wanted(0, live=order, is_resting=True, side=side, best_ticks=best), 1_000 * MS
    )
    assert step == (Withdraw(order) if is_behind else None)


def test_passive_shrinks_when_less_is_wanted(passive):
    """Quotes did the rest meanwhile: the order must not overshoot."""
    order = resting()
    assert passive.step(wanted(-1, live=order, is_resting=True), 0) == Withdraw(order)


def test_passive_crosses_when_patience_is_over(passive):
    """First the resting order goes, then what is left is taken."""
    order = resting()
    assert passive.step(wanted(0, live=order, is_resting=True), 10_000 * MS) == Withdraw(order)
    assert passive.step(wanted(60), 10_001 * MS) == Place(990, 60, TimeInForce.IOC)


# Time-weighted


def test_twap_takes_equal_slices_at_equal_times():
    """The first at once; nothing in between."""
    twap = TimeWeighted(4, 20_000 * MS, 250 * MS)
    twap.begin(0)
    left, sent = 100, []
    for second in range(21):
        step = twap.step(wanted(left), second * 1_000 * MS)
        if step is not None:
            sent.append((second, step.qty_lots))
            left -= step.qty_lots
    assert sent == [(0, 25), (5, 25), (10, 25), (15, 25)]
    assert left == 0


def test_twap_gives_what_a_slice_missed_to_the_next_ones():
    """Half of each is filled; after the last slice the rest is taken as an immediate-or-cancel would."""
    twap = TimeWeighted(4, 20_000 * MS, 250 * MS)
    twap.begin(0)
    left, sent = 160, []
    for quarter in range(4 * 25):
        step = twap.step(wanted(left), quarter * 250 * MS)
        if step is not None:
            sent.append(step.qty_lots)
            left -= step.qty_lots // 2
    assert sent[:4] == [40, 47, 59, 88]
    assert left < 10


def test_twap_merges_slices_that_are_less_than_an_order():
    """Of 25 lots in four slices with orders of at least ten, two are sent."""
    twap = TimeWeighted(4, 20_000 * MS, 250 * MS)
    twap.begin(0)
    first = twap.step(wanted(25), 0)
    assert first == Place(990, 10, TimeInForce.IOC)
    assert twap.step(wanted(15), 5_000 * MS) == Place(990, 15, TimeInForce.IOC)


def test_a_new_hedge_begins_at_the_beginning():
    """Whatever the last one had come to."""
    twap = TimeWeighted(2, 10_000 * MS, 250 * MS)
    for start in (0, 60_000 * MS):
        twap.begin(start)
        assert twap.step(wanted(100), start) == Place(990, 50, TimeInForce.IOC)


def test_settings_name_the_algorithm():
    """Each of the three."""
    kinds = {"ioc": ImmediateOrCancel, "passive_then_cross": PassiveThenCross, "twap": TimeWeighted}
    for name, kind in kinds.items():
        assert isinstance(hedge_execution(HedgeSpec(algorithm=name)), kind)
