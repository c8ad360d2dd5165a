"""REST over real sockets: an order's life, refusals with the venue's codes, headers, and market data."""

from pathlib import Path

import ccxt.async_support as ccxt
import pytest

from adapters.binance_spot.sandbox import Sandbox, SandboxOptions
from mmd.errors import ConfigError
from tests.sandbox_client import RestClient, now_ms, rest

_ORDER = {"symbol": "MMDUSDT", "side": "BUY", "quantity": "1.5"}
_POST_ONLY = {**_ORDER, "type": "LIMIT_MAKER", "price": "99.5"}
_LIMIT = {**_ORDER, "type": "LIMIT", "timeInForce": "GTC"}


@pytest.fixture
async def sandbox():
    """A generated market on a free port."""
    async with Sandbox(SandboxOptions()) as running:
        yield running


@pytest.fixture
async def client(sandbox: Sandbox):
    """A client of it."""
    async with rest(sandbox) as made:
        yield made


async def test_an_orders_life(client: RestClient) -> None:
    """Placed, seen, shrunk, canceled; locks and open orders follow."""
    status, placed, headers = await client.signed(
        "POST", "/api/v3/order", newClientOrderId="mine", newOrderRespType="FULL", **_POST_ONLY
    )
    assert (status, placed["status"], placed["fills"]) == (200, "NEW", [])
    assert (placed["price"], placed["origQty"]) == ("99.50000000", "1.50000000")
    assert headers["X-MBX-ORDER-COUNT-10S"] == "1"
    assert headers["X-MBX-USED-WEIGHT-1M"] == "0"
    _, opened, _ = await client.signed("GET", "/api/v3/openOrders", symbol="MMDUSDT")
    assert [o["clientOrderId"] for o in opened] == ["mine"]
    _, account, _ = await client.signed("GET", "/api/v3/account")
    usdt = next(b for b in account["balances"] if b["asset"] == "USDT")
    assert (usdt["free"], usdt["locked"]) == ("999850.75000000", "149.25000000")
    _, amended, _ = await client.signed(
        "PUT",
        "/api/v3/order/amend/keepPriority",
        symbol="MMDUSDT",
        origClientOrderId="mine",
        newClientOrderId="mine2",
        newQty="0.5",
    )
    assert amended["amendedOrder"]["qty"] == "0.50000000"
    _, canceled, _ = await client.signed(
        "DELETE",
        "/api/v3/order",
        symbol="MMDUSDT",
        origClientOrderId="mine2",
        newClientOrderId="bye",
    )
    assert (canceled["status"], canceled["origClientOrderId"], canceled["clientOrderId"]) == (
        "CANCELED",
        "mine2",
        "bye",
    )
    _, queried, _ = await client.signed(
        "GET", "/api/v3/order", symbol="MMDUSDT", orderId=placed["orderId"]
    )
    assert (queried["status"], queried["origQty"]) == ("CANCELED", "0.50000000")


async def test_a_market_order_fills_and_is_in_my_trades(client: RestClient) -> None:
    """Fills carry the commission in the received asset; myTrades pages by fromId."""
    _, placed, _ = await client.signed(
        "POST", "/api/v3/order", in_body=True, type="MARKET", **_ORDER
    )
    assert (placed["status"], placed["executedQty"]) == ("FILLED", "1.50000000")
    assert {f["commissionAsset"] for f in placed["fills"]} == {"MMD"}
    _, trades, _ = await client.signed("GET", "/api/v3/myTrades", symbol="MMDUSDT")
    assert [t["id"] for t in trades] == [f["tradeId"] for f in placed["fills"]]
    assert sum(float(t["qty"]) for t in trades) == 1.5
    _, later, _ = await client.signed(
        "GET", "/api/v3/myTrades", symbol="MMDUSDT", fromId=trades[-1]["id"] + 1
    )
    assert later == []


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({**_POST_ONLY, "price": "120"}, -2010, "Order would immediately match and take."),
        (
            {**_LIMIT, "price": "99", "quantity": "50000"},
            -2010,
            "Account has insufficient balance for requested action.",
        ),
        ({**_POST_ONLY, "price": "99.005"}, -1013, "Filter failure: PRICE_FILTER"),
        ({**_POST_ONLY, "quantity": "0.0001"}, -1013, "Filter failure: LOT_SIZE"),
        ({**_POST_ONLY, "quantity": "0.01"}, -1013, "Filter failure: NOTIONAL"),
        ({**_POST_ONLY, "price": "9"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        ({**_POST_ONLY, "symbol": "NOPE"}, -1121, "Invalid symbol."),
        (
            {**_LIMIT},
            -1102,
            "Mandatory parameter 'price' was not sent, was empty/null, or malformed.",
        ),
        (
            {**_ORDER, "type": "LIMIT", "price": "99"},
            -1102,
            "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed.",
        ),
        (
            {**_POST_ONLY, "timeInForce": "GTC"},
            -1106,
            "Parameter 'timeInForce' sent when not required.",
        ),
        ({**_POST_ONLY, "side": "HOLD"}, -1117, "Invalid side."),
        ({**_ORDER, "type": "ICEBERG"}, -1116, "Invalid orderType."),
        (
            {**_POST_ONLY, "price": "9.9e1"},
            -1100,
            "Illegal characters found in parameter 'price'; legal range is '^([0-9]{1,20})(\\.[0-9]{1,20})?$'.",
        ),
        (
            {**_POST_ONLY, "price": "99.123456789"},
            -1111,
            "Parameter 'price' has too much precision.",
        ),
        (
            {**_ORDER, "type": "STOP_LOSS"},
            -2010,
            "Stop loss orders are not supported for this symbol.",
        ),
        (
            {**_POST_ONLY, "newClientOrderId": "a b"},
            -1100,
            "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[\\.A-Z\\:/a-z0-9_-]{1,36}$'.",
        ),
    ],
)
async def test_refusals_have_the_venues_codes_and_texts(
    client: RestClient, params: dict[str, str], code: int, message: str
) -> None:
    """Each as the venue's documents have it, with status 400."""
    status, body, _ = await client.signed("POST", "/api/v3/order", **params)
    assert (status, body) == (400, {"code": code, "msg": message})


async def test_unknown_orders(client: RestClient) -> None:
    """Cancels and queries differ in code and text."""
    _, body, _ = await client.signed("DELETE", "/api/v3/order", symbol="MMDUSDT", orderId=77)
    assert body == {"code": -2011, "msg": "Unknown order sent."}
    _, body, _ = await client.signed("GET", "/api/v3/order", symbol="MMDUSDT", orderId=77)
    assert body == {"code": -2013, "msg": "Order does not exist."}
    _, placed, _ = await client.signed("POST", "/api/v3/order", **_POST_ONLY)
    at = {"symbol": "MMDUSDT", "orderId": placed["orderId"], "origClientOrderId": "other"}
    for verb in ("GET", "DELETE"):
        _, body, _ = await client.signed(verb, "/api/v3/order", **at)
        assert body["code"] == -2039
    await client.signed("DELETE", "/api/v3/openOrders", symbol="MMDUSDT")
    _, body, _ = await client.signed("DELETE", "/api/v3/openOrders", symbol="MMDUSDT")
    assert body == {"code": -2011, "msg": "Unknown order sent."}


async def test_signatures_keys_and_times_are_checked(client: RestClient) -> None:
    """-1022, -2014, -2015 and -1021 both ways."""
    path = "/api/v3/account"
    for params, status, code in (
        ({"signature": "00"}, 400, -1022),
        ({"key": ""}, 401, -2014),
        ({"key": "nobody"}, 401, -2015),
        ({"timestamp": now_ms() - 6000}, 400, -1021),
        ({"timestamp": now_ms() + 5000}, 400, -1021),
        ({"timestamp": now_ms() - 6000, "recvWindow": 9000}, 200, None),
    ):
        got, body, _ = await client.signed("GET", path, **params)
        assert (got, body.get("code")) == (status, code)


async def test_cancel_replace_outcomes(client: RestClient) -> None:
    """Success; a failed cancel stops or does not; a refused new order after the cancel is a half success."""
    path = "/api/v3/order/cancelReplace"
    _, first, _ = await client.signed("POST", "/api/v3/order", **_POST_ONLY)
    status, body, _ = await client.signed(
        "POST",
        path,
        cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId=first["orderId"],
        **(_POST_ONLY | {"price": "99.4"}),
    )
    assert (status, body["cancelResult"], body["newOrderResult"]) == (200, "SUCCESS", "SUCCESS")
    second = body["newOrderResponse"]["orderId"]
    status, body, _ = await client.signed(
        "POST", path, cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=999, **_POST_ONLY
    )
    assert (status, body["code"], body["data"]["newOrderResult"]) == (400, -2022, "NOT_ATTEMPTED")
    assert body["data"]["cancelResponse"] == {"code": -2011, "msg": "Unknown order sent."}
    status, body, _ = await client.signed(
        "POST", path, cancelReplaceMode="ALLOW_FAILURE", cancelOrderId=999, **_POST_ONLY
    )
    assert (status, body["code"]) == (409, -2021)
    assert (body["data"]["cancelResult"], body["data"]["newOrderResult"]) == ("FAILURE", "SUCCESS")
    status, body, _ = await client.signed(
        "POST",
        path,
        cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId=second,
        **(_POST_ONLY | {"price": "120"}),
    )
    assert (status, body["code"]) == (409, -2021)
    assert body["data"]["newOrderResponse"]["msg"] == "Order would immediately match and take."
    _, queried, _ = await client.signed("GET", "/api/v3/order", symbol="MMDUSDT", orderId=second)
    assert queried["status"] == "CANCELED"


async def test_order_limits_answer_429_with_a_time_to_wait() -> None:
    """The third order within ten seconds is one too many here."""
    async with Sandbox(SandboxOptions(orders_per_10s=2)) as sandbox, rest(sandbox) as client:
        codes = []
        for _ in range(5):
            status, body, headers = await client.signed("POST", "/api/v3/order", **_POST_ONLY)
            codes.append(status)
            if status == 429:
                assert body["code"] == -1015
                assert 1 <= int(headers["Retry-After"]) <= 10
        assert 429 in codes
        assert codes[:2] == [200, 200]


async def test_public_market_data(client: RestClient) -> None:
    """Depth, tickers, time and trades are consistent with each other."""
    _, depth, headers = await client.public("/api/v3/depth", symbol="MMDUSDT", limit=1000)
    assert len(depth["bids"]) >= 25
    assert float(depth["bids"][0][0]) < float(depth["asks"][0][0])
    assert headers["X-MBX-USED-WEIGHT-1M"] == "50"
    _, time, _ = await client.public("/api/v3/time")
    assert abs(time["serverTime"] - now_ms()) < 2000
    for path in ("/api/v3/ticker/bookTicker", "/api/v3/ticker/24hr", "/api/v3/ticker/price"):
        _, one, _ = await client.public(path, symbol="MMDUSDT")
        _, every, _ = await client.public(path)
        assert one["symbol"] == every[0]["symbol"] == "MMDUSDT"
    status, average, _ = await client.public("/api/v3/avgPrice", symbol="MMDUSDT")
    assert (status, average["mins"]) == (200, 5)
    status, body, _ = await client.public("/api/v3/nothing")
    assert (status, body["code"]) == (404, -1020)


async def test_ccxt_loads_the_market_and_trades(sandbox: Sandbox) -> None:
    """A third party's client works against it with nothing but the addresses changed."""
    exchange = ccxt.binance({"apiKey": "embedded-key", "secret": "embedded-secret"})
    exchange.options |= {
        "fetchMarkets": {"types": ["spot"]},
        "fetchCurrencies": False,
        "fetchMargins": False,
    }
    for name in ("public", "private"):
        exchange.urls["api"][name] = f"{sandbox.rest_url}/api/v3"
    try:
        market = (await exchange.load_markets())["MMD/USDT"]
        assert (market["precision"]["price"], market["limits"]["cost"]["min"]) == (0.01, 5.0)
        placed = await exchange.create_order(
            "MMD/USDT", "limit", "buy", 1, 99.5, {"postOnly": True}
        )
        assert placed["status"] == "open"
        with pytest.raises(ccxt.OrderImmediatelyFillable):
            await exchange.create_order("MMD/USDT", "limit", "buy", 1, 120, {"postOnly": True})
        assert len(await exchange.fetch_open_orders("MMD/USDT")) == 1
        assert (await exchange.cancel_order(placed["id"], "MMD/USDT"))["status"] == "canceled"
    finally:
        await exchange.close()


async def test_a_taken_port_is_one_clear_error(sandbox: Sandbox) -> None:
    """It says which address and what to do."""
    with pytest.raises(ConfigError, match=r"is taken by another program; choose another --port"):
        async with Sandbox(SandboxOptions(port=sandbox.port)):
            pass


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"preset": "wild"}, "preset: expected one of calm, default, .* found 'wild'"),
        ({"speed": 0.0}, "speed: expected a number above 0"),
        ({"speed": 2.0}, "only a tape can be served faster"),
        ({"symbols": ("MMDEUR",)}, "symbol: expected one that ends in USDT"),
        ({"symbols": ("MMDUSDT", "MMDUSDT")}, "symbol: expected different symbols"),
        ({"faults_token": "short"}, "faults: expected a token of at least 8 characters"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, object], complaint: str) -> None:
    """Before anything is opened."""
    with pytest.raises(ConfigError, match=complaint):
        Sandbox(SandboxOptions(**options))


async def test_a_certificate_that_is_none_is_one_clear_error(tmp_path: Path) -> None:
    """Missing, or without a key."""
    empty = tmp_path / "empty.pem"
    empty.touch()
    for path in (tmp_path / "missing.pem", empty):
        with pytest.raises(ConfigError, match="certificate: expected a PEM file with a chain"):
            async with Sandbox(SandboxOptions(certificate=path)):
                pass


async def test_a_market_order_may_name_an_amount_of_quote(client: RestClient) -> None:
    """It spends at most that, and says what was asked for."""
    order = {k: v for k, v in _ORDER.items() if k != "quantity"}
    _, placed, _ = await client.signed(
        "POST", "/api/v3/order", type="MARKET", quoteOrderQty="250.5", **order
    )
    assert placed["origQuoteOrderQty"] == "250.50000000"
    assert 250.3 < float(placed["cummulativeQuoteQty"]) <= 250.5
    assert placed["origQty"] == placed["executedQty"]


async def test_cancels_may_be_restricted_to_a_state(client: RestClient) -> None:
    """ONLY_PARTIALLY_FILLED leaves a new order alone; an unknown restriction has its code."""
    _, placed, _ = await client.signed("POST", "/api/v3/order", **_POST_ONLY)
    at = {"symbol": "MMDUSDT", "orderId": placed["orderId"]}
    for restriction, code in (
        ("ONLY_PARTIALLY_FILLED", -2011),
        ("ONLY_SOMETIMES", -1145),
        ("ONLY_NEW", None),
    ):
        _, body, _ = await client.signed(
            "DELETE", "/api/v3/order", cancelRestrictions=restriction, **at
        )
        assert body.get("code") == code


@pytest.mark.parametrize(
    ("verb", "path", "params", "code"),
    [
        ("POST", "order", {**_ORDER, "type": "MARKET", "price": "99"}, -1106),
        ("POST", "order", {**_POST_ONLY, "icebergQty": "1"}, -2010),
        ("POST", "order", {**_POST_ONLY, "newOrderRespType": "EVERYTHING"}, -1130),
        ("DELETE", "order", {"symbol": "MMDUSDT"}, -1102),
        (
            "PUT",
            "order/amend/keepPriority",
            {"symbol": "MMDUSDT", "orderId": 9, "newQty": "1"},
            -2038,
        ),
        ("POST", "order/test", {**_POST_ONLY, "price": "99.005"}, -1013),
        ("POST", "order/test", {**_POST_ONLY, "quantity": "0.01"}, -1013),
        ("GET", "order", {"symbol": "MMDUSDT"}, -1102),
        ("GET", "order/amendments", {"symbol": "MMDUSDT"}, -1102),
        ("GET", "allOrders", {"symbol": "MMDUSDT", "orderId": "x"}, -1100),
    ],
)
async def test_wrong_parameters_of_signed_requests(
    client: RestClient, verb: str, path: str, params: dict[str, object], code: int
) -> None:
    """Each with the code that the venue's documents give."""
    _, body, _ = await client.signed(verb, f"/api/v3/{path}", **params)
    assert body["code"] == code
