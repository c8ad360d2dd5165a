"""One instrument's market as the engine sees it, through the engine's own door."""

import pytest

from mmd.core.events import FeedUp
from mmd.core.market.record import PARTIAL, TOP, TRADE
from tests.engine_bench import ZERO, EngineBench


@pytest.fixture
def bench() -> EngineBench:
    """A feed with a book: 99.99 / 100.01."""
    up = EngineBench()
    up.event(FeedUp(up.now_ns, ZERO))
    up.snapshot()
    return up


def levels(best: int, step: int, lots: int = 5_000) -> dict[int, int]:
    return {best + step * i: lots for i in range(20)}


def test_a_snapshot_makes_it_synced() -> None:
    """Not the connection, and not a diff without one."""
    bench = EngineBench()
    view = bench.maker.view
    bench.diff({9_999: 1})
    assert not view.is_synced
    bench.event(FeedUp(bench.now_ns, ZERO))
    assert not view.is_synced
    bench.snapshot()
    assert view.is_synced
    assert (view.bid_ticks, view.ask_ticks, view.mid_half_ticks) == (9_999, 10_001, 20_000)
    assert view.resyncs == 0, "the first book is no resync"


def test_diffs_move_the_touch_and_the_time(bench: EngineBench) -> None:
    """What was applied last is what is shown."""
    view = bench.maker.view
    bench.pass_time(7)
    bench.diff({9_999: 0}, {10_001: 0})
    assert (view.bid_ticks, view.ask_ticks) == (9_998, 10_002)
    assert view.changed_ns == bench.now_ns
    assert view.is_dirty


def test_a_gap_freezes_the_book_until_the_next_snapshot(bench: EngineBench) -> None:
    """Counted once; what follows it changes nothing."""
    view = bench.maker.view
    bench.pass_time(5)
    bench.diff({9_999: 0}, gap=2)
    frozen_ns = view.changed_ns
    assert not view.is_synced
    assert view.wants_resync
    assert view.bid_ticks == 9_999
    assert frozen_ns < bench.now_ns
    bench.snapshot(9_990, 9_995)
    assert view.is_synced
    assert (view.gaps, view.resyncs, view.bid_ticks) == (1, 1, 9_990)


def test_an_update_that_is_old_or_comes_twice_changes_nothing(bench: EngineBench) -> None:
    """As after a reconnect."""
    view = bench.maker.view
    bench.diff({9_999: 3})
    bench.update_id -= 1
    bench.pass_time(3)
    bench.diff({9_999: 0})
    assert view.bid_ticks == 9_999
    assert view.is_synced
    assert view.gaps == 0
    assert view.changed_ns < bench.now_ns


def test_a_newer_top_is_seen_before_the_book_has_it(bench: EngineBench) -> None:
    """It lies over the depth book, which the next diff brings up to it; an older one is ignored."""
    view = bench.maker.view
    bench.market(TOP, {10_000: 7}, {10_001: 5_000}, last=bench.update_id + 5)
    assert (view.bid_ticks, view.ask_ticks) == (10_000, 10_001)
    bench.market(TOP, {9_000: 7}, {10_001: 5_000}, last=bench.update_id - 5)
    assert view.bid_ticks == 10_000
    assert view.is_synced


def test_a_crossed_book_wants_a_resync(bench: EngineBench) -> None:
    """It is no market to quote on, and it counts."""
    view = bench.maker.view
    bench.diff({10_003: 1})
    assert view.wants_resync
    assert view.is_crossed
    assert view.crossed == 1
    assert view.gaps == 0


def test_trades_are_kept(bench: EngineBench) -> None:
    """The last price, for the collar."""
    bench.market(TRADE, {10_001: 5}, {}, last=1)
    assert bench.maker.view.last_trade_ticks == 10_001


def test_the_venues_own_top_20_is_compared_at_the_same_update(bench: EngineBench) -> None:
    """Equal, not comparable, different: the last one starts the book again."""
    view = bench.maker.view
    bids, asks = levels(9_999, -1), levels(10_001, 1)
    bench.market(PARTIAL, bids, asks, last=bench.update_id)
    assert (view.checks, view.mismatches, view.is_synced) == (1, 0, True)
    bench.market(PARTIAL, bids, asks, last=bench.update_id + 40)
    assert view.checks == 1
    bench.market(PARTIAL, bids | {9_990: 4_999}, asks, last=bench.update_id)
    assert (view.checks, view.mismatches, view.is_synced) == (2, 1, False)


def test_a_lost_feed_leaves_nothing_to_rely_on(bench: EngineBench) -> None:
    """Diffs that still come are no book; the next snapshot is."""
    view = bench.maker.view
    view.lose()
    assert not view.is_synced
    bench.event(FeedUp(bench.now_ns, ZERO))
    bench.diff({9_999: 0})
    assert int(view.book["ntop"][0].sum()) == 0
    bench.snapshot()
    assert view.is_synced


def test_nothing_is_measured_across_a_hole(bench: EngineBench) -> None:
    """What the market did while the feed was away is neither a return nor order flow."""
    view = bench.maker.view
    view.lose()
    bench.event(FeedUp(bench.now_ns, ZERO))
    bench.snapshot(10_049, 10_051)
    assert view.mid_half_ticks == 20_100
    assert not view.features["returns"].any()
    assert not view.features["ofi"].any()
    bench.diff({10_050: 7_000})
    assert view.features["returns"].any()
    assert view.features["ofi"].any()


def test_nothing_is_learned_from_a_crossed_book(bench: EngineBench) -> None:
    """A wrong bid far above the asks leaves volatility as it was, then and after the next snapshot."""
    view = bench.maker.view
    for _ in range(20):
        bench.pass_time(1_100)
        bench.diff({9_999: 5_001})
    sigma = float(view.vol["sigma"][0])
    bench.diff({12_000: 7})
    assert view.is_crossed
    bench.pass_time(1_100)
    bench.diff({9_998: 6})
    bench.snapshot()
    for _ in range(5):
        bench.pass_time(1_100)
        bench.diff({9_999: 5_002})
    assert float(view.vol["sigma"][0]) <= sigma
