"""Commands as REST calls: the same parameters as on the WebSocket API, in the documents' REST spelling."""

import msgspec
import pytest

from adapters.binance_spot.auth import HmacSigner
from adapters.binance_spot.order_codec import OrderEncoder
from adapters.binance_spot.rest_orders import RestOrderEncoder
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

A, B = 5 << 32 | 1, 5 << 32 | 2
PLACE = (A, Side.SELL, 10_001, 5)
CASES = [
    (lambda i: PlaceOrder(i, *PLACE, TimeInForce.POST_ONLY), "POST", "order"),
    (lambda i: PlaceOrder(i, *PLACE, TimeInForce.IOC), "POST", "order"),
    (lambda i: CancelOrder(i, A), "DELETE", "order"),
    (lambda i: ReplaceOrder(i, B, *PLACE, TimeInForce.GTC), "POST", "order/cancelReplace"),
    (lambda i: AmendOrder(i, A, 3), "PUT", "order/amend/keepPriority"),
    (CancelAll, "DELETE", "openOrders"),
    (lambda i: QueryOrder(i, A), "GET", "order"),
]


@pytest.mark.parametrize(("make", "method", "path"), CASES, ids=range(7))
def test_each_command_has_its_call(mmd, make, method, path):
    """Method and path of rest-api.md; parameters exactly those of the WebSocket API request."""
    command = make(mmd.id)
    call = RestOrderEncoder([mmd]).encode(command)
    assert (call.method, call.path) == (method, f"/api/v3/{path}")
    frame = OrderEncoder([mmd], "key", HmacSigner("s"), 1_000).encode(command, 1, 2)
    asked = msgspec.json.decode(frame)["params"]
    for stamp in ("apiKey", "signature", "timestamp", "recvWindow"):
        del asked[stamp]
    assert dict(call.params) == asked
    assert len(call.params) == len(asked)


def test_resync_is_no_call(mmd):
    """It never leaves the process."""
    with pytest.raises(AssertionError, match="not sent"):
        RestOrderEncoder([mmd]).encode(ResyncBook(mmd.id))


def test_symbols_by_instrument(mmd, odd):
    """For the queries around commands."""
    encoder = RestOrderEncoder([mmd, odd])
    assert [encoder.symbol_of(i.id) for i in (mmd, odd)] == ["MMDUSDT", "ODDUSDT"]
