"""Answers to commands, in the documents' spelling, as events."""

import msgspec
import pytest

from adapters.binance_spot.order_replies import ReplyDecoder, ids_of, refused, timed_out
from adapters.binance_spot.wire import ApiFrame, decode
from mmd.core.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    PlaceOrder,
    QueryOrder,
    ReplaceOrder,
    ResyncBook,
)
from mmd.core.events import (
    CancelRejected,
    EndReason,
    OrderAccepted,
    OrderEnded,
    OrderRejected,
    OrderStatus,
    RejectReason,
    RequestTimedOut,
)
from mmd.core.units import Side, TimeInForce
from mmd.errors import CodecError

NOW, MS = 1_000, 1_660_801_715_639
OLD, NEW = 5 << 32 | 1, 5 << 32 | 2
ACK = {
    "symbol": "MMDUSDT",
    "orderId": 12,
    "orderListId": -1,
    "clientOrderId": "mmd5-2",
    "transactTime": MS,
}
CANCELED = {
    "symbol": "MMDUSDT",
    "origClientOrderId": "mmd5-1",
    "orderId": 11,
    "orderListId": -1,
    "clientOrderId": "91fe37ce9e69c90d6358c0",
    "transactTime": MS,
    "price": "100.00000000",
    "origQty": "0.50000000",
    "executedQty": "0.10000000",
    "status": "CANCELED",
    "side": "SELL",
}
UNKNOWN_ORDER = {"code": -2011, "msg": "Unknown order sent."}
WOULD_TAKE = {"code": -2010, "msg": "Order would immediately match and take."}


@pytest.fixture(scope="module")
def commands(mmd):
    """One command of each kind, by name."""
    order = (Side.SELL, 10_000, 500, TimeInForce.POST_ONLY)
    return {
        "place": PlaceOrder(mmd.id, NEW, *order),
        "cancel": CancelOrder(mmd.id, OLD),
        "replace": ReplaceOrder(mmd.id, OLD, NEW, *order),
        "amend": AmendOrder(mmd.id, OLD, 400),
        "cancel_all": CancelAll(mmd.id),
        "query": QueryOrder(mmd.id, OLD),
    }


@pytest.fixture(scope="module")
def answer(mmd, commands):
    """Events for an answer to a command."""
    decoder = ReplyDecoder([mmd])

    def events(command: str, *, status: int = 200, **body: object) -> list:
        frame = msgspec.json.encode({"id": 1, "status": status, **body})
        return list(decoder.events(commands[command], decode(frame, ApiFrame, "test"), NOW))

    return events


def test_successes(answer, mmd):
    """Each command's plain success."""
    accepted = OrderAccepted(NOW, mmd.id, NEW, 12, MS * 10**6)
    canceled = OrderEnded(NOW, mmd.id, OLD, EndReason.CANCELED, 100, MS * 10**6)
    assert answer("place", result=ACK) == [accepted]
    assert answer("cancel", result=CANCELED) == [canceled]
    legs = {
        "cancelResult": "SUCCESS",
        "newOrderResult": "SUCCESS",
        "cancelResponse": CANCELED,
        "newOrderResponse": ACK,
    }
    replaced = OrderEnded(NOW, mmd.id, OLD, EndReason.REPLACED, 100, MS * 10**6)
    assert answer("replace", result=legs) == [replaced, accepted]


def test_amend_reports_the_new_quantity(answer, mmd):
    """An amended order is open with its new total."""
    amended = {
        "symbol": "MMDUSDT",
        "orderId": 11,
        "origClientOrderId": "mmd5-1",
        "clientOrderId": "mmd5-1",
        "price": "100.00000000",
        "qty": "0.40000000",
        "executedQty": "0.10000000",
        "status": "PARTIALLY_FILLED",
        "side": "SELL",
    }
    result = {"transactTime": MS, "executionId": 16, "amendedOrder": amended}
    assert answer("amend", result=result) == [
        OrderStatus(
            NOW,
            mmd.id,
            OLD,
            known=True,
            open=True,
            venue_order_id=11,
            side=Side.SELL,
            price_ticks=10_000,
            qty_lots=400,
            filled_lots=100,
        )
    ]


def test_cancel_all_ends_ours_only(answer, mmd):
    """Strangers' orders and order lists in the answer say nothing to the engine."""
    stranger = CANCELED | {"origClientOrderId": "web_1234"}
    order_list = {"orderListId": 19431, "contingencyType": "OCO", "orderReports": [stranger]}
    assert answer("cancel_all", result=[stranger, CANCELED, order_list]) == [
        OrderEnded(NOW, mmd.id, OLD, EndReason.CANCELED, 100, MS * 10**6)
    ]


@pytest.mark.parametrize(
    ("status", "is_open"),
    [
        ("NEW", True),
        ("PARTIALLY_FILLED", True),
        ("PENDING_NEW", True),
        ("FILLED", False),
        ("CANCELED", False),
        ("REJECTED", False),
        ("EXPIRED", False),
        ("EXPIRED_IN_MATCH", False),
    ],
)
def test_status_answers(answer, status: str, is_open: bool):
    """Every order status is open or not."""
    (event,) = answer("query", result=CANCELED | {"status": status, "clientOrderId": "mmd5-1"})
    assert (event.known, event.open, event.filled_lots, event.qty_lots) == (True, is_open, 100, 500)


@pytest.mark.parametrize("code", [-2013, -2026])
def test_order_that_the_venue_never_heard_of(answer, code: int):
    """ "Does not exist", or archived after 90 days without a fill: an answer, not a failure."""
    (event,) = answer("query", status=400, error={"code": code, "msg": "venue's words"})
    assert isinstance(event, OrderStatus)
    assert not event.known
    assert not event.open


def test_refusals(answer, mmd):
    """A refused order never existed; a refused cancel says nothing final about its order."""
    text = WOULD_TAKE["msg"]
    assert answer("place", status=400, error=WOULD_TAKE) == [
        OrderRejected(NOW, mmd.id, NEW, RejectReason.WOULD_TAKE, -2010, text)
    ]
    unknown = CancelRejected(
        NOW, mmd.id, OLD, RejectReason.UNKNOWN_ORDER, -2011, "Unknown order sent."
    )
    assert answer("cancel", status=400, error=UNKNOWN_ORDER) == [unknown]
    assert answer("amend", status=400, error=UNKNOWN_ORDER) == [unknown]
    (event,) = answer("cancel_all", status=400, error=UNKNOWN_ORDER)
    assert (type(event), event.client_order_id) == (CancelRejected, 0)
    rate = {"code": -1003, "msg": "Too many requests.", "data": {"serverTime": 1, "retryAfter": 2}}
    old, new = answer("replace", status=429, error=rate)
    assert (type(old), old.client_order_id, old.reason) == (
        CancelRejected,
        OLD,
        RejectReason.RATE_LIMIT,
    )
    assert (type(new), new.client_order_id, new.reason) == (
        OrderRejected,
        NEW,
        RejectReason.RATE_LIMIT,
    )
    assert answer("query", status=429, error=rate) == [RequestTimedOut(NOW, mmd.id, OLD)]


def test_cancel_replace_in_part(answer, mmd):
    """The three ways in which a cancelReplace half works, with their nested answers."""
    legs = {
        "cancelResult": "SUCCESS",
        "newOrderResult": "FAILURE",
        "cancelResponse": CANCELED,
        "newOrderResponse": WOULD_TAKE,
    }
    error = {"code": -2021, "msg": "Order cancel-replace partially failed.", "data": legs}
    assert answer("replace", status=409, error=error) == [
        OrderEnded(NOW, mmd.id, OLD, EndReason.CANCELED, 100, MS * 10**6),
        OrderRejected(NOW, mmd.id, NEW, RejectReason.WOULD_TAKE, -2010, WOULD_TAKE["msg"]),
    ]
    legs = {
        "cancelResult": "FAILURE",
        "newOrderResult": "NOT_ATTEMPTED",
        "cancelResponse": UNKNOWN_ORDER,
        "newOrderResponse": None,
    }
    error = {"code": -2022, "msg": "Order cancel-replace failed.", "data": legs}
    text = UNKNOWN_ORDER["msg"]
    assert answer("replace", status=400, error=error) == [
        CancelRejected(NOW, mmd.id, OLD, RejectReason.UNKNOWN_ORDER, -2011, text),
        OrderRejected(NOW, mmd.id, NEW, RejectReason.UNKNOWN_ORDER, -2011, text),
    ]
    legs = {
        "cancelResult": "FAILURE",
        "newOrderResult": "SUCCESS",
        "cancelResponse": UNKNOWN_ORDER,
        "newOrderResponse": ACK,
    }
    error = {"code": -2021, "msg": "Order cancel-replace partially failed.", "data": legs}
    assert answer("replace", status=409, error=error) == [
        CancelRejected(NOW, mmd.id, OLD, RejectReason.UNKNOWN_ORDER, -2011, text),
        OrderAccepted(NOW, mmd.id, NEW, 12, MS * 10**6),
    ]


@pytest.mark.parametrize("kind", ["place", "cancel", "replace", "amend", "cancel_all", "query"])
@pytest.mark.parametrize(("status", "code"), [(504, -1007), (400, -1006), (500, -1000)])
def test_unknown_fates_are_time_outs_for_every_order_concerned(
    answer, commands, kind: str, status: int, code: int
):
    """Nothing is ever called rejected that may have been done."""
    events = answer(kind, status=status, error={"code": code, "msg": "execution status unknown."})
    assert events == list(timed_out(commands[kind], NOW))
    assert [e.client_order_id for e in events] == list(ids_of(commands[kind]))


def test_unsent_commands_are_refused_for_every_order_concerned(commands):
    """A command that was not written gives one event an order."""
    for command in commands.values():
        events = list(refused(command, RejectReason.OTHER, 0, "not sent", NOW))
        assert tuple(e.client_order_id for e in events) == ids_of(command)


def test_answers_outside_the_documents_are_refused(answer):
    """Wrong types and off-grid quantities name the method or the symbol."""
    with pytest.raises(CodecError, match=r"order\.place"):
        answer("place", result={"orderId": "twelve"})
    with pytest.raises(CodecError, match="MMDUSDT"):
        answer("cancel", result=CANCELED | {"executedQty": "0.10050000"})


def test_resync_concerns_no_order(mmd):
    """It never leaves the process, so it can be neither refused nor lost."""
    resync = ResyncBook(mmd.id)
    assert ids_of(resync) == (0,)
    assert list(refused(resync, RejectReason.OTHER, 0, "x", NOW)) == []
    with pytest.raises(AssertionError, match="never sent"):
        list(ReplyDecoder([mmd]).events(resync, ApiFrame(status=200), NOW))


def test_server_error_without_a_body_leaves_doubt(mmd, commands):
    """An HTTP 504 from a gateway says nothing of the order."""
    (event,) = ReplyDecoder([mmd]).events(commands["place"], ApiFrame(status=504), NOW)
    assert event == RequestTimedOut(NOW, mmd.id, NEW)
