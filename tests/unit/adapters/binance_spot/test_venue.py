"""The whole venue against the embedded exchange on real sockets: market data, orders, account."""

import asyncio
import socket

import pytest

from adapters.binance_spot.order_ids import encode_id
from mmd.core.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    PlaceOrder,
    QueryOrder,
    ReplaceOrder,
    ResyncBook,
)
from mmd.core.events import (
    Balance,
    CancelRejected,
    ClockOffset,
    EndReason,
    FeedUp,
    Fill,
    OrderAccepted,
    OrderEnded,
    OrderRejected,
    OrderStatus,
    PrivateUp,
    RateUsage,
    Reconciled,
    RejectReason,
)
from mmd.core.market.record import DIFF, SNAPSHOT, TOP, TRADE
from mmd.core.units import Side, TimeInForce, client_order_id
from mmd.errors import AuthError, InstrumentError, VenueUnreachableError
from tests.unit.adapters.binance_spot.venue_rig import rig

SESSION = 0x5F3A
POST_ONLY, IOC = TimeInForce.POST_ONLY, TimeInForce.IOC


def order_id(number: int):
    return client_order_id(SESSION, number)


async def test_book_follows_the_venue():
    """Snapshot, then diffs; the venue's own 20 levels equal ours at every common id."""
    async with rig(observe=True, api_key="", api_secret="") as r:
        await r.sink.until(lambda: r.sink.equal_checks >= 8)
        assert r.sink.wrong_checks == 0
        assert min(r.sink.kinds[k] for k in (SNAPSHOT, DIFF, TOP)) >= 1
        assert r.sink.of(FeedUp) != []
        assert r.sink.of(PrivateUp) == []
        bid, ask = r.best
        assert 0 < bid < ask
        assert (await r.venue.balances(), await r.venue.open_orders_ours()) == ({}, [])


async def test_life_of_an_order():
    """Placed, shrunk, replaced, queried, cancelled: each step is confirmed by events."""
    async with rig() as r:
        await r.sink.event(PrivateUp)
        await r.sink.until(lambda: r.sink.equal_checks)
        me, price = r.instrument.id, r.best[0] - 50
        one, two = order_id(1), order_id(2)
        r.send(PlaceOrder(me, one, Side.BUY, price, 100, POST_ONLY))
        accepted = await r.sink.event(OrderAccepted, client_order_id=one)
        assert accepted.venue_order_id > 0
        r.send(AmendOrder(me, one, 60))
        status = await r.sink.event(OrderStatus, client_order_id=one)
        assert (status.open, status.qty_lots, status.price_ticks) == (True, 60, price)
        r.send(ReplaceOrder(me, one, two, Side.BUY, price - 1, 80, POST_ONLY))
        await r.sink.event(OrderEnded, client_order_id=one)
        await r.sink.event(OrderAccepted, client_order_id=two)
        (working,) = await r.venue.open_orders_ours()
        assert (working.client_order_id, working.price_ticks, working.qty_lots) == (
            two,
            price - 1,
            80,
        )
        r.send(QueryOrder(me, two))
        assert (await r.sink.event(OrderStatus, client_order_id=two)).open
        r.send(CancelOrder(me, two))
        ended = await r.sink.event(OrderEnded, client_order_id=two)
        assert (ended.reason, ended.filled_lots) == (EndReason.CANCELED, 0)
        r.send(QueryOrder(me, order_id(99)))
        assert not (await r.sink.event(OrderStatus, client_order_id=order_id(99))).known
        assert await r.venue.open_orders_ours() == []


async def test_fills_balances_and_fees():
    """A taking order is filled; balances move by exactly its fills and fees."""
    async with rig() as r:
        await r.sink.event(PrivateUp)
        await r.sink.until(lambda: r.sink.equal_checks)
        before = await r.venue.balances()
        r.send(PlaceOrder(r.instrument.id, order_id(1), Side.BUY, r.best[1] + 5, 120, IOC))
        await r.sink.until(lambda: sum(f.qty_lots for f in r.sink.of(Fill)) == 120)
        fills = r.sink.of(Fill, client_order_id=order_id(1))
        await r.sink.event(Balance, asset=r.instrument.base, count=2)
        after = await r.venue.balances()
        bought = 120 * r.instrument.atoms_per_lot
        assert {f.fee_asset for f in fills} == {r.instrument.base}
        assert not any(f.is_maker for f in fills)
        base = r.instrument.base
        assert sum(after[base]) - sum(before[base]) == bought - sum(f.fee_atoms for f in fills)
        told = r.sink.of(Balance, asset=base)[-1]
        assert (told.free_atoms, told.locked_atoms) == after[base]
        assert len({f.trade_id for f in fills}) == len(fills)


async def test_refusals_have_reasons():
    """Post-only that would take, no such order, too little money, a filter, a duplicate id."""
    async with rig() as r:
        await r.sink.event(PrivateUp)
        await r.sink.until(lambda: r.sink.equal_checks)
        me, (bid, ask) = r.instrument.id, r.best
        cases = (
            (
                PlaceOrder(me, order_id(1), Side.BUY, ask + 100, 100, POST_ONLY),
                RejectReason.WOULD_TAKE,
            ),
            (PlaceOrder(me, order_id(2), Side.BUY, bid, 10**9, POST_ONLY), None),
            (
                PlaceOrder(me, order_id(3), Side.BUY, bid // 100, 100, POST_ONLY),
                RejectReason.FILTER,
            ),
            (PlaceOrder(me, order_id(4), Side.BUY, bid, 1, POST_ONLY), RejectReason.FILTER),
        )
        for command, reason in cases:
            r.send(command)
            event = await r.sink.event(OrderRejected, client_order_id=command.client_order_id)
            assert event.reason in (
                {reason} if reason else {RejectReason.BALANCE, RejectReason.FILTER}
            )
            assert event.code < 0
        r.send(CancelOrder(me, order_id(77)))
        event = await r.sink.event(CancelRejected, client_order_id=order_id(77))
        assert (event.reason, event.code) == (RejectReason.UNKNOWN_ORDER, -2011)
        r.send(ReplaceOrder(me, order_id(77), order_id(5), Side.BUY, bid - 50, 100, POST_ONLY))
        await r.sink.event(CancelRejected, client_order_id=order_id(77), count=2)
        await r.sink.event(OrderRejected, client_order_id=order_id(5))
        r.send(PlaceOrder(me, order_id(6), Side.BUY, bid - 50, 100, POST_ONLY))
        await r.sink.event(OrderAccepted, client_order_id=order_id(6))
        r.send(ReplaceOrder(me, order_id(6), order_id(7), Side.BUY, ask + 100, 100, POST_ONLY))
        await r.sink.event(
            OrderRejected, client_order_id=order_id(7), reason=RejectReason.WOULD_TAKE
        )
        await r.sink.event(OrderEnded, client_order_id=order_id(6))


async def test_start_cancels_earlier_sessions_and_spares_strangers():
    """Orders with our prefix are gone before PrivateUp; one placed by hand still works, even after CancelAll."""
    ours = encode_id(client_order_id(0x1111, 9))

    async def leave_orders(r):
        for name in (ours, "by-hand"):
            answer = await r.by_hand(
                "POST",
                "/api/v3/order",
                symbol="MMDUSDT",
                side="BUY",
                type="LIMIT",
                timeInForce="GTC",
                quantity="0.5",
                price="90.00",
                newClientOrderId=name,
            )
            assert answer["clientOrderId"] == name, answer

    async with rig(before=leave_orders) as r:
        await r.sink.event(PrivateUp)
        working = await r.by_hand("GET", "/api/v3/openOrders", symbol="MMDUSDT")
        assert [order["clientOrderId"] for order in working] == ["by-hand"]
        me = r.instrument.id
        await r.sink.until(lambda: r.sink.equal_checks)
        for number in (1, 2):
            r.send(PlaceOrder(me, order_id(number), Side.BUY, r.best[0] - 60, 100, POST_ONLY))
            await r.sink.event(OrderAccepted, client_order_id=order_id(number))
        r.send(CancelAll(me))
        for number in (1, 2):
            await r.sink.event(OrderEnded, client_order_id=order_id(number))
        working = await r.by_hand("GET", "/api/v3/openOrders", symbol="MMDUSDT")
        assert [order["clientOrderId"] for order in working] == ["by-hand"]


async def test_cancel_all_and_cancel_ours():
    """One request takes back everything; over REST too, when the session cannot."""
    async with rig() as r:
        await r.sink.event(PrivateUp)
        await r.sink.until(lambda: r.sink.equal_checks)
        me, price = r.instrument.id, r.best[0] - 60
        for number in (1, 2, 3):
            r.send(PlaceOrder(me, order_id(number), Side.BUY, price - number, 100, POST_ONLY))
            await r.sink.event(OrderAccepted, client_order_id=order_id(number))
        r.send(CancelAll(me))
        for number in (1, 2, 3):
            await r.sink.event(OrderEnded, client_order_id=order_id(number))
        r.send(PlaceOrder(me, order_id(4), Side.BUY, price, 100, POST_ONLY))
        await r.sink.event(OrderAccepted, client_order_id=order_id(4))
        r.api.refuse = True
        r.api.cut()
        await r.venue.cancel_ours()
        assert await r.venue.open_orders_ours() == []


async def test_reconciliation_comes_in_order():
    """Clock, balances, Reconciled with what is held, and only then PrivateUp."""
    async with rig() as r:
        await r.sink.event(PrivateUp)
        held = await r.venue.balances()
        kinds = [type(e) for e in r.sink.events]
        assert kinds.index(Balance) < kinds.index(Reconciled) < kinds.index(PrivateUp)
        (reconciled,) = r.sink.of(Reconciled)
        assert reconciled.base_atoms == sum(held[r.instrument.base])
        offset = await r.sink.event(ClockOffset)
        assert abs(offset.offset_ns) < 50_000_000
        usage = await r.sink.event(RateUsage)
        assert 0 < usage.used <= usage.limit
        stamps = [e.ts_recv_ns for e in r.sink.events]
        assert stamps == sorted(stamps)


async def test_resync_on_demand():
    """ResyncBook fetches a new snapshot and the book is right again."""
    async with rig() as r:
        await r.sink.until(lambda: r.sink.equal_checks >= 2)
        r.send(ResyncBook(r.instrument.id))
        await r.sink.until(lambda: r.sink.kinds[SNAPSHOT] == 2)
        checks = r.sink.equal_checks
        await r.sink.until(lambda: r.sink.equal_checks > checks + 2)
        assert r.sink.wrong_checks == 0


async def test_trades_arrive():
    """Public trades are market data."""
    async with rig(observe=True) as r:
        await r.sink.until(lambda: r.sink.kinds.get(TRADE))


@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        ({"api_key": "wrong"}, AuthError, "API key was refused"),
        ({"api_secret": "wrong"}, AuthError, "signature was refused"),
        ({"instruments": ("NOPEUSDT",)}, InstrumentError, "test lists no NOPEUSDT"),
    ],
)
async def test_first_errors_are_told_on_load(values, error, text):
    """Wrong key, wrong secret, unknown symbol: one line that says what to correct."""
    async with rig(started=False, **values) as r:
        with pytest.raises(error, match=text) as caught:
            await r.venue.load()
        assert "\n" not in str(caught.value)


async def test_nothing_listening():
    """The REST address, and each WebSocket address, are named when nobody answers there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    expected = f"nothing is listening at 127.0.0.1:{port}"
    async with rig(started=False, rest_url=f"http://127.0.0.1:{port}") as r:
        with pytest.raises(VenueUnreachableError, match=expected):
            await r.venue.load()
    for wrong in ("stream_url", "api_url"):
        async with rig(**{wrong: f"ws://127.0.0.1:{port}"}) as r:
            with pytest.raises(VenueUnreachableError, match=expected):
                await asyncio.wait_for(asyncio.shield(r.task), 5)
            r.task = None
