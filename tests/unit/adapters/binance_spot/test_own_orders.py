"""The guardian's view of an account over REST: our orders alone, by names, inside its share of the limit."""

import asyncio

import pytest

from adapters.binance_spot import own_orders
from adapters.binance_spot.own_orders import BinanceSpotOwnOrders, _WeightShare
from adapters.registry import own_orders as of_registry
from mmd.errors import ConfigError
from mmd.shell.clock import SystemClock
from tests.unit.adapters.binance_spot.venue_rig import rig, settings

LIMIT = {"symbol": "MMDUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
LIMIT |= {"quantity": "0.100", "price": "90.00"}


@pytest.mark.parametrize("instruments", [("MMDUSDT",), ()])
async def test_only_our_orders_are_seen_and_taken_back(instruments: tuple[str, ...]) -> None:
    """With and without named instruments; one that is gone meanwhile is no failure."""
    async with rig(started=False) as r:
        for name in ("mmd7-1", "mmd7-2", "web_1", "mmd-not-ours"):
            await r.by_hand("POST", "/api/v3/order", **LIMIT, newClientOrderId=name)
        given = settings(*[p.where for p in (r.rest, r.streams, r.api)], instruments=instruments)
        orders = BinanceSpotOwnOrders("test", given, SystemClock(), 600)
        try:
            await orders.keep_ready()
            found = await orders.working()
            assert [(o.symbol, o.client_order_id) for o in found] == [
                ("MMDUSDT", "mmd7-1"),
                ("MMDUSDT", "mmd7-2"),
            ]
            for order in (*found, found[0]):
                await orders.cancel(order)
            assert await orders.working() == []
        finally:
            await orders.close()
        left = await r.by_hand("GET", "/api/v3/openOrders", symbol="MMDUSDT")
        assert [o["clientOrderId"] for o in left] == ["web_1", "mmd-not-ours"]
        assert orders.straggle_s == 0.5


async def test_requests_wait_for_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute's weight at once, then as it comes back."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(own_orders.asyncio, "sleep", sleep)
    share = _WeightShare(600, SystemClock())
    for _ in range(6):
        await share.take(100)
    assert waited == []
    await share.take(100)
    assert waited == [pytest.approx(10.0, abs=0.5)]
    assert asyncio.sleep is sleep


def test_an_adapter_that_is_none_is_refused() -> None:
    """By name."""
    with pytest.raises(ConfigError, match="adapter: expected one of binance_spot, found 'nobody'"):
        of_registry("nobody", "x", {}, SystemClock(), environment="live", weight_per_minute=1)
