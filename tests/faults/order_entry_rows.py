"""What can go wrong between a request and its answer: REST and the WebSocket API, order by order."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

from adapters.binance_spot.sandbox_control import (
    Delay,
    Fail,
    Fault,
    Frames,
    LoseAcks,
    LoseRequests,
    Refuse,
)
from adapters.binance_spot.sandbox_faults import FrameFault
from mmd.core.events import (
    CancelRejected,
    Fill,
    InstrumentStatus,
    OrderAccepted,
    OrderRejected,
    OrderStatus,
    PrivateDown,
    RejectReason,
    RequestTimedOut,
)
from mmd.core.units import Side
from tests.faults.rig import SYMBOL, Rig
from tests.faults.rows import Family

FAMILY = Family("order entry")
USER = "userData"
_row = FAMILY.row

CODES = {
    -1000: "An unknown error occurred while processing the request.",
    -1001: "Internal error; unable to process your request. Please try again.",
    -1006: "An unexpected response was received from the message bus. Execution status unknown.",
    -1007: "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    -1008: "Server is currently overloaded with other requests. Please try again in a few minutes.",
    -1013: "Filter failure: PRICE_FILTER",
    -1014: "Unsupported order combination.",
    -1015: "Too many new orders; current limit is 100 orders per 10 SECOND.",
    -1016: "This service is no longer available.",
    -1020: "This operation is not supported.",
    -1034: "Too many concurrent connections.",
    -1100: "Illegal characters found in a parameter.",
    -1101: "Too many parameters sent for this endpoint.",
    -1102: "Mandatory parameter 'price' was not sent, was empty/null, or malformed.",
    -1104: "Not all sent parameters were read.",
    -1106: "Parameter 'timeInForce' sent when not required.",
    -1111: "Parameter 'price' has too much precision.",
    -1115: "Invalid timeInForce.",
    -1116: "Invalid orderType.",
    -1117: "Invalid side.",
    -1121: "Invalid symbol.",
    -1130: "Invalid data sent for a parameter.",
    -2010: "Account has insufficient balance for requested action.",
    -2011: "Unknown order sent.",
    -2013: "Order does not exist.",
    -2016: "No trading window could be found for the symbol. Try ticker/24hrs instead.",
    -2021: "Order cancel-replace partially failed.",
    -2022: "Order cancel-replace failed.",
    -2038: "The request to amend the order was rejected.",
}
"""Refusals of order requests. Source: errors.md of the venue's documentation."""
REFUSED = (OrderRejected, CancelRejected)
_TRIES = 5


def _at_next(rig: Rig, method: str, *faults: Fault) -> asyncio.Future[None]:
    """As the next request of this kind has been read: inject; the time counts from there."""
    control = rig.sandbox.control
    assert control is not None, "the rig's exchange takes orders for faults"

    def inject() -> None:
        for fault in faults:
            control.apply(fault)

    return rig.at_request(method, inject)


async def _provoke(rig: Rig, injected: asyncio.Future[Any]) -> None:
    """Have orders of ours filled until the daemon has sent the request that was waited for, or has come to it."""
    async with asyncio.timeout(20):
        side = Side.BUY
        while not injected.done():
            rig.hit(side)
            side = side.opposite
            await asyncio.wait({injected}, timeout=0.5)


@_row(
    "time-out, the venue never had the request",
    "order unknown, nothing added until it is known",
    quick=True,
)
async def lost_request(rig: Rig) -> int:
    await _provoke(rig, _at_next(rig, "order.place", LoseRequests()))
    at_ns = await rig.event(RequestTimedOut)
    await rig.event(OrderStatus, holds=lambda e: not e.known)
    return at_ns


@_row("time-out, the venue did accept", "order unknown, asked for, found working", quick=True)
async def lost_ack(rig: Rig) -> int:
    faults = LoseAcks(), Frames(FrameFault.GAP, USER, 2)
    await _provoke(rig, _at_next(rig, "order.place", *faults))
    at_ns = await rig.event(RequestTimedOut)
    await rig.event(OrderStatus, holds=lambda e: e.known)
    return at_ns


@_row("acknowledgement lost, account stream tells", "nothing in doubt: the stream says it")
async def ack_lost(rig: Rig) -> int:
    await _provoke(rig, _at_next(rig, "order.place", LoseAcks()))
    return await rig.event(OrderAccepted)


async def _server_error(rig: Rig, status: int, *, is_done: bool) -> int:
    """Of an order: the next request may as well be a question of the clock, or of the guardian."""
    await _provoke(rig, _at_next(rig, "order.place", Fail(status=status, is_done=is_done)))
    return await rig.event(RequestTimedOut)


@_row("504, done", "fate unknown: asked for", quick=True)
async def error_504_done(rig: Rig) -> int:
    return await _server_error(rig, 504, is_done=True)


@_row("504, not done", "fate unknown: asked for")
async def error_504(rig: Rig) -> int:
    return await _server_error(rig, 504, is_done=False)


@_row("503 overloaded", "fate unknown: asked for")
async def error_503(rig: Rig) -> int:
    return await _server_error(rig, 503, is_done=False)


async def _turned_away(rig: Rig, status: int, seconds: float) -> int:
    rig.mark()
    before = len(rig.requests)
    since_ns = await rig.fault(fault="limit", status=status, seconds=seconds, marks=False)
    rig.hit()
    at_ns = await rig.event(*REFUSED, RequestTimedOut)
    await asyncio.sleep(seconds)
    asked = [m for at, m in rig.requests[before:] if m.startswith("order.") and at > at_ns + 3e8]
    early = [
        at for at, m in rig.requests[before:] if at_ns + 3e8 < at < since_ns + seconds * 1e9 - 1e9
    ]
    assert len(early) <= 3, (len(early), asked)
    return at_ns


@_row("429 with Retry-After 3 s", "no request until it is over")
async def limit_429(rig: Rig) -> int:
    return await _turned_away(rig, 429, 3)


@_row("418 ban with Retry-After 4 s", "no request until it is over")
async def ban_418(rig: Rig) -> int:
    return await _turned_away(rig, 418, 4)


@_row("wrong signature (-1022)", "refused for its reason, counted")
async def signature(rig: Rig) -> int:
    wrong = Refuse(code=-1022, message="Signature for this request is not valid.")
    await _provoke(rig, _at_next(rig, "order.", wrong))
    return await rig.event(*REFUSED, holds=lambda e: e.reason is RejectReason.SIGNATURE)


@_row("expired timestamp (-1021)", "refused as sent too late; the clock is measured again")
async def expired(rig: Rig) -> int:
    rig.mark()
    rig.api.stall(to_client=False, to_server=True)
    rig.hit()
    await asyncio.sleep(0.9)  # above recvWindow, below the time-out
    rig.api.flow()
    return await rig.event(*REFUSED, RequestTimedOut)


@_row("partial write, then reset", "order unknown until reconciled")
async def partial_write(rig: Rig) -> int:
    """Again where it was a question of the clock that was cut in two, or an answer to a ping."""
    for _ in range(_TRIES):
        marked_ns = rig.mark()
        rig.api.cut_after = 40
        down = asyncio.ensure_future(rig.event(PrivateDown))
        await _provoke(rig, down)
        await rig.recovered(await down)
        rig.witness.poll()
        since = [e for e in rig.witness.events if e.ts_recv_ns >= marked_ns]
        if any(isinstance(e, RequestTimedOut) for e in since):
            return await down
    raise AssertionError(f"no order was cut in two in {_TRIES} attempts")


@_row(f"each of {len(CODES)} documented refusals", "refused or unknown, each for its reason")
async def every_code(rig: Rig) -> int:
    first_ns = rig.mark()
    kinds: Counter[str] = Counter()
    at_ns = 0
    for code, message in CODES.items():
        await _provoke(rig, _at_next(rig, "order.place", Refuse(code=code, message=message)))
        event = await rig.found(*REFUSED, RequestTimedOut, holds=_is_of(code))
        kinds[type(event).__name__] += 1
        at_ns = at_ns or event.ts_recv_ns
        await rig.recovered(event.ts_recv_ns)
    assert kinds["RequestTimedOut"] == 4, kinds
    rig.mark_at(first_ns)
    return at_ns


def _is_of(code: int) -> Callable[[OrderRejected | RequestTimedOut], bool]:
    return lambda e: isinstance(e, RequestTimedOut) or e.code == code


@_row("fill before acknowledgement", "counted at once; the late answer changes nothing", quick=True)
async def fill_before_ack(rig: Rig) -> int:
    faults = Delay(900), Frames(FrameFault.GAP, USER, 2)
    await _provoke(rig, _at_next(rig, "order.place", *faults))
    await asyncio.sleep(0.1)
    newest = max(rig.working(), key=lambda o: o.order_id)
    rig.hit_order(newest)
    fill = await rig.found(Fill, holds=lambda e: e.venue_order_id == newest.order_id)
    accepted_ns = await rig.event(
        OrderAccepted, holds=lambda e: e.venue_order_id == newest.order_id
    )
    assert fill.ts_recv_ns < accepted_ns, "the acknowledgement came before the fill"
    return fill.ts_recv_ns


@_row("acknowledgement after the order was filled", "stays filled")
async def ack_after_fill(rig: Rig) -> int:
    await _provoke(rig, _at_next(rig, "order.place", Delay(700)))
    await asyncio.sleep(0.1)
    newest = max(rig.working(), key=lambda o: o.order_id)
    rig.hit_order(newest)
    at_ns = await rig.event(Fill, holds=lambda e: e.venue_order_id == newest.order_id)
    await asyncio.sleep(0.7)
    return at_ns


@_row("fill told twice", "counted once", quick=True)
async def fill_twice(rig: Rig) -> None:
    await rig.fault(fault="frames", kind="duplicate", stream=USER, count=4)
    rig.hit()
    first = await rig.found(Fill)
    again = await rig.found(Fill, holds=lambda e: e is not first and e.trade_id == first.trade_id)
    assert again.qty_lots == first.qty_lots


@_row("account event of an unknown kind", "counted, told once by name, passed over", quick=True)
async def unknown_account_event(rig: Rig) -> int:
    before = (await rig.daemon.state())["unknown_events"]
    await rig.fault(fault="frames", kind="unknown_event", stream=USER, count=3)
    rig.hit()
    await rig.found(Fill)
    at_ns = await rig.seen_state(
        lambda state: all(state["unknown_events"][v] >= n + 3 for v, n in before.items())
    )
    named = [row["name"] for row in rig.daemon.logged("unknown_event")]
    assert named.count("somethingOfYours") == 1
    assert "mmd_venue_unknown_events_total" in (await rig.daemon.get("/metrics"))[1]
    return at_ns


@_row("fill event lost", "found when the account is read again")
async def fill_lost(rig: Rig) -> int:
    await rig.fault(fault="frames", kind="gap", stream=USER, count=2)
    rig.hit()
    await asyncio.sleep(0.3)
    await rig.fault(fault="cut", target="api", marks=False)
    return await rig.event(Fill)


@_row("account events reordered", "the order's life is the same")
async def reordered(rig: Rig) -> None:
    await rig.fault(fault="frames", kind="reorder", stream=USER, count=3)
    rig.hit()
    rig.hit(Side.SELL)
    await rig.event(Fill)


@_row(
    "filled while its cancel is on the way",
    "refused cancel is asked about, the fill counts",
    quick=True,
)
async def cancel_race(rig: Rig) -> int:
    rig.mark()
    rig.api.stall(to_client=False, to_server=True)
    try:
        await rig.operate("cancel_all")
        await asyncio.sleep(0.05)
        for side in Side:
            rig.hit(side)
    finally:
        rig.api.flow()
    at_ns = await rig.event(CancelRejected, holds=lambda e: e.reason is RejectReason.UNKNOWN_ORDER)
    await rig.event(Fill)
    await rig.operate("resume")
    return at_ns


@_row(
    "unknown order: taken back behind our back", "refused cancel is asked about, the order is gone"
)
async def unknown_order(rig: Rig) -> int:
    await rig.fault(fault="frames", kind="gap", stream=USER, count=2)
    order = rig.working()[0]
    await rig.by_hand("DELETE", "/api/v3/order", symbol=SYMBOL, orderId=order.order_id)
    await rig.operate("cancel_all")
    at_ns = await rig.event(CancelRejected, holds=lambda e: e.reason is RejectReason.UNKNOWN_ORDER)
    await rig.operate("resume")
    return at_ns


@_row(
    "maintenance: instrument not trading for 3 s",
    "orders refused for it, rules read, quotes back after",
)
async def maintenance(rig: Rig) -> int:
    await rig.fault(fault="status", symbol=SYMBOL, status="BREAK")
    at_ns = await rig.event(InstrumentStatus)
    await asyncio.sleep(3)
    await rig.fault(fault="status", symbol=SYMBOL, status="TRADING", marks=False)
    return at_ns


@_row("order entry down for 2 s", "cancels and questions go over REST meanwhile")
async def over_rest(rig: Rig) -> int:
    rig.mark()
    rig.api.refuse = True
    rig.api.cut()
    at_ns = await rig.event(PrivateDown)
    await asyncio.sleep(2)
    rig.api.refuse = False
    return at_ns
