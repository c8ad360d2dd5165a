"""One WebSocket API connection as a state machine: requests in flight, time-outs, loss."""

import pytest

from adapters.binance_spot.api_session import IN_FLIGHT_MAX
from mmd.core.commands import CancelAll, CancelOrder, QueryOrder, ReplaceOrder
from mmd.core.events import (
    Balance,
    CancelRejected,
    Fill,
    OrderAccepted,
    OrderRejected,
    OrderStatus,
    RateUsage,
    RequestTimedOut,
)
from mmd.core.units import Side, TimeInForce
from tests.unit.adapters.binance_spot.api_line import TIMEOUT, A, B

ACK = {"symbol": "MMDUSDT", "orderId": 12, "clientOrderId": "mmd5-1", "transactTime": 3}
REPORT = {
    "symbol": "MMDUSDT",
    "orderId": 12,
    "clientOrderId": "mmd5-1",
    "price": "100.00",
    "origQty": "0.005",
    "executedQty": "0.002",
    "status": "CANCELED",
    "side": "BUY",
}
TRADE = {
    "id": 70,
    "orderId": 12,
    "price": "100.00",
    "qty": "0.002",
    "commission": "0",
    "commissionAsset": "USDT",
    "time": 3,
    "isBuyer": True,
    "isMaker": True,
}


def test_answers_find_their_commands_in_any_order(line, place, mmd):
    """Request ids tell the answers apart; rate limits in an answer become RateUsage."""
    line.session.send(place(A), 10)
    line.session.send(place(B), 11)
    line.fail(1, -2010, "Order would immediately match and take.")
    limits = [
        {
            "rateLimitType": "ORDERS",
            "interval": "SECOND",
            "intervalNum": 10,
            "limit": 50,
            "count": 3,
        }
    ]
    line.receive(20, id=line.sent[0]["id"], status=200, result=ACK, rateLimits=limits)
    rejected, usage, accepted = line.events
    assert (type(rejected), rejected.client_order_id) == (OrderRejected, B)
    assert usage == RateUsage(20, "test", "ORDERS", 3, 50, 10 * 10**9)
    assert accepted == OrderAccepted(20, mmd.id, A, 12, 3_000_000)
    assert line.session.in_flight == 0


def test_requests_time_out_in_order_and_late_answers_still_count(line, place, mmd):
    """After the time-out the fate is unknown; the answer, when it comes, settles it."""
    line.session.send(place(A), 0)
    line.session.send(ReplaceOrder(mmd.id, A, B, Side.BUY, 1, 5, TimeInForce.GTC), 5)
    line.session.expire(TIMEOUT + 1)
    assert line.events == [RequestTimedOut(TIMEOUT + 1, mmd.id, A)]
    line.session.expire(TIMEOUT + 6)
    assert line.events[1:] == [
        RequestTimedOut(TIMEOUT + 6, mmd.id, A),
        RequestTimedOut(TIMEOUT + 6, mmd.id, B),
    ]
    line.events.clear()
    line.answer(0, ACK, now_ns=9_999)
    assert line.events == [OrderAccepted(9_999, mmd.id, A, 12, 3_000_000)]
    line.answer(0, ACK)
    assert len(line.events) == 1, "a second answer to the same request says nothing"


def test_lost_connection_leaves_every_request_unknown(line, place, mmd):
    """Queries too; the time of the last request tells how long one may still arrive."""
    line.session.send(place(A), 100)
    line.session.send(QueryOrder(mmd.id, B), 200)
    assert line.session.lost(300) == 200
    assert line.events == [RequestTimedOut(300, mmd.id, A), RequestTimedOut(300, mmd.id, B)]
    assert not line.session.ready
    assert line.session.lost(400) == 0


def test_status_with_fills_is_reported_after_them(line, mmd):
    """Fills that were missed come before the status that counts them."""
    line.session.send(QueryOrder(mmd.id, A), 0)
    line.answer(0, REPORT)
    assert line.methods == ["order.status", "myTrades"]
    assert line.events == []
    line.answer(1, [TRADE], now_ns=50)
    fill, status = line.events
    assert (type(fill), fill.trade_id, fill.client_order_id) == (Fill, 70, A)
    assert (type(status), status.open, status.filled_lots, status.ts_recv_ns) == (
        OrderStatus,
        False,
        2,
        50,
    )


@pytest.mark.parametrize("how", ["error", "silence", "loss"])
def test_status_whose_fills_cannot_be_had_stays_unknown(line, mmd, how: str):
    """No status without its fills."""
    line.session.send(QueryOrder(mmd.id, A), 0)
    line.answer(0, REPORT)
    if how == "error":
        line.fail(1, -1003, "Too many requests.", 429)
    elif how == "silence":
        line.session.expire(TIMEOUT + 1)
    else:
        line.session.lost(1)
    (event,) = line.events
    assert (type(event), event.client_order_id) == (RequestTimedOut, A)


def test_cancel_all_spares_strangers(line, mmd):
    """With somebody else's order working, only ours are cancelled, one by one."""
    line.session.send(CancelAll(mmd.id), 0)
    assert line.methods == ["openOrders.cancelAll"]
    line.sent.clear()
    line.account.saw_foreign(mmd.id, 99, is_open=True)
    line.session.send(CancelAll(mmd.id), 1)
    line.answer(
        0, [REPORT, REPORT | {"clientOrderId": "web_1"}, REPORT | {"clientOrderId": "mmd5-2"}]
    )
    assert line.methods == ["openOrders.status", "order.cancel", "order.cancel"]
    assert [r["params"]["origClientOrderId"] for r in line.sent[1:]] == ["mmd5-1", "mmd5-2"]


@pytest.mark.parametrize("how", ["error", "silence"])
def test_cancel_all_whose_list_cannot_be_had(line, mmd, how: str):
    """Refused, or in doubt: nothing was cancelled by a guess."""
    line.account.saw_foreign(mmd.id, 99, is_open=True)
    line.session.send(CancelAll(mmd.id), 0)
    if how == "error":
        line.fail(0, -1003, "Too many requests.", 429)
    else:
        line.session.expire(TIMEOUT + 1)
    (event,) = line.events
    assert type(event) is (CancelRejected if how == "error" else RequestTimedOut)
    assert event.client_order_id == 0
    assert line.methods == ["openOrders.status"]


@pytest.mark.parametrize("how", ["error", "silence"])
def test_balances_that_cannot_be_had_say_nothing(line, how: str):
    """The account position that comes with every change says the same."""
    update = {"e": "balanceUpdate", "E": 1, "a": "BTC", "d": "1.0", "T": 1}
    line.receive(subscriptionId=0, event=update)
    if how == "error":
        line.fail(0, -1003, "Too many requests.", 429)
    else:
        line.session.expire(TIMEOUT + 1)
    assert line.events == []


def test_late_answers_are_remembered_up_to_a_bound(line, place):
    """The oldest of 256 is forgotten; its answer then says nothing."""
    for k in range(257):
        line.session.send(place(5 << 32 | k + 1), 0)
    line.session.expire(TIMEOUT + 1)
    line.events.clear()
    line.answer(0, ACK)
    assert line.events == []
    line.answer(1, ACK)
    assert len(line.events) == 1


def test_user_data_reaches_the_engine(line, execution_report):
    """Reports and account positions are facts at their receive time."""
    line.receive(7, subscriptionId=0, event=execution_report())
    position = {
        "e": "outboundAccountPosition",
        "E": 1,
        "u": 1,
        "B": [{"a": "X", "f": "1", "l": "0"}],
    }
    line.receive(8, subscriptionId=0, event=position)
    accepted, balance = line.events
    assert (type(accepted), accepted.ts_recv_ns) == (OrderAccepted, 7)
    assert balance == Balance(8, "test", "X", 10**8, 0)


@pytest.mark.parametrize("kind", ["balanceUpdate", "externalLockUpdate"])
def test_balance_differences_are_answered_by_asking_for_the_sum(line, kind: str):
    """A delta alone cannot be added safely: an account position may have contained it already."""
    line.receive(subscriptionId=0, event={"e": kind, "E": 1, "a": "BTC", "d": "1.0", "T": 1})
    assert line.methods == ["account.status"]
    balances = [{"asset": "BTC", "free": "3.0", "locked": "1.0"}]
    line.account.updated_ms = 5
    line.answer(0, {"balances": balances, "updateTime": 4})
    assert line.events == [], "older than what an account position said"
    line.receive(subscriptionId=0, event={"e": kind, "E": 1, "a": "BTC", "d": "1.0", "T": 1})
    line.answer(1, {"balances": balances, "updateTime": 5})
    assert [(e.asset, e.free_atoms) for e in line.events] == [("BTC", 3 * 10**8)]


def test_requests_in_flight_are_bounded(line, mmd):
    """Beyond the bound the session is not ready until an answer comes."""
    for i in range(IN_FLIGHT_MAX):
        assert line.session.ready
        line.session.send(CancelOrder(mmd.id, 5 << 32 | i + 1), 0)
    assert not line.session.ready
    line.fail(0, -2011, "Unknown order sent.")
    assert line.session.ready
