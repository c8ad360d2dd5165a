"""The WebSocket API over real sockets: requests, user data events, log-on."""

import base64
import itertools

import pytest

from adapters.binance_spot.sandbox import Sandbox, SandboxOptions
from adapters.binance_spot.sandbox_auth import Credential
from tests.sandbox_client import Socket, now_ms, socket

_POST_ONLY = {
    "symbol": "MMDUSDT",
    "side": "BUY",
    "type": "LIMIT_MAKER",
    "price": "99.5",
    "quantity": "1.5",
}
_MARKET = {"symbol": "MMDUSDT", "side": "BUY", "type": "MARKET", "quantity": "3"}
_REPORT_FIELDS = {
    "e",
    "E",
    "s",
    "c",
    "S",
    "o",
    "f",
    "q",
    "p",
    "P",
    "F",
    "g",
    "C",
    "x",
    "X",
    "r",
    "i",
    "l",
    "z",
    "L",
    "n",
    "N",
    "T",
    "t",
    "I",
    "w",
    "m",
    "M",
    "O",
    "Z",
    "Y",
    "Q",
    "W",
    "V",
}


@pytest.fixture
async def api():
    """A WebSocket API connection to a generated market."""
    async with Sandbox(SandboxOptions()) as sandbox, socket(sandbox.api_url) as made:
        yield made


async def test_answers_have_id_status_result_and_rate_limits(api: Socket) -> None:
    """Ids of any kind come back; errors have code and msg."""
    for request_id in (7, "seven", None):
        answer = await api.request(method="ping", id=request_id)
        assert (answer["id"], answer["status"], answer["result"]) == (request_id, 200, {})
        assert [r["rateLimitType"] for r in answer["rateLimits"]] == [
            "REQUEST_WEIGHT",
            "ORDERS",
            "ORDERS",
        ]
    answer = await api.request(method="order.dance")
    assert (answer["status"], answer["error"]["code"]) == (400, -1020)
    await api.ws.send_str("{nonsense")
    assert (await api.receive())["error"] == {"code": -1135, "msg": "Invalid JSON Request"}


async def test_an_orders_life_with_its_events(api: Socket) -> None:
    """Every step answers first and then reports, with the official fields."""
    started = await api.call("userDataStream.subscribe.signature")
    assert started["result"] == {"subscriptionId": 0}
    placed = await api.call("order.place", newClientOrderId="one", **_POST_ONLY)
    assert set(placed["result"]) == {
        "symbol",
        "orderId",
        "orderListId",
        "clientOrderId",
        "transactTime",
    }
    new = (await api.event())["event"]
    assert set(new) == _REPORT_FIELDS
    assert (new["x"], new["X"], new["c"], new["w"], new["n"], new["N"]) == (
        "NEW",
        "NEW",
        "one",
        True,
        "0",
        None,
    )
    position = await api.event()
    assert position["subscriptionId"] == 0
    assert position["event"]["e"] == "outboundAccountPosition"
    assert position["event"]["B"][1] == {"a": "USDT", "f": "999850.75000000", "l": "149.25000000"}
    await api.call(
        "order.amend.keepPriority",
        symbol="MMDUSDT",
        origClientOrderId="one",
        newClientOrderId="two",
        newQty="1",
    )
    replaced = (await api.event())["event"]
    assert (replaced["x"], replaced["c"], replaced["C"], replaced["q"]) == (
        "REPLACED",
        "two",
        "one",
        "1.00000000",
    )
    await api.event()
    await api.call(
        "order.cancel", symbol="MMDUSDT", origClientOrderId="two", newClientOrderId="bye"
    )
    canceled = (await api.event())["event"]
    assert (canceled["x"], canceled["X"], canceled["c"], canceled["C"]) == (
        "CANCELED",
        "CANCELED",
        "bye",
        "two",
    )
    assert canceled["w"] is False


async def test_trades_and_expiry_are_reported(api: Socket) -> None:
    """A market order's trades add up; an IOC order that finds nothing expires with its reason."""
    await api.call("userDataStream.subscribe.signature")
    placed = await api.call("order.place", **_MARKET)
    assert placed["result"]["status"] == "FILLED"
    reports = [(await api.event())["event"] for _ in range(2 + len(placed["result"]["fills"]))]
    trades = [r for r in reports if r.get("x") == "TRADE"]
    assert sum(float(t["l"]) for t in trades) == 3.0
    assert (trades[-1]["X"], trades[-1]["z"], trades[-1]["N"]) == ("FILLED", "3.00000000", "MMD")
    assert all(not t["m"] for t in trades)
    while (await api.event())["event"]["e"] != "outboundAccountPosition":
        pass
    await api.call(
        "order.place",
        symbol="MMDUSDT",
        side="BUY",
        type="LIMIT",
        timeInForce="IOC",
        price="90",
        quantity="1",
    )
    kinds = [e["event"] for e in [await api.event() for _ in range(3)]]
    expired = next(k for k in kinds if k.get("x") == "EXPIRED")
    assert (expired["X"], expired["eR"]) == ("EXPIRED", "UNFILLED_IOC_QUANTITY_EXPIRED")


async def test_self_trade_prevention_is_reported(api: Socket) -> None:
    """The resting order ends as EXPIRED_IN_MATCH with the prevented quantity."""
    depth = await api.call("depth", signed=False, symbol="MMDUSDT", limit=1)
    bid, ask = float(depth["result"]["bids"][0][0]), float(depth["result"]["asks"][0][0])
    price = f"{(bid if ask - bid < 0.015 else bid + 0.01):.2f}"
    await api.call("order.place", newClientOrderId="maker", **(_POST_ONLY | {"price": price}))
    await api.call("userDataStream.subscribe.signature")
    sell = {"symbol": "MMDUSDT", "side": "SELL", "type": "MARKET", "quantity": "200"}
    answer = await api.call("order.place", **sell)
    assert answer["status"] == 200
    while True:
        event = (await api.event())["event"]
        if event.get("x") == "TRADE_PREVENTION":
            break
        assert event.get("x") != "TRADE" or event["i"] == answer["result"]["orderId"]
    assert (event["X"], event["C"], event["c"]) == ("EXPIRED_IN_MATCH", "", "maker")
    assert (event["A"], event["U"]) == ("1.50000000", answer["result"]["orderId"])


async def test_cancel_replace_reports_a_rejected_second_half(api: Socket) -> None:
    """Cancel done, new order refused: 409, and a REJECTED report with its reason."""
    placed = await api.call("order.place", **_POST_ONLY)
    await api.call("userDataStream.subscribe.signature")
    answer = await api.call(
        "order.cancelReplace",
        cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId=placed["result"]["orderId"],
        **(_POST_ONLY | {"price": "120"}),
    )
    assert (answer["status"], answer["error"]["code"]) == (409, -2021)
    kinds = [(await api.event())["event"] for _ in range(3)]
    assert [k.get("x") for k in kinds] == ["CANCELED", None, "REJECTED"]
    assert (kinds[2]["X"], kinds[2]["r"]) == ("REJECTED", "WOULD_MATCH_IMMEDIATELY")


async def test_queries_and_cancel_all(api: Socket) -> None:
    """order.status, openOrders, account, myTrades, allOrders, order counts."""
    for name in ("a", "b"):
        await api.call("order.place", newClientOrderId=name, **_POST_ONLY)
    queried = await api.call("order.status", symbol="MMDUSDT", origClientOrderId="a")
    assert queried["result"]["status"] == "NEW"
    opened = await api.call("openOrders.status", symbol="MMDUSDT")
    assert [o["clientOrderId"] for o in opened["result"]] == ["a", "b"]
    ended = await api.call("openOrders.cancelAll", symbol="MMDUSDT")
    assert [o["origClientOrderId"] for o in ended["result"]] == ["a", "b"]
    assert (await api.call("openOrders.status"))["result"] == []
    everything = await api.call("allOrders", symbol="MMDUSDT")
    assert [o["status"] for o in everything["result"]] == ["CANCELED", "CANCELED"]
    account = await api.call("account.status")
    assert {b["locked"] for b in account["result"]["balances"]} == {"0.00000000"}
    assert (await api.call("myTrades", symbol="MMDUSDT"))["result"] == []
    counts = await api.call("account.rateLimits.orders")
    assert counts["result"][0]["count"] == 2
    assert (await api.call("order.test", **_POST_ONLY))["result"] == {}


async def test_signatures_keys_and_times_are_checked(api: Socket) -> None:
    """The same codes as on REST."""
    for params, code in (
        ({"signature": "00"}, -1022),
        ({"apiKey": "nobody"}, -2015),
        ({"apiKey": ""}, -1102),
        ({"timestamp": now_ms() - 6000}, -1021),
        ({"timestamp": now_ms() + 5000}, -1021),
    ):
        answer = await api.call("account.status", **params)
        assert answer["error"]["code"] == code
    answer = await api.call("session.logon")
    assert answer["error"]["code"] == -4056
    answer = await api.call("userDataStream.subscribe", signed=False)
    assert (answer["status"], answer["error"]["code"]) == (401, -2015)


async def test_unsubscribing_stops_the_events(api: Socket) -> None:
    """One subscription for an account at a time; after its end orders are silent."""
    await api.call("userDataStream.subscribe.signature")
    assert (await api.call("userDataStream.subscribe.signature"))["error"]["code"] == -2035
    assert (await api.call("session.status", signed=False))["result"]["userDataStream"] is True
    assert (await api.call("userDataStream.unsubscribe", signed=False))["result"] == {}
    await api.call("order.place", **_POST_ONLY)
    await api.call("ping", signed=False)
    assert api.events == []


async def test_an_ed25519_session_needs_no_signatures() -> None:
    """Log on once; orders and the user data stream then go by the session."""
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    private = ed25519.Ed25519PrivateKey.generate()
    pem = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    options = SandboxOptions(credentials=(Credential("ed", pem.decode()),))
    async with Sandbox(options) as sandbox, socket(sandbox.api_url) as api:
        timestamp = now_ms()
        payload = f"apiKey=ed&timestamp={timestamp}".encode()
        answer = await api.call(
            "session.logon",
            apiKey="ed",
            timestamp=timestamp,
            signature=base64.b64encode(private.sign(payload)).decode(),
        )
        assert answer["result"]["apiKey"] == "ed"
        assert (await api.call("userDataStream.subscribe", signed=False))["result"] == {
            "subscriptionId": 0
        }
        placed = await api.call("order.place", signed=False, timestamp=now_ms(), **_POST_ONLY)
        assert placed["status"] == 200
        assert (await api.event())["event"]["x"] == "NEW"
        status = (await api.call("session.status", signed=False))["result"]
        assert (status["apiKey"], status["userDataStream"]) == ("ed", True)
        ended = (await api.call("session.logout", signed=False))["result"]
        assert (ended["apiKey"], ended["userDataStream"]) == (None, False)
        placed = await api.call("order.place", signed=False, timestamp=now_ms(), **_POST_ONLY)
        assert placed["error"]["code"] == -1102


async def test_two_accounts_trade_with_each_other() -> None:
    """Each hears of its own half only."""
    credentials = (Credential(), Credential("second", "embedded-secret", "other"))
    async with (
        Sandbox(SandboxOptions(credentials=credentials)) as sandbox,
        socket(sandbox.api_url) as first,
        socket(sandbox.api_url) as second,
    ):
        await first.call("userDataStream.subscribe.signature")
        await second.call("userDataStream.subscribe.signature", apiKey="second")
        for attempt in itertools.count():
            depth = (await first.call("depth", signed=False, symbol="MMDUSDT", limit=1))["result"]
            price = f"{float(depth['bids'][0][0]) + 0.01:.2f}"
            placed = await first.call("order.place", **(_POST_ONLY | {"price": price}))
            if placed["status"] == 200 or attempt == 20:
                break
        await second.call(
            "order.place",
            apiKey="second",
            symbol="MMDUSDT",
            side="SELL",
            type="LIMIT",
            timeInForce="IOC",
            price=price,
            quantity="1.5",
        )
        sides = {}
        for name, api in (("maker", first), ("taker", second)):
            while (event := (await api.event())["event"]).get("x") != "TRADE":
                pass
            sides[name] = (event["S"], event["m"])
        assert sides == {"maker": ("BUY", True), "taker": ("SELL", False)}


async def test_what_was_never_subscribed_cannot_be_ended(api: Socket) -> None:
    """By its number; without one all that there are end, which may be none."""
    answer = await api.call("userDataStream.unsubscribe", signed=False, subscriptionId=3)
    assert (answer["status"], answer["error"]["code"]) == (400, -2036)
    assert (await api.call("userDataStream.unsubscribe", signed=False))["status"] == 200
