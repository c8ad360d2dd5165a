"""Public market data over REST and the WebSocket API: shapes, parameters, and agreement with each other."""

from decimal import Decimal
from itertools import pairwise

import pytest

from adapters.binance_spot.sandbox import Sandbox
from adapters.binance_spot.sandbox_options import SandboxOptions
from tests.sandbox_client import RestClient, rest, socket

_V3 = "/api/v3/"
_TAKE = {"symbol": "MMDUSDT", "type": "MARKET", "quantity": "2"}


@pytest.fixture
async def sandbox():
    """Two generated markets."""
    options = SandboxOptions(symbols=("MMDUSDT", "ABCUSDT"))
    async with Sandbox(options) as running:
        yield running


@pytest.fixture
async def client(sandbox: Sandbox):
    """A client that has just taken from both sides of the first market."""
    async with rest(sandbox) as made:
        for side in ("BUY", "SELL", "BUY"):
            await made.signed("POST", "/api/v3/order", side=side, **_TAKE)
        yield made


async def test_trades_and_aggregates_agree(client: RestClient) -> None:
    """Aggregates cover the trades without holes; ids page."""
    _, trades, _ = await client.public(_V3 + "trades", symbol="MMDUSDT", limit=1000)
    _, joined, _ = await client.public(_V3 + "aggTrades", symbol="MMDUSDT", limit=1000)
    assert [a["f"] for a in joined[1:]] == [a["l"] + 1 for a in joined[:-1]]
    known = {t["id"]: Decimal(t["qty"]) for t in trades}
    for a in joined:
        if a["l"] in known:
            assert Decimal(a["q"]) == sum(known[i] for i in range(a["f"], a["l"] + 1))
    _, later, _ = await client.public(_V3 + "aggTrades", symbol="MMDUSDT", fromId=joined[1]["a"])
    assert later[0] == joined[1]
    _, old, _ = await client.public(
        _V3 + "historicalTrades", symbol="MMDUSDT", fromId=trades[0]["id"], limit=1
    )
    assert old == trades[:1]


@pytest.mark.parametrize("interval", ["1s", "1m", "4h", "1d", "3d", "1w", "1M"])
async def test_candles_hold_all_trades_and_have_no_holes(client: RestClient, interval: str) -> None:
    """Volumes add up to the day's; each candle starts where the one before ended."""
    _, candles, _ = await client.public(_V3 + "klines", symbol="MMDUSDT", interval=interval)
    _, day, _ = await client.public(_V3 + "ticker/24hr", symbol="MMDUSDT")
    assert sum(c[8] for c in candles) in range(day["count"] - 3, day["count"] + 1)
    for one, following in pairwise(candles):
        assert following[0] == one[6] + 1
    for c in candles:
        low, high = Decimal(c[3]), Decimal(c[2])
        assert low <= Decimal(c[1]) <= high
        assert low <= Decimal(c[4]) <= high
        assert Decimal(c[9]) <= Decimal(c[5])


async def test_time_zones_move_days(client: RestClient) -> None:
    """A day of UTC+8 starts eight hours before, or sixteen after, UTC's."""
    starts = {}
    for zone in ("0", "8", "-1:30"):
        _, candles, _ = await client.public(
            _V3 + "klines", symbol="MMDUSDT", interval="1d", timeZone=zone
        )
        starts[zone] = candles[-1][0] // 60_000 % 1440
    assert starts == {"0": 0, "8": 16 * 60, "-1:30": 90}
    for zone in ("15", "-13", "east"):
        status, told, _ = await client.public(
            _V3 + "klines", symbol="MMDUSDT", interval="1d", timeZone=zone
        )
        assert (status, told["code"]) == (400, -1130)


async def test_tickers_of_one_some_and_all(client: RestClient) -> None:
    """An object for a symbol, a list for several; MINI has fewer members; windows end now."""
    for path in ("ticker/24hr", "ticker", "ticker/tradingDay"):
        _, one, _ = await client.public(_V3 + path, symbol="MMDUSDT")
        _, some, _ = await client.public(_V3 + path, symbols='["ABCUSDT","MMDUSDT"]', type="MINI")
        assert one["symbol"] == "MMDUSDT"
        assert [t["symbol"] for t in some] == ["ABCUSDT", "MMDUSDT"]
        assert some[0].keys() < one.keys()
        assert one["openTime"] < one["closeTime"]
    _, window, _ = await client.public(_V3 + "ticker", symbol="MMDUSDT", windowSize="2h")
    assert window["openTime"] % 60_000 == 0
    assert 0 <= window["closeTime"] - window["openTime"] - 7_200_000 < 60_000


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("klines", {"symbol": "MMDUSDT", "interval": "7m"}, -1120),
        ("klines", {"symbol": "MMDUSDT", "interval": "1d", "timeZone": "15"}, -1130),
        ("ticker", {}, -1102),
        ("ticker", {"symbol": "MMDUSDT", "windowSize": "8d"}, -1130),
        ("ticker/24hr", {"symbol": "MMDUSDT", "type": "HUGE"}, -1139),
        ("ticker/price", {"symbol": "MMDUSDT", "symbols": '["ABCUSDT"]'}, -1128),
        ("ticker/price", {"symbols": "MMDUSDT"}, -1135),
        ("ticker/price", {"symbols": '["ABCUSDT","ABCUSDT"]'}, -1151),
        ("ticker/price", {"symbol": "MMDUSDT", "symbolStatus": "BREAK"}, -1220),
        ("ticker/price", {"symbolStatus": "ASLEEP"}, -1122),
        ("exchangeInfo", {"symbol": "MMDUSDT", "permissions": "SPOT"}, -1128),
        ("depth", {"symbol": "MMDUSDT", "limit": 0}, -1130),
    ],
)
async def test_wrong_parameters_have_their_codes(
    client: RestClient, path: str, params: dict[str, object], code: int
) -> None:
    """As the venue's documents list them."""
    status, body, _ = await client.public(_V3 + path, **params)
    assert (status, body["code"]) == (400, code)


async def test_exchange_info_selects_and_lists_all_filters(client: RestClient) -> None:
    """By symbol, by list, by permission; filters and self-trade modes are complete."""
    for params, symbols in (
        ({}, ["MMDUSDT", "ABCUSDT"]),
        ({"symbol": "ABCUSDT"}, ["ABCUSDT"]),
        ({"symbols": '["ABCUSDT"]'}, ["ABCUSDT"]),
        ({"permissions": "SPOT"}, ["MMDUSDT", "ABCUSDT"]),
        ({"permissions": '["MARGIN","LEVERAGED"]'}, []),
    ):
        _, info, _ = await client.public(_V3 + "exchangeInfo", **params)
        assert [s["symbol"] for s in info["symbols"]] == symbols
    _, info, _ = await client.public(_V3 + "exchangeInfo", showPermissionSets="false")
    symbol = info["symbols"][0]
    assert symbol["permissionSets"] == []
    assert {f["filterType"] for f in symbol["filters"]} >= {
        "PRICE_FILTER",
        "PERCENT_PRICE_BY_SIDE",
        "LOT_SIZE",
        "MARKET_LOT_SIZE",
        "NOTIONAL",
        "MAX_NUM_ORDERS",
        "MAX_NUM_ALGO_ORDERS",
        "MAX_NUM_ORDER_AMENDS",
    }
    assert "TRANSFER" in symbol["allowedSelfTradePreventionModes"]
    assert [r["rateLimitType"] for r in info["rateLimits"]][-1] == "RAW_REQUESTS"


async def test_the_socket_answers_what_rest_answers(sandbox: Sandbox, client: RestClient) -> None:
    """Every public method of the WebSocket API gives the form that its path gives."""
    async with socket(sandbox.api_url) as api:
        for method, path, params in (
            ("trades.recent", "trades", {}),
            ("trades.historical", "historicalTrades", {}),
            ("trades.aggregate", "aggTrades", {}),
            ("klines", "klines", {"interval": "1m"}),
            ("uiKlines", "uiKlines", {"interval": "1m"}),
            ("avgPrice", "avgPrice", {}),
            ("ticker", "ticker", {}),
            ("ticker.24hr", "ticker/24hr", {}),
            ("ticker.tradingDay", "ticker/tradingDay", {}),
            ("ticker.price", "ticker/price", {}),
            ("ticker.book", "ticker/bookTicker", {}),
            ("exchangeInfo", "exchangeInfo", {}),
        ):
            answer = await api.call(method, signed=False, symbol="MMDUSDT", **params)
            _, body, _ = await client.public(_V3 + path, symbol="MMDUSDT", **params)
            assert answer["status"] == 200
            ours = answer["result"]
            assert type(ours) is type(body)
            one, other = (ours, body) if isinstance(body, dict) else (ours[0], body[0])
            assert [type(v) for v in one] == [type(v) for v in other]
            if isinstance(one, dict):
                assert one.keys() == other.keys()
