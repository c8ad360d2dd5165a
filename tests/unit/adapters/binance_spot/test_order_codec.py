"""Commands as requests: what the venue reads, and that it would accept the signature."""

import hashlib
import hmac
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.binance_spot.auth import HmacSigner
from adapters.binance_spot.order_codec import OrderEncoder
from mmd.core.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    PlaceOrder,
    QueryOrder,
    ReplaceOrder,
    ResyncBook,
)
from mmd.core.units import Side, TimeInForce

KEY, SECRET = 'key "with" 100%s', "secret"
MS = 1_722_470_400_123


@pytest.fixture(scope="module")
def encoder(mmd, odd) -> OrderEncoder:
    return OrderEncoder([mmd, odd], KEY, HmacSigner(SECRET), recv_window_ms=1_500)


def read(frame: bytes) -> tuple[int, str, dict]:
    """A request as the venue sees it; the signature is checked as the documents say."""
    request = msgspec.json.decode(frame)
    params = request["params"]
    signature = params.pop("signature")
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
    assert hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest() == signature
    assert params.pop("apiKey") == KEY
    assert params.pop("recvWindow") == 1_500
    assert params.pop("timestamp") == MS
    return request["id"], request["method"], params


ORDER = {
    "newClientOrderId": "mmd5-7",
    "newOrderRespType": "ACK",
    "price": "100.01",
    "quantity": "0.250",
}
LIMIT = ORDER | {"type": "LIMIT", "selfTradePreventionMode": "EXPIRE_MAKER"}


@pytest.mark.parametrize(
    ("tif", "expected"),
    [
        (TimeInForce.POST_ONLY, ORDER | {"type": "LIMIT_MAKER"}),
        (TimeInForce.GTC, LIMIT | {"timeInForce": "GTC"}),
        (TimeInForce.IOC, LIMIT | {"timeInForce": "IOC"}),
        (TimeInForce.FOK, LIMIT | {"timeInForce": "FOK"}),
    ],
)
@pytest.mark.parametrize("side", Side)
def test_place_and_replace_state_the_whole_order(encoder, mmd, tif, side, expected):
    """Both methods carry the same order; a replacement stops where its cancel fails."""
    expected = expected | {"symbol": "MMDUSDT", "side": side.name}
    placed = encoder.encode(PlaceOrder(mmd.id, 5 << 32 | 7, side, 10_001, 250, tif), 9, MS)
    assert read(placed) == (9, "order.place", expected)
    replace = ReplaceOrder(mmd.id, 5 << 32 | 6, 5 << 32 | 7, side, 10_001, 250, tif)
    expected |= {"cancelOrigClientOrderId": "mmd5-6", "cancelReplaceMode": "STOP_ON_FAILURE"}
    assert read(encoder.encode(replace, 10, MS)) == (10, "order.cancelReplace", expected)


def test_requests_about_existing_orders(encoder, mmd, odd):
    """Cancel, amend (keeping the id), status, cancelAll, and the session's queries."""
    order_id, symbol = 5 << 32 | 7, {"symbol": "MMDUSDT"}
    name = {"origClientOrderId": "mmd5-7"}
    assert read(encoder.encode(CancelOrder(mmd.id, order_id), 1, MS)) == (
        1,
        "order.cancel",
        symbol | name,
    )
    assert read(encoder.encode(QueryOrder(mmd.id, order_id), 2, MS)) == (
        2,
        "order.status",
        symbol | name,
    )
    assert read(encoder.encode(AmendOrder(odd.id, order_id, 4), 3, MS)) == (
        3,
        "order.amend.keepPriority",
        {"symbol": "ODDUSDT", "newQty": "40", "newClientOrderId": "mmd5-7"} | name,
    )
    assert read(encoder.encode(CancelAll(mmd.id), 4, MS)) == (4, "openOrders.cancelAll", symbol)
    assert read(encoder.open_orders(mmd.id, 5, MS)) == (5, "openOrders.status", symbol)
    assert read(encoder.trades_of(mmd.id, 77, 6, MS)) == (6, "myTrades", symbol | {"orderId": "77"})
    assert read(encoder.subscribe(7, MS)) == (7, "userDataStream.subscribe.signature", {})
    assert read(encoder.account(8, MS))[:2] == (8, "account.status")
    with pytest.raises(AssertionError):
        encoder.encode(ResyncBook(mmd.id), 9, MS)


@given(st.integers(1, 2**53), st.integers(1, 2**53), st.integers(1, 2**63 - 1))
def test_prices_and_quantities_are_exact(encoder, odd, ticks: int, lots: int, order_id: int):
    """Ticks of 0.25 and lots of 10 become exactly their decimals."""
    place = PlaceOrder(odd.id, order_id, Side.BUY, ticks, lots, TimeInForce.POST_ONLY)
    _, _, params = read(encoder.encode(place, 1, MS))
    assert Decimal(params["price"]) == ticks * Decimal("0.25")
    assert Decimal(params["quantity"]) == lots * 10
    assert "E" not in params["price"]
