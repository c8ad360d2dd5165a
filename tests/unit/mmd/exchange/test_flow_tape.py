"""Playing a recording: the snapshot procedure, gaps, sequences, and the real recordings level by level."""

import pytest

from adapters.binance_spot.raw_tape import actions, infer_instrument
from mmd.core.units import Side
from mmd.exchange.exchange import Exchange
from mmd.exchange.flow_tape import TapeFlow
from mmd.exchange.tape_actions import TapeAction, TapeDiff, TapeSnapshot, TapeTrade
from tests.exchange_world import exchange
from tests.recordings import recording

BUY, SELL = Side.BUY, Side.SELL


def _diff(
    first: int, last: int, bids: list[tuple[int, int]], asks: list[tuple[int, int]]
) -> TapeDiff:
    return TapeDiff(last, first, last, first - 1, bids, asks)


def _played(tape: list[TapeAction]) -> tuple[Exchange, TapeFlow]:
    world = exchange(dictated=True)
    flow = TapeFlow(iter(tape), world, world.markets[0])
    while (action := flow.next_action()) is not None:
        flow.play(action, action.ts_ns)
    return world, flow


_SNAPSHOT = TapeSnapshot(20, 20, [(99, 5)], [(101, 5)])


def test_diffs_before_a_late_snapshot_are_kept_only_if_newer() -> None:
    """The snapshot comes third; the older diff is dropped, the one that reaches past it is applied."""
    world, flow = _played(
        [
            _diff(10, 12, [(99, 1)], []),
            _diff(13, 25, [(98, 7)], []),
            _SNAPSHOT,
            _diff(26, 26, [], [(101, 0)]),
        ]
    )
    book = world.markets[0].book
    assert book.sides[BUY].depth(9) == [(99, 5), (98, 7)]
    assert (book.sides[SELL].depth(9), book.update_id, flow.gaps) == ([], 26, 0)
    assert flow.has_snapshot


def test_without_a_snapshot_the_book_starts_empty() -> None:
    """Only what diffs name is there."""
    world, flow = _played([_diff(10, 12, [(99, 1)], [(103, 2)])])
    assert world.markets[0].book.sides[SELL].depth(9) == [(103, 2)]
    assert not flow.has_snapshot


def test_a_snapshot_inside_an_unbroken_tape_changes_nothing() -> None:
    """It names fewer levels than the diffs have built; those stay."""
    later = TapeSnapshot(30, 30, [(99, 5)], [(101, 5)])
    world, _ = _played([_SNAPSHOT, _diff(21, 30, [(50, 1)], []), later])
    assert world.markets[0].book.sides[BUY].depth(9) == [(99, 5), (50, 1)]


def test_after_a_gap_a_snapshot_repairs_the_book() -> None:
    """Levels within its reach that it does not name go; those beyond stay."""
    later = TapeSnapshot(60, 60, [(99, 6), (97, 1)], [(101, 5)])
    world, flow = _played([_SNAPSHOT, _diff(40, 50, [(98, 9), (90, 2)], []), later])
    assert flow.gaps == 1
    assert world.markets[0].book.sides[BUY].depth(9) == [(99, 6), (97, 1), (90, 2)]
    assert world.markets[0].book.update_id == 60


def test_trades_are_published_under_their_own_ids() -> None:
    """A print without our orders is one background trade."""
    world, _ = _played([_SNAPSHOT, TapeTrade(21, 777, SELL, 99, 2)])
    assert [(t.trade_id, t.price_ticks, t.qty_lots) for t in world.markets[0].trades] == [
        (777, 99, 2)
    ]
    assert world.markets[0].book.sides[BUY].depth(1) == [(99, 5)]


@pytest.mark.parametrize(
    "name",
    [
        "binance-raw/spot-btcusdt-20240808.gz",
        "binance-raw/usdm-btcusdt-20230404.gz",
        "binance-spot-nexousdt/nexousdt_20240723.dat.gz",
    ],
)
def test_a_real_recording_is_reproduced_exactly(name: str) -> None:
    """At each of the first 600 ids the book equals a plain dict's, under the recording's own id."""
    path = recording(name)
    at = infer_instrument([path])
    world = Exchange([at], {}, dictated=True)
    book = world.markets[0].book
    flow = TapeFlow(actions([path], at), world, world.markets[0])
    snapshot = next(a for a in actions([path], at) if isinstance(a, TapeSnapshot))
    plain = (dict(snapshot.bids), dict(snapshot.asks))
    diffs = 0
    while diffs < 600 and (action := flow.next_action()) is not None:
        flow.play(action, action.ts_ns)
        if not isinstance(action, TapeDiff):
            continue
        diffs += 1
        for side, levels in zip(plain, (action.bids, action.asks), strict=True):
            side.update(levels)
            for price in [p for p, q in levels if q == 0]:
                del side[price]
        assert book.update_id == action.last_id
        assert dict(book.sides[BUY].depth(10**6)) == plain[0]
        assert dict(book.sides[SELL].depth(10**6)) == plain[1]
        assert max(plain[0]) < min(plain[1])
    assert diffs == 600
    assert (flow.gaps, flow.levels_uncrossed) == (0, 0)


def test_a_second_file_continues_the_first() -> None:
    """Two recordings in sequence have no gap between them."""
    paths = [
        recording("binance-raw/usdm-btcusdt-20230404.gz"),
        recording("binance-raw/usdm-btcusdt-20230405.gz"),
    ]
    at = infer_instrument(paths)
    world = Exchange([at], {}, dictated=True)
    flow = TapeFlow(actions(paths, at), world, world.markets[0])
    played = 0
    while played < 8000 and (action := flow.next_action()) is not None:
        flow.play(action, action.ts_ns)
        played += 1
    assert (flow.has_snapshot, flow.gaps, flow.levels_uncrossed) == (True, 0, 0)
