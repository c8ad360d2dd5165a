"""What an account may ask about itself: rates, filters, prevented self-trades, lists."""

from decimal import Decimal

from adapters.binance_spot.sandbox import Sandbox
from adapters.binance_spot.sandbox_auth import Credential
from adapters.binance_spot.sandbox_options import SandboxOptions
from tests.sandbox_client import rest, socket

_V3 = "/api/v3/"
_AT = {"symbol": "MMDUSDT"}


async def test_commissions_are_told_and_paid_in_a_third_asset() -> None:
    """Rates, the discount asset, and fills that were charged in it; order.test computes the same."""
    options = SandboxOptions(fee_asset="BNB", maker_fee_bps=1.0, taker_fee_bps=2.5)
    async with Sandbox(options) as sandbox, rest(sandbox) as client:
        _, told, _ = await client.signed("GET", _V3 + "account/commission", **_AT)
        assert told["standardCommission"]["taker"] == "0.00025000"
        assert (told["discount"]["discountAsset"], told["discount"]["enabledForAccount"]) == (
            "BNB",
            True,
        )
        order = {**_AT, "side": "BUY", "type": "MARKET", "quantity": "1"}
        _, tested, _ = await client.signed(
            "POST", _V3 + "order/test", computeCommissionRates="true", **order
        )
        assert tested["standardCommissionForOrder"] == {
            "maker": "0.00010000",
            "taker": "0.00025000",
        }
        assert tested["discount"] == told["discount"]
        _, placed, _ = await client.signed("POST", _V3 + "order", **order)
        assert {f["commissionAsset"] for f in placed["fills"]} == {"BNB"}
        _, account, _ = await client.signed("GET", _V3 + "account")
        assert [b["asset"] for b in account["balances"]] == ["BNB", "MMD", "USDT"]
        assert (account["makerCommission"], account["takerCommission"]) == (1, 2)


async def test_what_is_asked_for_is_narrowed() -> None:
    """Assets of which nothing is held are left out where that is wanted, and orders before an id."""
    async with Sandbox(SandboxOptions(base_balance=Decimal(0))) as sandbox, rest(sandbox) as client:
        for omit, assets in (("false", ["MMD", "USDT"]), ("true", ["USDT"])):
            _, told, _ = await client.signed("GET", _V3 + "account", omitZeroBalances=omit)
            assert [b["asset"] for b in told["balances"]] == assets
        bid = sandbox.instrument.price(sandbox.exchange.markets[0].book.best_bid - 5)
        resting = {**_AT, "side": "BUY", "type": "LIMIT_MAKER", "quantity": "1", "price": bid}
        made = [(await client.signed("POST", _V3 + "order", **resting))[1] for _ in range(3)]
        ids = [order["orderId"] for order in made]
        _, told, _ = await client.signed("GET", _V3 + "allOrders", orderId=ids[1], **_AT)
        assert [order["orderId"] for order in told] == ids[1:]
        _, told, _ = await client.signed("GET", _V3 + "allOrders", limit=1, **_AT)
        assert [order["orderId"] for order in told] == ids[2:]


async def test_the_wallet_lists_trade_fees() -> None:
    """Of one symbol and of all, as clients ask before they load instruments; other wallet paths are refused."""
    options = SandboxOptions(maker_fee_bps=1.0, taker_fee_bps=2.5)
    async with Sandbox(options) as sandbox, rest(sandbox) as client:
        path = "/sapi/v1/asset/tradeFee"
        fees = {"makerCommission": "0.00010000", "takerCommission": "0.00025000"}
        for params in ({}, _AT):
            _, told, _ = await client.signed("GET", path, **params)
            assert told == [_AT | fees]
        status, told, _ = await client.signed("GET", "/sapi/v1/asset/dust")
        assert (status, told["code"]) == (404, -1020)


async def test_prevented_self_trades_are_answered_reported_and_listed() -> None:
    """DECREMENT between two accounts of one group: the taker's answer, its order, and the query agree."""
    group = (Credential(trade_group=5), Credential("second", "embedded-secret", "other", 5))
    async with Sandbox(SandboxOptions(credentials=group)) as sandbox, rest(sandbox) as client:
        market = sandbox.exchange.markets[0]
        maker = {**_AT, "type": "LIMIT_MAKER", "quantity": "5"}
        bid = sandbox.instrument.price(market.book.best_bid - 5)  # deep enough to be still there
        _, resting, _ = await client.signed("POST", _V3 + "order", side="BUY", price=bid, **maker)
        taker = {**_AT, "side": "SELL", "type": "LIMIT", "timeInForce": "IOC", "quantity": "1000"}
        _, placed, _ = await client.signed(
            "POST",
            _V3 + "order",
            key="second",
            price=bid,
            selfTradePreventionMode="DECREMENT",
            **taker,
        )
        (match,) = placed["preventedMatches"]
        assert match["makerOrderId"] == resting["orderId"]
        assert match["takerPreventedQuantity"] == match["makerPreventedQuantity"] == "5.00000000"
        assert (placed["preventedQuantity"], placed["tradeGroupId"]) == ("5.00000000", 5)
        at = {**_AT, "orderId": resting["orderId"]}
        _, order, _ = await client.signed("GET", _V3 + "order", **at)
        assert (order["status"], order["preventedMatchId"]) == ("EXPIRED_IN_MATCH", 0)
        _, listed, _ = await client.signed("GET", _V3 + "myPreventedMatches", **at)
        assert [m["selfTradePreventionMode"] for m in listed] == ["DECREMENT"]
        _, body, _ = await client.signed("GET", _V3 + "myPreventedMatches", **_AT)
        assert body["code"] == -1102


async def test_lists_and_filters() -> None:
    """There are no order lists here, and both transports say so; myFilters repeats exchangeInfo's."""
    async with (
        Sandbox(SandboxOptions()) as sandbox,
        rest(sandbox) as client,
        socket(sandbox.api_url) as api,
    ):
        for path, method in (
            ("openOrderList", "openOrderLists.status"),
            ("allOrderList", "allOrderLists"),
        ):
            _, body, _ = await client.signed("GET", _V3 + path)
            assert body == (await api.call(method))["result"] == []
        _, mine, _ = await client.signed("GET", _V3 + "myFilters", **_AT)
        _, info, _ = await client.public(_V3 + "exchangeInfo")
        assert mine["symbolFilters"] == info["symbols"][0]["filters"]
