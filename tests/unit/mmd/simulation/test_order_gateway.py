"""Commands at the simulated exchange are answered as a venue answers them."""

import pytest

from mmd.core.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    PlaceOrder,
    QueryOrder,
    ReplaceOrder,
)
from mmd.core.events import (
    Balance,
    CancelRejected,
    EndReason,
    Fill,
    OrderAccepted,
    OrderEnded,
    OrderRejected,
    OrderStatus,
    RejectReason,
)
from mmd.core.units import InstrumentId, Side, TimeInForce
from mmd.exchange import background
from mmd.exchange.executions import BalanceChange, Execution
from mmd.simulation.order_gateway import OrderGateway
from tests.exchange_world import exchange

AT = InstrumentId(4)
BUY, SELL = Side.BUY, Side.SELL
POST_ONLY, IOC = TimeInForce.POST_ONLY, TimeInForce.IOC


@pytest.fixture
def world():
    """An exchange with a book of 99 to 101, and account a's gateway, which calls the market 4."""
    at = exchange()
    book = at.markets[0].book
    background.add(book, BUY, 9_900, 100)
    background.add(book, SELL, 10_100, 100)
    return at, OrderGateway("v", "a", at, {AT: 0})


def _ask(world, command, now_ns=5):
    """Everything that account a hears of a command."""
    _, gateway = world
    answers, happened = gateway.request(command, now_ns)
    return [*answers, *_heard(gateway, happened, now_ns)]


def _heard(gateway, happened, now_ns=5):
    mine = [
        e
        for e in happened
        if isinstance(e, Execution | BalanceChange)
        and (e.order.account if isinstance(e, Execution) else e.account) == gateway.account
    ]
    return [told for e in mine for told in gateway.told(e, now_ns)]


def _kinds(events):
    return [type(e) for e in events if not isinstance(e, Balance)]


def test_an_order_is_accepted_and_its_funds_are_locked(world):
    """The acknowledgement carries the venue's id, the balance what is locked now."""
    events = _ask(world, PlaceOrder(AT, 1, BUY, 9_950, 20, POST_ONLY))
    (accepted,) = [e for e in events if isinstance(e, OrderAccepted)]
    assert (accepted.instrument, accepted.client_order_id) == (AT, 1)
    locked = {e.asset: e.locked_atoms for e in events if isinstance(e, Balance)}
    assert locked["USDT"] == 9_950 * 20 * 1_000  # a tick times a lot is 1e-5 of quote


def test_a_post_only_order_that_would_take_is_refused(world):
    """Nothing happened: the only answer is the refusal."""
    (event,) = _ask(world, PlaceOrder(AT, 1, BUY, 10_100, 20, POST_ONLY))
    assert isinstance(event, OrderRejected)
    assert event.reason is RejectReason.WOULD_TAKE


@pytest.mark.parametrize(
    ("price", "lots", "reason"),
    [(9_900, 20_000_000, RejectReason.BALANCE), (10**9, 1, RejectReason.FILTER)],
)
def test_filters_and_balances_refuse(world, price, lots, reason):
    """The exchange's own rules, by the engine's closed set of reasons."""
    side = BUY if reason is RejectReason.BALANCE else SELL
    (event,) = _ask(world, PlaceOrder(AT, 1, side, price, lots, TimeInForce.GTC))
    assert (type(event), event.reason) == (OrderRejected, reason)


def test_a_resting_order_is_filled_by_a_stranger(world):
    """A fill has the maker's fee and is followed by balances."""
    at, gateway = world
    _ask(world, PlaceOrder(AT, 1, BUY, 9_950, 20, POST_ONLY))
    outcomes = background.take(at.markets[0].book, SELL, 8, None)
    events = _heard(gateway, at.background(at.markets[0], outcomes, 9), 9)
    fill = events[0]
    assert isinstance(fill, Fill)
    assert (fill.side, fill.price_ticks, fill.qty_lots, fill.is_maker) == (BUY, 9_950, 8, True)
    assert fill.fee_asset == "MMD"
    assert fill.fee_atoms == 8 * 100_000 // 10_000  # one basis point of 8 lots of 1e5 atoms
    assert any(isinstance(e, Balance) for e in events[1:])


def test_an_immediate_order_takes_and_what_is_left_expires(world):
    """Accepted, filled as taker, expired."""
    events = _ask(world, PlaceOrder(AT, 1, BUY, 10_100, 150, IOC))
    assert _kinds(events) == [OrderAccepted, Fill, OrderEnded]
    assert not any(e.is_maker for e in events if isinstance(e, Fill))
    ended = next(e for e in events if isinstance(e, OrderEnded))
    assert (ended.reason, ended.filled_lots) == (EndReason.EXPIRED, 100)


def test_a_cancel_ends_the_order_and_a_second_one_is_refused(world):
    """The loser of a race hears that the order is unknown."""
    _ask(world, PlaceOrder(AT, 1, BUY, 9_950, 20, POST_ONLY))
    assert _kinds(_ask(world, CancelOrder(AT, 1))) == [OrderEnded]
    (event,) = _ask(world, CancelOrder(AT, 1))
    assert (type(event), event.reason) == (CancelRejected, RejectReason.UNKNOWN_ORDER)


def test_a_replacement_cancels_first_and_places_nothing_where_that_fails(world):
    """One request, two orders; without the old one there is no new one."""
    _ask(world, PlaceOrder(AT, 1, BUY, 9_950, 20, POST_ONLY))
    events = _ask(world, ReplaceOrder(AT, 1, 2, BUY, 9_960, 20, POST_ONLY))
    assert _kinds(events) == [OrderEnded, OrderAccepted]
    events = _ask(world, ReplaceOrder(AT, 1, 3, BUY, 9_970, 20, POST_ONLY))
    assert _kinds(events) == [CancelRejected, OrderRejected]


def test_a_replacement_that_would_take_has_already_canceled(world):
    """Only the matching engine knows that an order would take, and it comes after the cancel."""
    _ask(world, PlaceOrder(AT, 1, BUY, 9_950, 20, POST_ONLY))
    events = _ask(world, ReplaceOrder(AT, 1, 2, BUY, 10_100, 20, POST_ONLY))
    assert set(_kinds(events)) == {OrderEnded, OrderRejected}


def test_an_amend_is_confirmed_by_the_orders_status(world):
    """The new total quantity stands in it; an amend that grows is refused."""
    _ask(world, PlaceOrder(AT, 1, BUY, 9_950, 20, POST_ONLY))
    status = next(e for e in _ask(world, AmendOrder(AT, 1, 15)) if isinstance(e, OrderStatus))
    assert (status.qty_lots, status.open) == (15, True)
    (event,) = _ask(world, AmendOrder(AT, 1, 30))
    assert isinstance(event, CancelRejected)


def test_a_query_knows_open_and_ended_orders_and_no_others(world):
    """What became of an order, whoever asks."""
    _ask(world, PlaceOrder(AT, 1, BUY, 9_950, 20, POST_ONLY))
    (is_open,) = _ask(world, QueryOrder(AT, 1))
    _ask(world, CancelAll(AT))
    (ended,) = _ask(world, QueryOrder(AT, 1))
    (never,) = _ask(world, QueryOrder(AT, 2))
    assert (is_open.known, is_open.open) == (True, True)
    assert (ended.known, ended.open) == (True, False)
    assert not never.known


def test_trades_after_the_last_one_known_are_told_again(world):
    """What a reconnecting client fetches."""
    at, gateway = world
    _ask(world, PlaceOrder(AT, 1, BUY, 9_950, 20, POST_ONLY))
    for _ in range(2):
        at.background(at.markets[0], background.take(at.markets[0].book, SELL, 5, None), 9)
    both = list(gateway.trades_after({}, 11))
    assert [f.qty_lots for f in both] == [5, 5]
    assert list(gateway.trades_after({AT: both[0].trade_id}, 11)) == both[1:]
    assert [s.filled_lots for s in gateway.open_orders(11)] == [10]
