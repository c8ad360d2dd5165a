"""Negative answers, the same on REST and on the WebSocket API: codes, texts, statuses, and bans."""

from typing import Any, NamedTuple

import pytest

from adapters.binance_spot.sandbox import Sandbox
from adapters.binance_spot.sandbox_control import Status
from adapters.binance_spot.sandbox_limits import REFUSALS_MAX
from adapters.binance_spot.sandbox_options import SandboxOptions
from tests.sandbox_client import RestClient, Socket, now_ms, rest, socket

_AT = {"symbol": "MMDUSDT"}
_BUY = {**_AT, "side": "BUY", "quantity": "1"}
_MAKER = {**_BUY, "type": "LIMIT_MAKER", "price": "99"}
_PLACE, _CANCEL = ("order.place", "POST"), ("order.cancel", "DELETE")
_ORDER = "/api/v3/order"
_CLOSED = "Market is closed."


class _Case(NamedTuple):
    """A request that must fail, and how."""

    name: str
    way: tuple[str, str]
    params: dict[str, Any]
    code: int
    message: str
    status: int = 400


_CASES = [
    _Case("signature", _PLACE, {**_MAKER, "signature": "00"}, -1022, "Signature for this request is not valid."),
    _Case("stale", _PLACE, {**_MAKER, "timestamp": -6000}, -1021, "Timestamp for this request is outside of the recvWindow."),
    _Case("early", _PLACE, {**_MAKER, "timestamp": 5000}, -1021, "Timestamp for this request was 1000ms ahead of the server's time."),
    _Case("window", _PLACE, {**_MAKER, "recvWindow": "60001"}, -1131, "recvWindow must be less than 60000."),
    _Case("crossing", _PLACE, {**_MAKER, "price": "120"}, -2010, "Order would immediately match and take."),
    _Case("poor", _PLACE, {**_MAKER, "side": "SELL", "price": "101", "quantity": "11000"}, -2010, "Account has insufficient balance for requested action."),
    _Case("unknown cancel", _CANCEL, {**_AT, "orderId": 77}, -2011, "Unknown order sent."),
    _Case("unknown query", ("order.status", "GET"), {**_AT, "orderId": 77}, -2013, "Order does not exist."),
    _Case("tick", _PLACE, {**_MAKER, "price": "99.005"}, -1013, "Filter failure: PRICE_FILTER"),
    _Case("lot", _PLACE, {**_MAKER, "quantity": "0.0001"}, -1013, "Filter failure: LOT_SIZE"),
    _Case("notional", _PLACE, {**_MAKER, "quantity": "0.01"}, -1013, "Filter failure: NOTIONAL"),
    _Case("far", _PLACE, {**_MAKER, "price": "9"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    _Case("position", _PLACE, {**_MAKER, "quantity": "9000"}, -1013, "Filter failure: MAX_POSITION"),
    _Case("both sizes", _PLACE, {**_BUY, "type": "MARKET", "quoteOrderQty": "10"}, -1106, "Parameter 'quoteOrderQty' sent when not required."),
    _Case("small quote", _PLACE, {**_AT, "side": "BUY", "type": "MARKET", "quoteOrderQty": "1"}, -1013, "Filter failure: NOTIONAL"),
    _Case("symbol", _PLACE, {**_MAKER, "symbol": "NOPE"}, -1121, "Invalid symbol."),
    _Case("mode", _PLACE, {**_MAKER, "selfTradePreventionMode": "HOPE"}, -1130, "Data sent for parameter 'selfTradePreventionMode' is not valid."),
]  # fmt: skip


@pytest.fixture
async def sandbox():
    """A generated market in which nobody may hold more than 15,000 of base."""
    async with Sandbox(SandboxOptions(position_max=15_000)) as running:
        yield running


async def _by_rest(client: RestClient, case: _Case, **params: Any) -> tuple[int, Any]:
    status, body, _ = await client.signed(case.way[1], _ORDER, **params)
    return status, body


async def _by_socket(api: Socket, case: _Case, **params: Any) -> tuple[int, Any]:
    answer = await api.call(case.way[0], **params)
    return answer["status"], answer["error"]


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.name)
async def test_both_transports_refuse_alike(sandbox: Sandbox, case: _Case) -> None:
    """Status, code and text as the venue's documents have them."""
    expected = (case.status, {"code": case.code, "msg": case.message})
    async with rest(sandbox) as client, socket(sandbox.api_url) as api:
        for ask in (
            lambda **p: _by_rest(client, case, **p),
            lambda **p: _by_socket(api, case, **p),
        ):
            params = dict(case.params)
            if "timestamp" in params:
                params["timestamp"] += now_ms()
            assert await ask(**params) == expected


@pytest.mark.parametrize("status", ["CANCEL_ONLY", "BREAK"])
async def test_a_market_that_does_not_trade_says_so(status: str) -> None:
    """exchangeInfo shows the status, new orders are refused, cancels go on."""
    options = SandboxOptions(faults_token="long enough")
    async with Sandbox(options) as sandbox, rest(sandbox) as client:
        _, placed, _ = await client.signed("POST", _ORDER, **_MAKER)
        sandbox.control.apply(Status(symbol="MMDUSDT", status=status))
        _, info, _ = await client.public("/api/v3/exchangeInfo")
        assert info["symbols"][0]["status"] == status
        _, body, _ = await client.signed("POST", _ORDER, **_MAKER)
        assert body == {"code": -1013, "msg": _CLOSED}
        gone, _, _ = await client.signed(
            "DELETE", _ORDER, symbol="MMDUSDT", orderId=placed["orderId"]
        )
        assert gone == 200
        _, listed, _ = await client.public("/api/v3/ticker/price", symbolStatus="TRADING")
        assert listed == []


async def test_going_on_after_429_is_a_ban() -> None:
    """429 with Retry-After until it was said often enough, then 418 with Retry-After, on both transports."""
    async with (
        Sandbox(SandboxOptions(weight_per_minute=50)) as sandbox,
        rest(sandbox) as client,
        socket(sandbox.api_url) as api,
    ):
        answers = [await client.public("/api/v3/exchangeInfo") for _ in range(3 + REFUSALS_MAX)]
        statuses = [status for status, _, _ in answers]
        assert statuses == [200] * 2 + [429] * REFUSALS_MAX + [418]
        refused, banned = answers[2], answers[-1]
        assert (refused[1]["code"], banned[1]["code"]) == (-1003, -1003)
        assert 1 <= int(refused[2]["Retry-After"]) <= 60
        assert int(banned[2]["Retry-After"]) == 120
        assert banned[1]["msg"].startswith("Way too much request weight used; IP banned until ")
        answer = await api.call("time", signed=False)
        assert (answer["status"], answer["error"]["code"]) == (418, -1003)
        data = answer["error"]["data"]
        assert data["retryAfter"] - data["serverTime"] > 100_000


async def test_an_order_is_amended_at_most_ten_times(sandbox: Sandbox) -> None:
    """The eleventh time is -2038."""
    async with rest(sandbox) as client:
        _, placed, _ = await client.signed("POST", _ORDER, **_MAKER)
        codes = []
        for step in range(11):
            _, body, _ = await client.signed(
                "PUT",
                "/api/v3/order/amend/keepPriority",
                symbol="MMDUSDT",
                orderId=placed["orderId"],
                newQty=f"{0.99 - step / 100:.2f}",
            )
            codes.append(body.get("code"))
        assert codes == [None] * 10 + [-2038]
        path = "/api/v3/order/amendments"
        _, listed, _ = await client.signed("GET", path, symbol="MMDUSDT", orderId=placed["orderId"])
        assert [a["newQty"] for a in listed][:2] == ["0.99000000", "0.98000000"]
        assert listed[0]["origQty"] == "1.00000000"
