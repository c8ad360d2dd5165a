"""The private connection on real sockets: log-on, planned ends, waits that the venue asks for, races."""

import asyncio

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from adapters.binance_spot.order_ids import encode_id
from adapters.binance_spot.sandbox_auth import Credential
from mmd.core.commands import CancelOrder, PlaceOrder, QueryOrder
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
from mmd.errors import AuthError
from tests.unit.adapters.binance_spot.venue_rig import KEY, Rig, rig

POST_ONLY, IOC = TimeInForce.POST_ONLY, TimeInForce.IOC


def order_id(number: int):
    return client_order_id(0x55, number)


def ed25519() -> tuple[str, Credential]:
    """A private key as PEM, and the credential that the exchange keeps of it."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), Credential(KEY, public.decode())


async def ready(r: Rig) -> int:
    """Wait until quoting could begin; returns a bid price far from the market."""
    await r.sink.event(PrivateUp)
    await r.sink.until(lambda: r.sink.equal_checks)
    return r.best[0] - 60


async def test_ed25519_logs_on_once_for_each_connection():
    """One log-on, no signed subscription; orders work, over REST too; a reconnect logs on again."""
    private, credential = ed25519()
    values = {"api_secret": "", "api_private_key": private}
    async with rig(credential=credential, **values) as r:
        far = await ready(r)
        me = r.instrument.id
        r.send(PlaceOrder(me, order_id(1), Side.BUY, far, 100, POST_ONLY))
        await r.sink.event(OrderAccepted, client_order_id=order_id(1))
        (working,) = await r.venue.open_orders_ours()
        assert working.client_order_id == order_id(1)
        r.api.cut()
        await r.sink.event(PrivateUp, count=2)
        r.send(CancelOrder(me, order_id(1)))
        await r.sink.event(OrderEnded, client_order_id=order_id(1))
        assert r.requests.count("session.logon") == 2
        assert r.requests.count("userDataStream.subscribe") == 2
        assert "userDataStream.subscribe.signature" not in r.requests


async def test_foreign_private_key_is_told_on_load():
    """The key parses, but it is not the one whose public half the venue has."""
    private, _ = ed25519()
    _, credential = ed25519()
    values = {"api_secret": "", "api_private_key": private, "started": False}
    async with rig(credential=credential, **values) as r:
        with pytest.raises(AuthError, match="private key does not belong to api_key"):
            await r.venue.load()


@pytest.mark.parametrize("why", ["age", "shutdown"])
async def test_planned_end_waits_for_what_is_in_flight(why: str):
    """The connection is left before the venue closes it, and no request's fate becomes unknown."""
    async with rig(connection_lifetime_s=1.5 if why == "age" else 3_600.0) as r:
        far = await ready(r)
        me = r.instrument.id
        if why == "shutdown":
            r.send_api_frame(b'{"event":{"e":"serverShutdown","E":1770123456789}}')
        number = 0
        while not r.sink.of(PrivateDown):
            number += 1
            r.send(PlaceOrder(me, order_id(number), Side.BUY, far, 100, POST_ONLY))
            r.send(CancelOrder(me, order_id(number)))
            await asyncio.sleep(0.01)
        assert "before the venue closes it" in r.sink.of(PrivateDown)[0].reason
        await r.sink.event(PrivateUp, count=2)
        assert r.sink.of(RequestTimedOut) == []
        for k in range(1, number):
            assert r.sink.of(OrderEnded, client_order_id=order_id(k)) != []
        assert await r.venue.open_orders_ours() == []


async def test_retry_after_is_kept_for_everything():
    """Turned away for its rate, the link sends nothing until the venue's time has come: cancels neither."""
    async with rig(silence_timeout_s=10.0, request_timeout_s=5.0) as r:
        far = await ready(r)
        me = r.instrument.id
        r.send(PlaceOrder(me, order_id(1), Side.BUY, far, 100, POST_ONLY))
        await r.sink.event(OrderAccepted, client_order_id=order_id(1))
        r.api.stall(to_client=False, to_server=True)
        r.send(PlaceOrder(me, order_id(2), Side.BUY, far, 100, POST_ONLY))
        session = r.venue._loaded.orders._session
        data = {"serverTime": 1, "retryAfter": r.venue._venue_clock.now_ms() + 400}
        error = {"code": -1003, "msg": "Way too much request weight used", "data": data}
        answer = {"id": session._next_id - 1, "status": 418, "error": error}
        r.send_api_frame(msgspec.json.encode(answer))
        rejected = await r.sink.event(OrderRejected, client_order_id=order_id(2))
        assert rejected.reason is RejectReason.RATE_LIMIT
        r.send(CancelOrder(me, order_id(1)))
        refused = await r.sink.event(CancelRejected, client_order_id=order_id(1))
        assert (refused.reason, refused.code) == (RejectReason.RATE_LIMIT, 0)
        assert "asked to wait" in refused.message
        assert session.in_flight == 0
        await asyncio.sleep(0.45)
        r.send(CancelOrder(me, order_id(1)))
        assert session.in_flight == 1


async def test_trading_refused_has_the_rules_read():
    """An order refused because its instrument is closed asks for a look at the rules."""
    async with rig() as r:
        far = await ready(r)
        me = r.instrument.id
        r.api.stall(to_client=False, to_server=True)
        r.send(PlaceOrder(me, order_id(1), Side.BUY, far, 100, POST_ONLY))
        link = r.venue._loaded.orders
        error = {"code": -2010, "msg": "Market is closed."}
        answer = {"id": link._session._next_id - 1, "status": 400, "error": error}
        r.send_api_frame(msgspec.json.encode(answer))
        rejected = await r.sink.event(OrderRejected, client_order_id=order_id(1))
        assert rejected.reason is RejectReason.NOT_TRADING
        assert link.trading_refused.is_set()


async def test_cancel_that_comes_too_late():
    """The order was filled while its cancel was on the way: the fill, then the refusal, and no end."""
    async with rig(silence_timeout_s=5.0, request_timeout_s=5.0) as r:
        await ready(r)
        me, (bid, ask) = r.instrument.id, r.best
        r.send(PlaceOrder(me, order_id(1), Side.SELL, max(bid + 1, ask - 1), 100, POST_ONLY))
        await r.sink.event(OrderAccepted, client_order_id=order_id(1))
        r.api.stall(to_client=True, to_server=False)
        await r.by_hand(
            "POST", "/api/v3/order", stranger=True, symbol=r.instrument.symbol, side="BUY",
            type="MARKET", quantity="30.000",
        )  # fmt: skip
        r.send(CancelOrder(me, order_id(1)))
        await asyncio.sleep(0.1)
        r.api.flow()
        refused = await r.sink.event(CancelRejected, client_order_id=order_id(1))
        assert refused.reason is RejectReason.UNKNOWN_ORDER
        fills = r.sink.of(Fill, client_order_id=order_id(1))
        assert sum(f.qty_lots for f in fills) == 100
        assert all(f.is_maker for f in fills)
        assert r.sink.events.index(fills[-1]) < r.sink.events.index(refused)
        assert r.sink.of(OrderEnded, client_order_id=order_id(1)) == []
        r.send(QueryOrder(me, order_id(1)))
        status = await r.sink.event(OrderStatus, client_order_id=order_id(1))
        assert (status.open, status.filled_lots) == (False, 100)
        assert {f.trade_id for f in r.sink.of(Fill)} == {f.trade_id for f in fills}


async def test_acknowledgement_lost_after_the_fill():
    """Filled at the venue, its answer and its report lost with the connection: the fill is found once."""
    async with rig(silence_timeout_s=5.0) as r:
        await ready(r)
        me = r.instrument.id
        r.api.stall(to_client=True, to_server=False)
        r.send(PlaceOrder(me, order_id(1), Side.BUY, r.best[1] + 5, 120, IOC))
        await asyncio.sleep(0.1)
        r.api.cut()
        r.api.flow()
        await r.sink.event(RequestTimedOut, client_order_id=order_id(1))
        await r.sink.event(PrivateUp, count=2)
        fills = r.sink.of(Fill, client_order_id=order_id(1))
        assert sum(f.qty_lots for f in fills) == 120
        assert len({f.trade_id for f in fills}) == len(fills)
        r.send(QueryOrder(me, order_id(1)))
        status = await r.sink.event(OrderStatus, client_order_id=order_id(1))
        assert (status.known, status.open, status.filled_lots) == (True, False, 120)


async def test_every_acknowledgement_comes_twice():
    """The answer and the report both say it; the second says the same."""
    async with rig() as r:
        far = await ready(r)
        r.send(PlaceOrder(r.instrument.id, order_id(1), Side.BUY, far, 100, POST_ONLY))
        await r.sink.event(OrderAccepted, client_order_id=order_id(1), count=2)
        one, two = r.sink.of(OrderAccepted, client_order_id=order_id(1))
        assert (one.venue_order_id, one.ts_event_ns) == (two.venue_order_id, two.ts_event_ns)
        (working,) = await r.venue.open_orders_ours()
        assert encode_id(working.client_order_id) == encode_id(order_id(1))


async def test_log_on_that_is_not_answered_is_tried_again():
    """The connection opens but the venue says nothing on it: given up in time, and made again."""
    async with rig(silence_timeout_s=10.0) as r:
        await ready(r)
        r.api.handshake_only = True
        r.api.cut()
        await r.sink.event(PrivateDown)
        accepted = r.api.accepted
        while r.api.accepted < accepted + 2:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.02)
        assert len(r.sink.of(PrivateUp)) == 1
        r.api.handshake_only = False
        r.api.cut()
        await r.sink.event(PrivateUp, count=2)


async def test_answer_that_is_none_ends_the_connection():
    """Broken JSON on the private side: down, and up again with everything fetched anew."""
    async with rig() as r:
        await ready(r)
        r.send_api_frame(b"{")
        down = await r.sink.event(PrivateDown)
        assert "WebSocket API" in down.reason
        await r.sink.event(PrivateUp, count=2)


async def test_a_process_that_stood_still_sends_nothing_that_it_decided_before():
    """Orders are refused unsent, cancels go over REST, and the connection is made anew before the next quote."""
    async with rig() as r:
        far = await ready(r)
        me = r.instrument.id
        r.send(PlaceOrder(me, order_id(1), Side.BUY, far, 100, POST_ONLY))
        await r.sink.event(OrderAccepted, client_order_id=order_id(1))
        link = r.venue._loaded.orders
        link._turned_ns -= 3 * 10**9
        placed = r.requests.count("order.place")
        r.send(PlaceOrder(me, order_id(2), Side.BUY, far, 100, POST_ONLY))
        r.send(CancelOrder(me, order_id(1)))
        refused = await r.sink.event(OrderRejected, client_order_id=order_id(2))
        assert "not sent" in refused.message
        down = await r.sink.event(PrivateDown)
        assert down.reason.startswith("the process stood still for 3")
        await r.sink.event(PrivateUp, count=2)
        assert r.requests.count("order.place") == placed
        assert await r.venue.open_orders_ours() == []
