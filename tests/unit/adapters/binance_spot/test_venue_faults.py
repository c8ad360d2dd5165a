"""The venue when the network fails: connections cut, stalled, refused; answers lost; nothing leaks."""

import asyncio
from pathlib import Path

import pytest

from adapters.binance_spot.order_ids import encode_id
from mmd.core.commands import CancelOrder, PlaceOrder, QueryOrder
from mmd.core.events import (
    CancelRejected,
    FeedDown,
    FeedUp,
    Fill,
    OrderAccepted,
    OrderRejected,
    OrderStatus,
    PrivateDown,
    PrivateUp,
    Reconciled,
    RequestTimedOut,
)
from mmd.core.market.record import SNAPSHOT
from mmd.core.units import Side, TimeInForce, client_order_id
from tests.unit.adapters.binance_spot.venue_rig import Rig, rig

POST_ONLY = TimeInForce.POST_ONLY


def order_id(number: int):
    return client_order_id(0x77, number)


async def ready(r: Rig) -> int:
    """Wait until quoting could begin; returns a bid price far from the market."""
    await r.sink.event(PrivateUp)
    await r.sink.until(lambda: r.sink.equal_checks)
    return r.best[0] - 60


@pytest.mark.parametrize("fault", ["cut", "silence"])
async def test_feed_comes_back_with_a_new_book(fault: str):
    """FeedDown at once (or after the silence time-out), then FeedUp and a whole book."""
    async with rig() as r:
        await ready(r)
        if fault == "cut":
            r.streams.cut()
        else:
            r.streams.stall(to_client=True, to_server=True)
        down = await r.sink.event(FeedDown)
        assert ("silent" in down.reason) == (fault == "silence")
        r.streams.flow()
        await r.sink.event(FeedUp, count=2)
        await r.sink.until(lambda: r.sink.kinds[SNAPSHOT] == 2)
        checks = r.sink.equal_checks
        await r.sink.until(lambda: r.sink.equal_checks > checks + 2)
        assert r.sink.wrong_checks == 0
        assert r.sink.of(PrivateDown) == []


async def test_private_reconnect_finds_what_was_missed():
    """A fill, a cancel and a still-working order during the outage: all told before PrivateUp."""
    async with rig() as r:
        far = await ready(r)
        me = r.instrument.id
        for number, price in ((1, far), (2, far - 1)):
            r.send(PlaceOrder(me, order_id(number), Side.BUY, price, 100, POST_ONLY))
            await r.sink.event(OrderAccepted, client_order_id=order_id(number))
        r.api.refuse = True
        r.api.cut()
        await r.sink.event(PrivateDown)
        symbol = {"symbol": r.instrument.symbol}
        await r.by_hand(
            "DELETE", "/api/v3/order", **symbol, origClientOrderId=encode_id(order_id(2))
        )
        taker = {"side": "BUY", "type": "MARKET", "quantity": "0.100"}
        name = encode_id(client_order_id(0x77, 3))
        sent = await r.by_hand("POST", "/api/v3/order", **symbol, **taker, newClientOrderId=name)
        assert sent["status"] == "FILLED", sent
        r.api.refuse = False
        await r.sink.event(PrivateUp, count=2)
        events = r.sink.events
        since = events[events.index(r.sink.of(PrivateDown)[0]) :]
        kinds = [type(e) for e in since]
        fills = [e for e in since if type(e) is Fill]
        assert sum(f.qty_lots for f in fills) == 100
        assert {f.client_order_id for f in fills} == {order_id(3)}
        assert kinds.index(Fill) < kinds.index(Reconciled) < kinds.index(PrivateUp)
        statuses = [e for e in since if type(e) is OrderStatus]
        assert [(s.client_order_id, s.open) for s in statuses] == [(order_id(1), True)]
        held = await r.venue.balances()
        assert r.sink.of(Reconciled)[-1].base_atoms == sum(held[r.instrument.base])


async def test_lost_answer_leaves_the_order_unknown_until_asked():
    """The venue took the order but its answer never came: time-out, and the query finds it."""
    async with rig(silence_timeout_s=5.0) as r:
        far = await ready(r)
        r.api.stall(to_client=True, to_server=False)
        r.send(PlaceOrder(r.instrument.id, order_id(1), Side.BUY, far, 100, POST_ONLY))
        await r.sink.event(RequestTimedOut, client_order_id=order_id(1))
        assert r.sink.of(OrderAccepted) == []
        r.api.cut()
        r.api.flow()
        await r.sink.event(PrivateUp, count=2)
        r.send(QueryOrder(r.instrument.id, order_id(1)))
        status = await r.sink.event(OrderStatus, client_order_id=order_id(1), count=2)
        assert (status.known, status.open) == (True, True)


async def test_late_answer_settles_an_order_after_its_time_out():
    """The answer that comes after the time-out still counts."""
    async with rig(silence_timeout_s=5.0) as r:
        far = await ready(r)
        r.api.stall(to_client=True, to_server=False)
        r.send(PlaceOrder(r.instrument.id, order_id(1), Side.BUY, far, 100, POST_ONLY))
        await r.sink.event(RequestTimedOut)
        r.api.flow()
        await r.sink.event(OrderAccepted, client_order_id=order_id(1))
        assert r.sink.of(PrivateDown) == []


async def test_request_in_flight_when_the_connection_is_cut():
    """Its order is unknown at once; reconciliation waits until it cannot arrive any more."""
    async with rig() as r:
        far = await ready(r)
        r.api.stall(to_client=False, to_server=True)
        r.send(PlaceOrder(r.instrument.id, order_id(1), Side.BUY, far, 100, POST_ONLY))
        await asyncio.sleep(0.05)
        sent_ns = r.sink.events[-1].ts_recv_ns
        r.api.cut()
        r.api.flow()
        await r.sink.event(RequestTimedOut, client_order_id=order_id(1))
        await r.sink.event(PrivateDown)
        up = await r.sink.event(PrivateUp, count=2)
        assert up.ts_recv_ns - sent_ns > 500_000_000, "recvWindow is 500 ms here"
        r.send(QueryOrder(r.instrument.id, order_id(1)))
        assert not (await r.sink.event(OrderStatus, client_order_id=order_id(1))).known


async def test_commands_without_a_connection_are_refused_unsent():
    """An order was never placed; a query stays open; both are told without re-entering the caller."""
    async with rig(rest_fallback="off") as r:
        far = await ready(r)
        r.api.refuse = True
        r.api.cut()
        await r.sink.event(PrivateDown)
        count = len(r.sink.events)
        me = r.instrument.id
        r.send(PlaceOrder(me, order_id(1), Side.BUY, far, 100, POST_ONLY))
        r.send(CancelOrder(me, order_id(2)))
        r.send(QueryOrder(me, order_id(3)))
        assert len(r.sink.events) == count
        rejected = await r.sink.event(OrderRejected, client_order_id=order_id(1))
        assert "not connected" in rejected.message
        await r.sink.event(CancelRejected, client_order_id=order_id(2))
        await r.sink.event(RequestTimedOut, client_order_id=order_id(3))


async def test_snapshots_that_fail_are_fetched_again():
    """REST down while the stream comes back: the book waits, then is whole."""
    async with rig() as r:
        await ready(r)
        r.rest.refuse = True
        r.rest.cut()
        r.streams.cut()
        await r.sink.event(FeedUp, count=2)
        await asyncio.sleep(0.5)
        assert r.sink.kinds[SNAPSHOT] == 1
        r.rest.refuse = False
        await r.sink.until(lambda: r.sink.kinds[SNAPSHOT] == 2)
        checks = r.sink.equal_checks
        await r.sink.until(lambda: r.sink.equal_checks > checks + 1)
        assert r.sink.wrong_checks == 0


async def test_reconnects_leak_nothing():
    """Five outages of everything leave as many files, tasks and connections as before."""
    async with rig() as r:
        await ready(r)
        files, tasks = open_files(), len(asyncio.all_tasks())
        for i in range(5):
            r.streams.cut()
            r.api.cut()
            await r.sink.event(FeedUp, count=i + 2)
            await r.sink.until(lambda n=i + 2: r.sink.of(PrivateUp)[n - 1 :], timeout_s=20)
        await r.sink.until(lambda: r.sink.equal_checks)
        await asyncio.sleep(0.3)
        assert (r.streams.open, r.api.open) == (1, 1)
        assert open_files() <= files + 4, "idle REST connections may come and go"
        assert len(asyncio.all_tasks()) <= tasks + 4


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
