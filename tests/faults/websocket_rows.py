"""What can go wrong with a WebSocket, with its messages, and with the book made of them."""

import asyncio

from mmd.core.events import ClockOffset, FeedDown, FeedUp, PrivateDown
from tests.faults.rig import Rig
from tests.faults.rows import Family

FAMILY = Family("websocket")
DEPTH = "mmdusdt@depth@100ms"
_row = FAMILY.row


@_row("closed normally", "feed and orders down at once, new connections", quick=True)
async def closed(rig: Rig) -> int:
    await rig.fault(fault="cut", how="close")
    await rig.event(PrivateDown)
    return await rig.event(FeedDown)


@_row("reset", "feed and orders down at once, new connections", quick=True)
async def reset(rig: Rig) -> int:
    await rig.fault(fault="cut", how="reset")
    await rig.event(PrivateDown)
    return await rig.event(FeedDown)


@_row("hung up without a goodbye", "feed and orders down at once, new connections")
async def dropped(rig: Rig) -> int:
    await rig.fault(fault="cut", how="drop")
    await rig.event(PrivateDown)
    return await rig.event(FeedDown)


@_row(
    "half open: market data goes silent",
    "connection replaced after the silence time-out (2 s here)",
)
async def silent_streams(rig: Rig) -> int:
    await rig.fault(fault="silence", seconds=6, target="streams")
    return await rig.event(FeedDown, holds=lambda e: "silent" in e.reason)


@_row(
    "half open: order entry goes silent, pings unanswered", "requests time out, connection replaced"
)
async def silent_api(rig: Rig) -> int:
    await rig.fault(fault="silence", seconds=6, target="api")
    return await rig.event(PrivateDown, holds=lambda e: "silent" in e.reason)


@_row(
    "half open both ways, nothing arrives",
    "as a network that swallows packets: connections replaced",
)
async def black_hole(rig: Rig) -> int:
    rig.mark()
    for proxy in (rig.streams, rig.api):
        proxy.stall(to_client=True, to_server=True)
    try:
        await rig.event(PrivateDown)
        return await rig.event(FeedDown)
    finally:
        for proxy in (rig.streams, rig.api):
            proxy.cut()
            proxy.flow()


@_row("slow link: 2 kB/s of market data", "the age of the data takes the quotes out")
async def slow_reader(rig: Rig) -> int:
    rig.mark()
    rig.streams.bytes_per_s = 2_000
    try:
        at_ns = await rig.seen(
            lambda row: row["reason"] in ("FEED_LATENCY", "BOOK_STALE", "FEED_DOWN")
        )
    finally:
        rig.streams.bytes_per_s = 0
        rig.streams.cut()
    return at_ns


@_row(
    "24 h limit: serverShutdown announced",
    "a second feed takes over, the book never goes blind",
    quick=True,
)
async def shutdown(rig: Rig) -> int:
    since_ns = await rig.fault(fault="shutdown")
    at_ns = await rig.logged("feed_server_shutdown")
    await rig.event(PrivateDown, holds=lambda e: "left before" in e.reason)
    rig.witness.poll()
    blind = [e for e in rig.witness.events if isinstance(e, FeedDown) and e.ts_recv_ns > since_ns]
    assert blind == [], blind
    return at_ns


async def _refused(rig: Rig, status: int) -> int:
    await rig.settled()
    await rig.fault(fault="handshakes", status=status, count=2)
    await rig.fault(fault="cut", how="reset", marks=False)
    at_ns = await rig.logged("connect_failed")
    await rig.event(FeedUp)
    return at_ns


@_row("handshake refused with 429", "waits and tries again")
async def handshake_429(rig: Rig) -> int:
    return await _refused(rig, 429)


@_row("handshake refused with 403", "waits and tries again")
async def handshake_403(rig: Rig) -> int:
    return await _refused(rig, 403)


@_row("handshake refused with 503", "waits and tries again")
async def handshake_503(rig: Rig) -> int:
    return await _refused(rig, 503)


@_row("frames split and merged by the network", "nothing to notice: every book check still agrees")
async def split_frames(rig: Rig) -> None:
    rig.mark()
    rig.streams.chops = rig.api.chops = True
    try:
        await _checks_go_on(rig, 20)
    finally:
        rig.streams.chops = rig.api.chops = False


async def _checks_go_on(rig: Rig, count: int) -> None:
    """So many more comparisons with the venue's own top 20 agree."""
    before = (await rig.daemon.state())["instruments"][0]["book"]
    await rig.seen(lambda row: row["book"]["checks"] >= before["checks"] + count)
    after = (await rig.daemon.state())["instruments"][0]["book"]
    assert after["mismatches"] == before["mismatches"]


async def _fatal(rig: Rig, kind: str) -> int:
    """The connection cannot be trusted any more."""
    await rig.settled()
    await rig.fault(fault="frames", kind=kind, stream=DEPTH)
    at_ns = await rig.event(FeedDown)
    await rig.event(FeedUp)
    await _checks_go_on(rig, 3)
    return at_ns


@_row("malformed JSON", "connection replaced, book built again", quick=True)
async def malformed(rig: Rig) -> int:
    return await _fatal(rig, "corrupt")


@_row("unknown event", "ignored", quick=True)
async def unknown_event(rig: Rig) -> None:
    await rig.fault(fault="frames", kind="unknown_event", stream=DEPTH, count=5)
    await _checks_go_on(rig, 10)


@_row("oversized frame (8 MiB)", "connection replaced, book built again")
async def oversized(rig: Rig) -> int:
    return await _fatal(rig, "oversized")


@_row("message of another symbol", "connection replaced, book built again")
async def wrong_symbol(rig: Rig) -> int:
    return await _fatal(rig, "wrong_symbol")


async def _resynced(rig: Rig) -> int:
    """The engine asked for the book again; returns when its gap or crossing was counted."""
    before = (await rig.daemon.state())["instruments"][0]["book"]["resyncs"]
    at_ns = await rig.seen(lambda row: row["book"]["resyncs"] > before)
    await _checks_go_on(rig, 3)
    return at_ns


@_row("gap", "this book alone is fetched again", quick=True)
async def gap(rig: Rig) -> int:
    await rig.fault(fault="frames", kind="gap", stream=DEPTH)
    return await _resynced(rig)


@_row("duplicate", "ignored", quick=True)
async def duplicate(rig: Rig) -> None:
    await rig.fault(fault="frames", kind="duplicate", stream=DEPTH, count=5)
    await _checks_go_on(rig, 10)


@_row("reordered", "a gap: this book alone is fetched again")
async def reorder(rig: Rig) -> int:
    await rig.fault(fault="frames", kind="reorder", stream=DEPTH)
    return await _resynced(rig)


@_row("snapshot older than the stream", "fetched again until it fits")
async def old_snapshot(rig: Rig) -> int:
    await rig.fault(fault="stale_snapshots", count=2)
    await rig.fault(fault="frames", kind="gap", stream=DEPTH, marks=False)
    return await _resynced(rig)


@_row("snapshot newer than the stream", "messages before it are dropped")
async def new_snapshot(rig: Rig) -> int:
    rig.mark()
    rig.streams.stall(to_client=True, to_server=False)
    await asyncio.sleep(0.7)
    await rig.fault(fault="frames", kind="gap", stream=DEPTH)
    await asyncio.sleep(0.3)
    rig.streams.flow()
    return await _resynced(rig)


@_row("snapshot over REST fails", "tried again until it comes; no quotes meanwhile")
async def no_snapshot(rig: Rig) -> int:
    rig.mark()
    rig.rest.refuse = True
    rig.rest.cut()
    await rig.fault(fault="frames", kind="gap", stream=DEPTH, marks=False)
    at_ns = await rig.logged("snapshot_failed")
    rig.rest.refuse = False
    return at_ns


@_row("crossed book in sequence", "quotes out, book fetched again")
async def crossed(rig: Rig) -> int:
    before = (await rig.daemon.state())["instruments"][0]["book"]
    await rig.fault(fault="frames", kind="crossed", stream=DEPTH)
    at_ns = await rig.seen(lambda row: row["book"]["crossed"] > before["crossed"])
    await rig.recovered(at_ns)
    await _checks_go_on(rig, 5)
    return at_ns


@_row("checksum mismatch", "this venue has none: the top 20 of every message is compared instead")
async def checksum(rig: Rig) -> None:
    rig.mark()
    await _checks_go_on(rig, 5)


@_row("venue's clock jumps by 3 s", "measured again; quotes out until it is known")
async def venue_clock(rig: Rig) -> int:
    await rig.fault(fault="clock", shift_ms=3_000)
    at_ns = await _offset_seen(rig, 3_000)
    await rig.fault(fault="clock", shift_ms=0, marks=False)
    await _offset_seen(rig, 0)
    return at_ns


async def _offset_seen(rig: Rig, shift_ms: int) -> int:
    return await rig.event(ClockOffset, holds=lambda e: abs(e.offset_ns / 1e6 - shift_ms) < 500)
