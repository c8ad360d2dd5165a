"""Frames of a simulated market keep the engine's book equal to the exchange's."""

from mmd.core.market import book as books
from mmd.core.market.record import DIFF, MARKET, PARTIAL, SNAPSHOT, TOP, packed_view, unpack
from mmd.core.units import Side
from mmd.exchange import background
from mmd.jit.kernel import bind, new
from mmd.simulation.market_frames import MarketFrames, receive
from tests.exchange_world import exchange


def _market():
    market = exchange().markets[0]
    for price in (99, 98, 97):
        background.add(market.book, Side.BUY, price, 10)
        background.add(market.book, Side.SELL, 200 - price, 10)
    return market


def _unpacked(frame):
    assert frame is not None
    market = new(MARKET)
    packed_view(market)[: 8 * len(frame)] = memoryview(frame).cast("B")
    assert bind(unpack, market, 0)(market, 8 * len(frame)) == 0
    return market


def _apply(book, frame):
    return bind(books.apply, book, new(MARKET))(book, _unpacked(frame))


def test_diffs_follow_a_snapshot_without_a_hole():
    """A snapshot, then diffs: the book is the exchange's, as its own partial says."""
    market = _market()
    frames = MarketFrames(market)
    book = new(books.BOOK)
    bind(books.reset, book)(book)
    assert _apply(book, frames.snapshot(5)) == books.OK
    for step in range(1, 30):
        background.add(market.book, Side.BUY, 99 - step % 7, step)
        background.take(market.book, Side.SELL, step, None)
        background.add(market.book, Side.SELL, 101 + step % 5, 3 * step)
        assert _apply(book, frames.diff(5 + step)) == books.OK
        partial = _unpacked(frames.partial(5 + step))
        assert bind(books.check, book, partial)(book, partial) == books.EQUAL


def test_a_missed_diff_shows_as_a_gap():
    """Ids go on while nobody listens."""
    market = _market()
    frames = MarketFrames(market)
    book = new(books.BOOK)
    bind(books.reset, book)(book)
    _apply(book, frames.snapshot(0))
    background.add(market.book, Side.BUY, 99, 1)
    assert frames.diff(1) is not None
    background.add(market.book, Side.BUY, 99, 1)
    assert _apply(book, frames.diff(2)) == books.GAP


def test_what_did_not_change_is_not_published():
    """No diff and no top without a change; a change deep in the book is no new top."""
    market = _market()
    frames = MarketFrames(market)
    frames.diff(0)
    assert frames.top() is not None
    assert frames.diff(1) is None
    assert frames.top() is None
    background.add(market.book, Side.BUY, 90, 1)
    assert frames.top() is None
    assert frames.diff(2) is not None


def test_a_frame_says_what_it_is_and_carries_its_receivers_number():
    """Kinds and times survive packing; the copy leaves the sender's frame as it was."""
    market = _market()
    frames = MarketFrames(market)
    background.add(market.book, Side.BUY, 99, 1)
    kinds = {
        SNAPSHOT: frames.snapshot(7),
        DIFF: frames.diff(8),
        PARTIAL: frames.partial(9),
        TOP: frames.top(),
    }
    for kind, frame in kinds.items():
        before = frame.tobytes()
        record = _unpacked(receive(frame, 3, 77))
        assert (int(record["kind"][0]), int(record["instrument"][0])) == (kind, 3)
        assert int(record["ts_recv_ns"][0]) == 77
        assert frame.tobytes() == before
    assert int(_unpacked(kinds[DIFF])["ts_event_ns"][0]) == 8
