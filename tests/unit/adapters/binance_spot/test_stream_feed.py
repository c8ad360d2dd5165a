"""Connections replaced before they end, on real sockets: the book never goes blind, nothing comes twice."""

import asyncio

from mmd.core.events import FeedDown, FeedUp
from mmd.core.market import book as books
from mmd.core.market.record import DIFF, SNAPSHOT
from tests.unit.adapters.binance_spot.venue_rig import Rig, rig

OBSERVE = {"observe": True, "api_key": "", "api_secret": ""}


def never_blind(r: Rig) -> None:
    """One FeedUp, one snapshot, every diff applied once and without a gap, every id once and in order."""
    assert r.sink.of(FeedDown) == []
    assert len(r.sink.of(FeedUp)) == 1
    assert r.sink.kinds[SNAPSHOT] == 1
    assert set(r.sink.diff_statuses) <= {books.OK, books.ONE_SIDED}
    for kind, ids in r.sink.ids.items():
        assert ids == sorted(set(ids)), f"kind {kind} came twice or late"
    assert r.sink.wrong_checks == 0


async def test_age_limit_is_met_by_a_second_connection_first():
    """At its age limit a connection is replaced, again and again, and the book goes on."""
    async with rig(connection_lifetime_s=0.6, **OBSERVE) as r:
        await r.sink.until(lambda: r.streams.accepted >= 4 or None)
        diffs = r.sink.kinds[DIFF]
        await r.sink.until(lambda: r.sink.kinds[DIFF] > diffs + 10)
        never_blind(r)
        assert r.sink.equal_checks > 10


async def test_announced_shutdown_is_met_by_a_second_connection_first():
    """The server's notice; the connection that it concerns is closed by us once the other is in step."""
    async with rig(**OBSERVE) as r:
        await r.sink.until(lambda: r.sink.equal_checks >= 2)
        r.announce_shutdown()
        await r.sink.until(lambda: r.streams.accepted == 2)
        checks = r.sink.equal_checks
        await r.sink.until(lambda: r.sink.equal_checks > checks + 5)
        never_blind(r)
        assert r.streams.open == 1


async def test_shutdown_announced_on_the_new_connection_too():
    """It is replaced in its turn, though it was in the middle of replacing."""
    async with rig(**OBSERVE) as r:
        await r.sink.until(lambda: r.sink.equal_checks >= 2)
        r.announce_shutdown()
        while len(r.sandbox._streams.connections) < 2:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
        r.announce_shutdown()
        await r.sink.until(lambda: r.streams.accepted == 3)
        await asyncio.sleep(0.4)
        never_blind(r)
        assert r.streams.open == 1


async def test_replacement_that_fails_leaves_the_old_connection():
    """Nobody takes new connections: the old one goes on, and is replaced as soon as somebody does."""
    async with rig(**OBSERVE) as r:
        await r.sink.until(lambda: r.sink.equal_checks >= 2)
        r.streams.refuse = True
        r.announce_shutdown()
        checks = r.sink.equal_checks
        await r.sink.until(lambda: r.sink.equal_checks > checks + 5)
        r.streams.refuse = False
        await r.sink.until(lambda: r.streams.accepted == 2)
        await asyncio.sleep(0.5)
        never_blind(r)
        assert r.streams.open == 1


async def test_old_connection_cut_while_replaced():
    """Cut while the second is being opened: down, up, a new snapshot, and the book is right."""
    async with rig(**OBSERVE) as r:
        await r.sink.until(lambda: r.sink.equal_checks >= 2)
        r.streams.refuse = True
        r.announce_shutdown()
        await asyncio.sleep(0.05)
        r.streams.cut()
        await r.sink.event(FeedDown)
        r.streams.refuse = False
        await r.sink.event(FeedUp, count=2)
        await r.sink.until(lambda: r.sink.kinds[SNAPSHOT] == 2)
        checks = r.sink.equal_checks
        await r.sink.until(lambda: r.sink.equal_checks > checks + 2)
        assert r.sink.wrong_checks == 0
        assert r.streams.open == 1


async def test_old_connection_silent_while_replaced():
    """The old one says no more: what the second holds cannot be joined, so that book alone starts again."""
    async with rig(silence_timeout_s=0.8, connection_lifetime_s=0.7, **OBSERVE) as r:
        await r.sink.until(lambda: r.sink.equal_checks >= 2)
        r.streams.silence_open_ones()
        down = await r.sink.event(FeedDown)
        await r.sink.event(FeedUp, count=2)
        await r.sink.until(lambda: r.sink.kinds[SNAPSHOT] == 2)
        checks = r.sink.equal_checks
        await r.sink.until(lambda: r.sink.equal_checks > checks + 2)
        assert (down.reason, r.sink.wrong_checks) == ("lost before its replacement", 0)


async def test_an_error_on_the_stream_ends_the_connection():
    """It is no market data, so the next connection begins with a snapshot."""
    async with rig(**OBSERVE) as r:
        await r.sink.until(lambda: r.sink.equal_checks >= 2)
        r.send_stream_frame(b'{"error":{"code":2,"msg":"no"}}')
        await r.sink.event(FeedDown)
        await r.sink.event(FeedUp, count=2)


async def test_events_of_a_new_kind_are_told_once_and_passed_over():
    """Twenty of them cost no connection and no book."""
    async with rig(**OBSERVE) as r:
        await r.sink.until(lambda: r.sink.equal_checks >= 2)
        checks = r.sink.equal_checks
        for _ in range(20):
            r.send_stream_frame(b'{"e":"gossip"}')
        await r.sink.until(lambda: r.sink.equal_checks >= checks + 2)
        assert r.sink.of(FeedDown) == []
        assert r.sink.wrong_checks == 0
