"""What a venue finds out before it runs, and keeps finding out while it does."""

import asyncio

import pytest

from adapters.binance_spot import venue as venues
from adapters.binance_spot.wire import ExchangeInfo, ServerTime, SymbolInfo
from mmd.core.events import ClockOffset, OrderStatus, PrivateUp
from mmd.errors import CodecError, InstrumentError
from mmd.shell.clock import SystemClock
from tests.unit.adapters.binance_spot.venue_rig import rig


def listing(count: int) -> ExchangeInfo:
    return ExchangeInfo(
        tuple(
            SymbolInfo(
                symbol=f"S{k}", status="TRADING", base_asset="S", quote_asset="U", filters=()
            )
            for k in range(count)
        )
    )


async def test_unnamed_instruments_are_all_that_a_small_venue_lists():
    """The embedded exchange needs no list; the real venue does, and the message says how."""
    async with rig(instruments=()) as r:
        assert (r.instrument.symbol, r.venue.name) == ("MMDUSDT", "test")
        for count in (0, 9):
            with pytest.raises(
                InstrumentError, match=f"the venue lists {count}: name those to trade"
            ):
                r.venue._listed(listing(count))


async def test_observers_have_nothing_to_cancel():
    """Without a key every question about orders has an empty answer."""
    async with rig(observe=True, api_key="", api_secret="") as r:
        await r.venue.cancel_ours()
        assert await r.venue.open_orders_ours() == []


async def test_quoting_waits_for_what_an_earlier_process_had_on_its_way():
    """An order with our prefix that arrives within the receive window is gone before PrivateUp, at no cost later."""
    async with rig(started=False) as r:
        await r.venue.load()
        clock = SystemClock()
        began_ns = clock.monotonic_ns()
        r.venue.expect_stragglers(began_ns)
        task = asyncio.create_task(r.venue.run(r.sink))
        await asyncio.sleep(0.25)
        late = {"symbol": "MMDUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        late |= {"quantity": "0.100", "price": "90.00", "newClientOrderId": "mmd7-1"}
        placed = await r.by_hand("POST", "/api/v3/order", **late)
        up = await r.sink.event(PrivateUp)
        task.cancel()
        await asyncio.wait([task])
        assert up.ts_recv_ns - began_ns >= 500_000_000
        order = {"symbol": "MMDUSDT", "orderId": placed["orderId"]}
        assert (await r.by_hand("GET", "/api/v3/order", **order))["status"] == "CANCELED"
        assert r.sink.of(OrderStatus) == []


@pytest.mark.parametrize("fault", ["down", "nonsense"])
async def test_clock_check_that_fails_is_tried_again(fault: str, monkeypatch):
    """The venue goes on by the last measurement."""
    async with rig(clock_check_s=0.05, observe=True) as r:
        await r.sink.event(ClockOffset, count=2)
        if fault == "down":
            r.rest.refuse = True
            r.rest.cut()
            await asyncio.sleep(0.2)
            r.rest.refuse = False
        else:
            measure, calls = r.venue._api.measure_clock, []

            async def nonsense(name: str) -> ClockOffset:
                calls.append(name)
                if len(calls) == 1:
                    raise CodecError(f"/api/v3/time: {ServerTime(0)!r}")
                return await measure(name)

            monkeypatch.setattr(r.venue._api, "measure_clock", nonsense)
        count = len(r.sink.of(ClockOffset))
        await r.sink.event(ClockOffset, count=count + 2)
        assert not r.task.done()


def test_a_bug_is_told_before_an_expected_failure():
    """Of all that ended a run, the one that somebody must fix."""
    bug, expected = RuntimeError("bug"), InstrumentError("x")
    inner = BaseExceptionGroup("inner", [bug])
    assert venues._first(BaseExceptionGroup("outer", [expected, inner])) is bug
    assert venues._first(BaseExceptionGroup("outer", [expected])) is expected
