"""Every answer and event in the documents' examples decodes to what it says, or is refused with its name.

Each table has a row for every message of its document, which `test_no_message_is_left_out` checks.
"""

import msgspec
import pytest

from adapters.binance_spot.account_state import AccountState
from adapters.binance_spot.api_session import ApiSession, PrivateCodec
from adapters.binance_spot.auth import HmacSigner
from adapters.binance_spot.instruments import instruments_of
from adapters.binance_spot.market_codec import MarketCodec
from adapters.binance_spot.order_codec import OrderEncoder
from adapters.binance_spot.order_replies import ReplyDecoder
from adapters.binance_spot.rate_usage import RateUsageReports
from adapters.binance_spot.rejects import venue_error
from adapters.binance_spot.unknown_events import UnknownEvents
from adapters.binance_spot.user_data import UserDataDecoder
from adapters.binance_spot.wire import (
    AccountInfo,
    ApiError,
    CommissionRates,
    ExchangeInfo,
    MyTrade,
    OrderReport,
    RestError,
    ServerTime,
    decode,
)
from mmd.core.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    PlaceOrder,
    QueryOrder,
    ReplaceOrder,
)
from mmd.core.events import RateUsage
from mmd.core.market.record import SNAPSHOT
from mmd.core.units import Side, TimeInForce
from mmd.errors import VenueError
from tests.unit.adapters.binance_spot.conftest import instrument
from tests.unit.adapters.binance_spot.documented import Message, name, of, the

FINE = "0.00000001"


class Line:
    """A live session on an instrument with the finest grid, with its wire and events as lists."""

    def __init__(self, symbol: str = "BTCUSDT") -> None:
        self.sent: list[dict] = []
        self.events: list = []
        traded = [instrument(0, symbol, FINE, FINE)]
        account = AccountState([traded[0].id])
        codec = PrivateCodec(
            encoder=OrderEncoder(traded, "key", HmacSigner("secret"), 2_000),
            replies=ReplyDecoder(traded),
            user_data=UserDataDecoder("test", traded, account),
            account=account,
            usage=RateUsageReports("test"),
            unknown=UnknownEvents(lambda _, __: None),
        )
        self.session = ApiSession(codec, self._write, self.events.append, lambda: 1, 10**9)
        self.session.start(0)

    def _write(self, frame: bytes) -> None:
        self.sent.append(msgspec.json.decode(frame))

    def receive(self, message: bytes) -> list[str]:
        """Take in a message as it stands; names of the events that it makes, budgets aside."""
        self.session.on_frame(message, 5)
        return [type(e).__name__ for e in self.events if not isinstance(e, RateUsage)]

    def answer(self, message: bytes) -> list[str]:
        """Take in a message as the answer to the last request."""
        body = msgspec.json.decode(message)
        return self.receive(msgspec.json.encode(body | {"id": self.sent[-1]["id"]}))


USER_DATA = {
    "Account Update": ["Balance"],
    "Balance Update": [],
    "Order Update": [],
    "Order Reject Reason": [],
    "External Lock Update": [],
    "Event Stream Terminated": "the venue ended the user-data subscription",
    "Event format": ["Balance", "Balance"],
    "Server Shutdown": [],
    "Authenticate after connection": "WebSocket API session: the API key was refused",
}


@pytest.mark.parametrize(
    "message",
    of("user-data-stream.md")
    + of("web-socket-api.md", "Event format", "Server Shutdown", "Authenticate after connection"),
    ids=name,
)
def test_events_of_the_api_connection(message: Message):
    """Balances are told; differences are asked about; orders of strangers and lists say nothing."""
    line, expected = Line("ETHBTC"), USER_DATA[message.section]
    if isinstance(expected, str):
        with pytest.raises(VenueError, match=expected):
            line.receive(message.body)
        return
    assert line.receive(message.body) == expected
    asks = message.section in ("Balance Update", "External Lock Update")
    assert [r["method"] for r in line.sent[1:]] == ["account.status"] * asks
    assert line.session.shutdown_announced == (message.section == "Server Shutdown")


def test_documented_report_of_an_order_of_ours():
    """The executionReport example, if the order were ours: accepted, under the venue's id."""
    body = the("user-data-stream.md", "Order Update").replace(b"mUvoqJxFIILMdfAW5iGSOW", b"mmd5-1")
    line = Line("ETHBTC")
    assert line.receive(body) == ["OrderAccepted"]
    assert (line.events[0].venue_order_id, line.events[0].client_order_id) == (4293153, A)


A, B = 5 << 32 | 1, 5 << 32 | 2
NEW = (Side.SELL, 10, 20, TimeInForce.GTC)
PLACE = PlaceOrder(0, A, *NEW)
REPLACE = ReplaceOrder(0, A, B, *NEW)
BOTH_FAILED = ["CancelRejected", "OrderRejected"]
REPLIES = {
    ("Response format", 1): (PLACE, ["OrderAccepted"]),
    ("Response format", 2): (PLACE, ["OrderRejected"]),
    ("IP limits", 2): (PLACE, ["OrderRejected"]),
    ("Unfilled Order Count", 1): (PLACE, ["OrderAccepted"]),
    ("Place new order (TRADE)", 1): (PLACE, ["OrderAccepted"]),
    ("Place new order (TRADE)", 2): (PLACE, ["OrderAccepted"]),
    ("Place new order (TRADE)", 3): (PLACE, ["OrderAccepted"]),
    ("Cancel order (TRADE)", 1): (CancelOrder(0, A), ["OrderEnded"]),
    ("Cancel and replace order (TRADE)", 1): (REPLACE, ["OrderEnded", "OrderAccepted"]),
    ("Cancel and replace order (TRADE)", 2): (REPLACE, BOTH_FAILED),
    ("Cancel and replace order (TRADE)", 3): (REPLACE, ["OrderEnded", "OrderRejected"]),
    ("Cancel and replace order (TRADE)", 4): (REPLACE, ["CancelRejected", "OrderAccepted"]),
    ("Cancel and replace order (TRADE)", 5): (REPLACE, BOTH_FAILED),
    ("Cancel and replace order (TRADE)", 6): (REPLACE, BOTH_FAILED),
    ("Cancel and replace order (TRADE)", 7): (REPLACE, ["OrderEnded", "OrderRejected"]),
    ("Order Amend Keep Priority (TRADE)", 1): (AmendOrder(0, A, 5), ["OrderStatus"]),
    ("Order Amend Keep Priority (TRADE)", 2): (AmendOrder(0, A, 5), ["OrderStatus"]),
    ("Cancel open orders (TRADE)", 1): (CancelAll(0), []),
}
QUERIES = {"IP limits", "Account information (USER_DATA)", "Query order (USER_DATA)"} | {
    "Current open orders (USER_DATA)",
    "Account trade history (USER_DATA)",
    "Exchange information",
}
SESSION = {
    "Log in with API key (SIGNED)",
    "Subscribe to User Data Stream (USER_STREAM)",
    "Subscribe to User Data Stream through signature subscription (USER_STREAM)",
}
REST_ONLY_ERRORS = {("Cancel order (TRADE)", 3): -1145, ("Cancel order (TRADE)", 4): -2011}
LIST_CANCELED = ("Cancel order (TRADE)", 2)


@pytest.mark.parametrize("key", REPLIES, ids=lambda key: f"{key[0]} {key[1]}")
def test_answers_to_commands(key):
    """Each answer to a command, successful, failed, or half and half, is what became of its orders."""
    command, expected = REPLIES[key]
    line = Line()
    line.answer(the("web-socket-api.md", SUBSCRIBED))
    line.session.send(command, 1)
    assert line.answer(the("web-socket-api.md", *key)) == expected
    assert line.session.in_flight == 0


SUBSCRIBED = "Subscribe to User Data Stream (USER_STREAM)"


@pytest.mark.parametrize("section", sorted(SESSION))
def test_answers_to_the_sessions_own_requests(section: str):
    """They bring the connection up."""
    line = Line()
    line.answer(the("web-socket-api.md", section))
    assert line.session.subscribed


def test_answer_to_the_cancel_of_a_list():
    """We place no lists, so the answer is decoded for its orders alone: it ends none of ours by a guess."""
    body = msgspec.json.decode(the("web-socket-api.md", *LIST_CANCELED))["result"]
    report = decode(msgspec.json.encode(body), OrderReport, "order.cancel")
    assert len(report.order_reports) == 2
    assert {r.status for r in report.order_reports} == {"CANCELED"}


def test_documented_ban_is_kept():
    """418 with retryAfter: no request before its time."""
    line = Line()
    line.answer(the("web-socket-api.md", SUBSCRIBED))
    line.session.send(PLACE, 1)
    line.answer(the("web-socket-api.md", "IP limits", 2))
    assert line.session.retry_ns == 5 + (1659146400000 - 1) * 1_000_000


def test_answers_to_queries():
    """Account, order, open orders and trades."""
    result = {
        m.section: msgspec.json.encode(msgspec.json.decode(m.body)["result"])
        for m in of("web-socket-api.md", *QUERIES)
        if m.key != ("IP limits", 2)
    }
    account = decode(result["Account information (USER_DATA)"], AccountInfo, "account.status")
    assert [b.asset for b in account.balances] == ["BNB", "BTC", "USDT"]
    assert decode(result["IP limits"], tuple[OrderReport, ...], "openOrders.status") == ()
    info = decode(result["Exchange information"], ExchangeInfo, "exchangeInfo")
    (listed,) = instruments_of(info, ("BNBBTC",), "v", 0, account.commission_rates)
    assert (str(listed.tick_size), str(listed.lot_size), listed.maker_fee_bps) == (
        "0.000001",
        "0.001",
        15.0,
    )
    line = Line()
    line.answer(the("web-socket-api.md", SUBSCRIBED))
    line.session.send(QueryOrder(0, A), 1)
    line.answer(the("web-socket-api.md", "Query order (USER_DATA)"))
    assert line.sent[-1]["method"] == "myTrades"
    assert line.answer(the("web-socket-api.md", "Account trade history (USER_DATA)")) == [
        "Fill",
        "Fill",
        "OrderStatus",
    ]
    (order,) = decode(
        result["Current open orders (USER_DATA)"], tuple[OrderReport, ...], "openOrders.status"
    )
    assert (order.status, order.executed_qty) == ("PARTIALLY_FILLED", "0.00720000")


REST = {
    ("Check server time", 1): ServerTime,
    ("New order (TRADE)", 1): PLACE,
    ("New order (TRADE)", 2): PLACE,
    ("New order (TRADE)", 3): PLACE,
    ("Cancel order (TRADE)", 1): CancelOrder(0, A),
    ("Cancel order (TRADE)", 2): RestError,
    ("Cancel order (TRADE)", 3): RestError,
    ("Cancel All Open Orders on a Symbol (TRADE)", 1): CancelAll(0),
    ("Cancel an Existing Order and Send a New Order (TRADE)", 1): REPLACE,
    ("Cancel an Existing Order and Send a New Order (TRADE)", 2): ApiError,
    ("Cancel an Existing Order and Send a New Order (TRADE)", 3): ApiError,
    ("Cancel an Existing Order and Send a New Order (TRADE)", 4): ApiError,
    ("Cancel an Existing Order and Send a New Order (TRADE)", 5): ApiError,
    ("Cancel an Existing Order and Send a New Order (TRADE)", 6): ApiError,
    ("Cancel an Existing Order and Send a New Order (TRADE)", 7): ApiError,
    ("Order Amend Keep Priority (TRADE)", 1): AmendOrder(0, A, 5),
    ("Order Amend Keep Priority (TRADE)", 2): AmendOrder(0, A, 5),
    ("Account information (USER_DATA)", 1): AccountInfo,
    ("Query order (USER_DATA)", 1): QueryOrder(0, A),
    ("Current open orders (USER_DATA)", 1): tuple[OrderReport, ...],
    ("Account trade list (USER_DATA)", 1): tuple[MyTrade, ...],
}


@pytest.mark.parametrize(
    "message", [m for m in of("rest-api.md") if m.section != "Order book"], ids=name
)
def test_rest_bodies(message: Message):
    """Bodies are read as what they are; those of orders are the WebSocket API's results."""
    expected = REST[message.key]
    if isinstance(
        expected, PlaceOrder | CancelOrder | ReplaceOrder | AmendOrder | CancelAll | QueryOrder
    ):
        line = Line()
        line.answer(the("web-socket-api.md", SUBSCRIBED))
        line.session.send(expected, 1)
        body = {"status": 200, "result": msgspec.Raw(message.body)}
        events = line.answer(msgspec.json.encode(body))
        assert (events == []) == (expected == CancelAll(0))
    else:
        read = decode(message.body, expected, message.section)
        assert read
        if expected in (RestError, ApiError):
            text = str(venue_error(read.code, read.msg, "x", 0.0))
            assert str(read.code) in text
            assert read.msg in text


def test_rest_book():
    """The depth example becomes a snapshot."""
    codec = MarketCodec([instrument(0, "BNBBTC", FINE, FINE)])
    codec.decode_snapshot(the("rest-api.md", "Order book"), 0, 3)
    m = codec.market[0]
    assert (int(m["kind"]), int(m["last"]), int(m["px"][1, 0])) == (SNAPSHOT, 1027024, 400_000_200)


def test_rest_fees():
    """Commission rates are fractions."""
    body = the("rest-api.md", "Account information (USER_DATA)")
    account = decode(body, AccountInfo, "account")
    assert account.commission_rates == CommissionRates("0.00150000", "0.00150000")


def test_no_message_is_left_out():
    """Every message of the file has its row in a table, and every row its message."""
    tested = {
        "user-data-stream.md": set(USER_DATA) - {"Event format", "Authenticate after connection"}
        - {"Server Shutdown"},
        "rest-api.md": {section for section, _ in REST} | {"Order book"},
        "web-socket-api.md": {"Event format", "Server Shutdown", "Authenticate after connection"}
        | {section for section, _ in REPLIES} | QUERIES | SESSION,
    }  # fmt: skip
    for document, sections in tested.items():
        assert sections == {m.section for m in of(document)}
    api = {m.key for m in of("web-socket-api.md") if (m.section, 1) in REPLIES}
    assert api - {("IP limits", 1)} == REPLIES.keys() - {("IP limits", 2)} | {
        LIST_CANCELED,
        *REST_ONLY_ERRORS,
    }
    assert {m.key for m in of("rest-api.md")} - {("Order book", 1)} == set(REST)
    for key, code in REST_ONLY_ERRORS.items():
        assert decode(the("web-socket-api.md", *key), RestError, "x").code == code
