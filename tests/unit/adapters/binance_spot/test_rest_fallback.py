"""Order entry while the WebSocket API is down and REST answers, on real sockets."""

import asyncio

from adapters.binance_spot.order_replies import ReplyDecoder
from adapters.binance_spot.rest_fallback import RestFallback
from mmd.core.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    PlaceOrder,
    QueryOrder,
    ReplaceOrder,
)
from mmd.core.events import (
    CancelRejected,
    Fill,
    OrderAccepted,
    OrderEnded,
    OrderRejected,
    OrderStatus,
    PrivateDown,
    PrivateUp,
    RejectReason,
    RequestTimedOut,
)
from mmd.core.units import Side, TimeInForce, client_order_id
from mmd.shell.clock import SystemClock
from mmd.shell.connect_error import HttpRefusedError
from tests.unit.adapters.binance_spot.venue_rig import Rig, rig

POST_ONLY = TimeInForce.POST_ONLY


def order_id(number: int):
    return client_order_id(0x99, number)


async def working(r: Rig, *numbers: int) -> int:
    """Orders far from the market, then the WebSocket API gone; returns their price."""
    await r.sink.event(PrivateUp)
    await r.sink.until(lambda: r.sink.equal_checks)
    far = r.best[0] - 60
    for number in numbers:
        r.send(PlaceOrder(r.instrument.id, order_id(number), Side.BUY, far, 100, POST_ONLY))
        await r.sink.event(OrderAccepted, client_order_id=order_id(number), count=1)
    await asyncio.sleep(0.05)
    r.api.refuse = True
    r.api.cut()
    await r.sink.event(PrivateDown)
    return far


async def open_names(r: Rig) -> set[str]:
    return {
        o["clientOrderId"] for o in await r.by_hand("GET", "/api/v3/openOrders", symbol="MMDUSDT")
    }


async def test_what_takes_risk_away_goes_over_rest():
    """Shrink, ask, cancel one, cancel all: the events that the WebSocket API would have given."""
    async with rig() as r:
        await working(r, 1, 2, 3)
        me = r.instrument.id
        r.send(AmendOrder(me, order_id(1), 60))
        status = await r.sink.event(OrderStatus, client_order_id=order_id(1))
        assert (status.open, status.qty_lots) == (True, 60)
        r.send(QueryOrder(me, order_id(2)))
        assert (await r.sink.event(OrderStatus, client_order_id=order_id(2))).qty_lots == 100
        r.send(CancelOrder(me, order_id(1)))
        ended = await r.sink.event(OrderEnded, client_order_id=order_id(1))
        assert ended.filled_lots == 0
        r.send(CancelOrder(me, order_id(1)))
        refused = await r.sink.event(CancelRejected, client_order_id=order_id(1))
        assert (refused.reason, refused.code) == (RejectReason.UNKNOWN_ORDER, -2011)
        r.send(CancelAll(me))
        for number in (2, 3):
            await r.sink.event(OrderEnded, client_order_id=order_id(number))
        assert await open_names(r) == set()
        r.send(CancelAll(me))
        r.send(QueryOrder(me, order_id(77)))
        assert not (await r.sink.event(OrderStatus, client_order_id=order_id(77))).known


async def test_new_orders_wait_for_user_data_by_default():
    """Fills could not be seen: a new order is refused unsent."""
    async with rig() as r:
        far = await working(r, 1)
        me = r.instrument.id
        r.send(PlaceOrder(me, order_id(2), Side.BUY, far, 100, POST_ONLY))
        rejected = await r.sink.event(OrderRejected, client_order_id=order_id(2))
        assert "not connected" in rejected.message
        assert len(await open_names(r)) == 1


async def test_everything_goes_over_rest_where_wanted():
    """Place, replace, a fill: told as soon as they are known, and reconciliation adds nothing twice."""
    async with rig(rest_fallback="all") as r:
        far = await working(r, 1)
        me = r.instrument.id
        r.send(PlaceOrder(me, order_id(2), Side.BUY, far, 100, POST_ONLY))
        accepted = await r.sink.event(OrderAccepted, client_order_id=order_id(2))
        assert accepted.venue_order_id > 0
        r.send(ReplaceOrder(me, order_id(2), order_id(3), Side.BUY, far - 1, 80, POST_ONLY))
        await r.sink.event(OrderEnded, client_order_id=order_id(2))
        await r.sink.event(OrderAccepted, client_order_id=order_id(3))
        r.send(ReplaceOrder(me, order_id(3), order_id(4), Side.BUY, r.best[1] + 90, 80, POST_ONLY))
        await r.sink.event(OrderEnded, client_order_id=order_id(3))
        rejected = await r.sink.event(OrderRejected, client_order_id=order_id(4))
        assert rejected.reason is RejectReason.WOULD_TAKE
        r.send(PlaceOrder(me, order_id(5), Side.BUY, r.best[1] + 5, 120, TimeInForce.IOC))
        await r.sink.event(OrderAccepted, client_order_id=order_id(5))
        r.send(QueryOrder(me, order_id(5)))
        status = await r.sink.event(OrderStatus, client_order_id=order_id(5))
        fills = r.sink.of(Fill, client_order_id=order_id(5))
        assert sum(f.qty_lots for f in fills) == status.filled_lots == 120
        assert r.sink.events.index(fills[-1]) < r.sink.events.index(status)
        r.api.refuse = False
        await r.sink.event(PrivateUp, count=2)
        trades = {f.trade_id for f in r.sink.of(Fill)}
        assert trades == {f.trade_id for f in fills}


async def test_strangers_orders_are_spared():
    """Somebody else's order appeared while nobody listened: only ours are cancelled."""
    async with rig() as r:
        await working(r, 1, 2)
        order = {"symbol": "MMDUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        await r.by_hand(
            "POST", "/api/v3/order", **order, quantity="0.5", price="90.00", newClientOrderId="hand"
        )
        r.send(CancelAll(r.instrument.id))
        for number in (1, 2):
            await r.sink.event(OrderEnded, client_order_id=order_id(number))
        assert await open_names(r) == {"hand"}


async def test_no_answer_over_rest_leaves_doubt():
    """REST is down too: nobody knows, and that is said."""
    async with rig() as r:
        await working(r, 1)
        r.rest.refuse = True
        r.rest.cut()
        me = r.instrument.id
        r.send(CancelOrder(me, order_id(1)))
        await r.sink.event(RequestTimedOut, client_order_id=order_id(1))
        r.send(CancelAll(me))
        await r.sink.event(RequestTimedOut, client_order_id=client_order_id(0, 0))


async def test_commands_beyond_the_bound_are_refused():
    """More than 256 waiting: the rest is refused at once, not queued for later."""
    async with rig() as r:
        await working(r, 1)
        r.rest.stall(to_client=True, to_server=True)
        for number in range(2, 302):
            r.send(CancelOrder(r.instrument.id, order_id(number)))
        refused = await r.sink.event(CancelRejected)
        assert "not connected" in refused.message
        await asyncio.sleep(0.1)
        assert 300 - 256 - 4 <= len(r.sink.of(CancelRejected)) <= 300 - 256


async def test_rest_that_asks_to_wait_refuses(mmd):
    """Turned away for its rate, nothing was done: that is no doubt."""

    class TurnedAway:
        async def carry_out(self, _):
            raise HttpRefusedError("wait", 429, 3.0)

    told = []
    fallback = RestFallback(
        "cancels", [mmd], TurnedAway(), ReplyDecoder([mmd]), None, SystemClock()
    )
    fallback.put(CancelOrder(mmd.id, order_id(1)), 0)
    task = asyncio.create_task(fallback.run(told.append))
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait([task])
    (refused,) = told
    assert (refused.reason, refused.code, refused.message) == (RejectReason.RATE_LIMIT, 429, "wait")
