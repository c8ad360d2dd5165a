"""The life of a WebSocket API connection: log-on, subscription, what the venue says of the session, its end."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.binance_spot.private_key import Ed25519Signer
from mmd.core.commands import PlaceOrder
from mmd.core.events import OrderAccepted, RejectReason
from mmd.core.units import Side, TimeInForce
from mmd.errors import AuthError, CodecError, VenueUnreachableError
from tests.unit.adapters.binance_spot.api_line import TIMEOUT, A, Line


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (-2015, "user-data subscription: the API key was refused"),
        (-2014, "API key was refused"),
        (-1022, "signature was refused"),
        (-1021, "clock was refused"),
    ],
)
def test_refused_subscription_is_an_auth_error(mmd, code: int, text: str):
    """Key, signature and clock are told apart, on one line each."""
    line = Line(mmd)
    line.session.start(0)
    assert line.methods == ["userDataStream.subscribe.signature"]
    with pytest.raises(AuthError, match=text):
        line.fail(0, code, "venue's words", 401)


def test_subscription_without_an_answer_ends_the_connection(mmd):
    """It is timed like any request."""
    line = Line(mmd)
    line.session.start(0)
    line.session.expire(TIMEOUT)
    with pytest.raises(VenueUnreachableError, match="no answer to the user-data subscription"):
        line.session.expire(TIMEOUT + 1)


@pytest.mark.parametrize(
    ("event", "error", "text"),
    [
        ({"e": "eventStreamTerminated", "E": 1}, VenueUnreachableError, "ended the user-data"),
        ({"e": "outboundAccountPosition", "u": 1}, CodecError, "missing required field `B`"),
        ({"E": 1}, CodecError, "missing required field `e`"),
    ],
)
def test_events_that_end_the_connection(line, event, error, text):
    """Terminations, and what is not as the documents have it."""
    with pytest.raises(error, match=text):
        line.receive(event=event)


def test_an_event_of_a_new_kind_is_counted_named_once_and_passed_over(line, mmd):
    """Requests are answered and orders reported as before."""
    line.session.send(PlaceOrder(mmd.id, A, Side.SELL, 10_000, 500, TimeInForce.GTC), 1)
    for name in ("gossip", "gossip", "rumour"):
        line.receive(subscriptionId=0, event={"e": name, "E": 1, "x": [{"e": 7}]})
    assert (line.events, line.unknown.count) == ([], 3)
    assert line.told == [("gossip", "orders"), ("rumour", "orders")]
    line.answer(0, {"symbol": "MMDUSDT", "orderId": 12, "clientOrderId": "mmd5-1"})
    assert [type(e) for e in line.events] == [OrderAccepted]
    assert line.session.ready


def test_announced_shutdown_is_noted(line, place):
    """The connection still works; whoever owns it leaves before the server does."""
    line.receive(event={"e": "serverShutdown", "E": 1770123456789})
    assert line.session.shutdown_announced
    assert line.session.ready


def test_key_that_can_log_on_signs_once(mmd, place):
    """session.logon is signed, the subscription and every order after it carry neither key nor signature."""
    line = Line(mmd, Ed25519Signer(Ed25519PrivateKey.generate()))
    line.session.start(0)
    assert line.methods == ["session.logon"]
    assert line.sent[0]["params"].keys() == {"apiKey", "recvWindow", "signature", "timestamp"}
    line.answer(0, {"apiKey": "key", "authorizedSince": 1, "serverTime": 1})
    assert line.sent[1] == {"id": 2, "method": "userDataStream.subscribe", "params": {}}
    assert not line.session.ready
    line.answer(1, {"subscriptionId": 0})
    line.session.send(place(), 1)
    order = line.sent[2]["params"]
    assert (order["timestamp"], order["recvWindow"]) == (1_000, 2_000)
    assert not order.keys() & {"apiKey", "signature"}


@pytest.mark.parametrize("signer", [None, Ed25519Signer(Ed25519PrivateKey.generate())])
def test_lost_before_it_was_live_leaves_nothing_unknown(mmd, signer):
    """Neither log-on nor subscription concerns an order."""
    line = Line(mmd, signer)
    line.session.start(7)
    assert line.session.lost(9) == 7
    assert line.events == []


def test_refused_log_on_is_an_auth_error(mmd):
    """It says what to correct, like a refused subscription."""
    line = Line(mmd, Ed25519Signer(Ed25519PrivateKey.generate()))
    line.session.start(0)
    with pytest.raises(AuthError, match="session log-on: the signature was refused"):
        line.fail(0, -1022, "Signature for this request is not valid.")


def test_revoked_key_ends_the_session(line):
    """The documents' answer to no request in particular."""
    error = {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}
    with pytest.raises(AuthError, match="WebSocket API session: the API key was refused"):
        line.receive(id=None, status=401, error=error)


@pytest.mark.parametrize(
    ("status", "code", "data", "retry_ns"),
    [
        (418, -1003, {"serverTime": 900, "retryAfter": 1_250}, 5 + 250_000_000),
        (429, -1003, {"serverTime": 900, "retryAfter": 1_250}, 5 + 250_000_000),
        (429, -1015, {"serverTime": 900, "retryAfter": 1_250}, 0),
        (429, -1003, None, 0),
        (400, -1013, {"retryAfter": 1_250}, 0),
    ],
)
def test_retry_after_is_noted(line, place, status, code, data, retry_ns):
    """Only where every request is unwelcome: too many new orders still leave cancels free."""
    line.session.send(place(), 0)
    error = {"code": code, "msg": "x"} | ({} if data is None else {"data": data})
    line.receive(5, id=line.sent[0]["id"], status=status, error=error)
    assert line.session.retry_ns == retry_ns
    assert line.events[-1].reason in (RejectReason.RATE_LIMIT, RejectReason.FILTER)


def test_order_list_reports_are_known_and_ignored(line):
    """Strangers may use order lists."""
    line.receive(subscriptionId=0, event={"e": "listStatus", "E": 1, "s": "MMDUSDT"})
    assert line.events == []


@pytest.mark.parametrize(
    "frame", [b"{", b"[]", b'{"id":77,"status":200}', b'{"id":null,"status":400}', b"{}"]
)
def test_frames_that_answer_nothing_are_refused(line, frame: bytes):
    """Broken JSON and answers to requests that were never sent."""
    with pytest.raises(CodecError, match="WebSocket API"):
        line.session.on_frame(frame, 0)
