"""Sequence rules, overlay and checks of the book; its contents are tested against dicts in tests/property."""

import pytest

from mmd.core.market import book as kernels
from mmd.core.market.book import (
    BOOK,
    CROSSED,
    EQUAL,
    GAP,
    MISMATCH,
    NOT_COMPARABLE,
    OK,
    ONE_SIDED,
    STALE,
    UNSYNCED,
)
from mmd.core.market.record import MARKET
from mmd.jit.kernel import Rec, bind, new
from tests.market_events import diff, partial, snapshot, top

BOOK_REC = new(BOOK)
reset = bind(kernels.reset, BOOK_REC)
apply = bind(kernels.apply, BOOK_REC, new(MARKET))
apply_top = bind(kernels.apply_top, BOOK_REC, new(MARKET))
check = bind(kernels.check, BOOK_REC, new(MARKET))

BIDS = [(100, 5), (99, 7), (97, 1)]
ASKS = [(102, 4), (103, 8)]


@pytest.fixture
def book() -> Rec:
    """A book of five levels at update id 10."""
    reset(BOOK_REC)
    assert apply(BOOK_REC, snapshot(10, BIDS, ASKS)) == OK
    return BOOK_REC


def view(book: Rec, side: int) -> list[tuple[int, int]]:
    """The view's levels."""
    n = int(book["nview"][0, side])
    return list(
        zip(book["vpx"][0, side, :n].tolist(), book["vsz"][0, side, :n].tolist(), strict=True)
    )


def test_diff_before_any_snapshot_is_ignored() -> None:
    """An empty book stays empty and unsynchronised."""
    reset(BOOK_REC)
    assert apply(BOOK_REC, diff(1, 2, BIDS)) == UNSYNCED
    assert kernels.levels(BOOK_REC, 0) == []
    assert BOOK_REC["synced"][0] == 0


def test_diff_that_continues_the_sequence_is_applied(book) -> None:
    """Levels change, appear and go; update id and event time follow."""
    assert apply(book, diff(10, 12, [(100, 0), (98, 2)], [(102, 9)], ts_event_ns=77)) == OK
    assert kernels.levels(book, 0) == [(99, 7), (98, 2), (97, 1)]
    assert kernels.levels(book, 1) == [(102, 9), (103, 8)]
    assert (book["last"][0], book["ts_event_ns"][0], book["synced"][0]) == (12, 77, 1)


def test_first_diff_after_a_snapshot_may_overlap_it(book) -> None:
    """U <= lastUpdateId + 1 <= u: applied."""
    assert apply(book, diff(7, 11, [(100, 6)])) == OK
    assert kernels.levels(book, 0)[0] == (100, 6)


@pytest.mark.parametrize("last", [9, 10])
def test_diff_that_ends_at_or_before_the_book_is_stale(book, last) -> None:
    """u <= lastUpdateId: ignored, and the book goes on."""
    assert apply(book, diff(8, last, [(100, 0)])) == STALE
    assert kernels.levels(book, 0) == BIDS
    assert apply(book, diff(10, 11)) == OK


def test_gap_leaves_levels_but_ends_synchronisation(book) -> None:
    """Nothing is applied until the next snapshot, not even a diff that would fit."""
    assert apply(book, diff(11, 12, [(100, 0)])) == GAP
    assert kernels.levels(book, 0) == BIDS
    assert book["synced"][0] == 0
    assert apply(book, diff(10, 11)) == UNSYNCED
    assert apply_top(book, top(13, (1, 1), (2, 2))) == UNSYNCED
    assert apply(book, snapshot(20, [(50, 1)], [(60, 1)])) == OK
    assert kernels.levels(book, 0) == [(50, 1)]


def test_crossed_and_one_sided_books_are_applied_and_said(book) -> None:
    """Bid at or above ask, then no ask at all, then right again."""
    assert apply(book, diff(10, 11, [(102, 1)])) == CROSSED
    assert apply(book, diff(11, 12, [(102, 0)], [(102, 0), (103, 0)])) == ONE_SIDED
    assert book["ntop"][0].tolist() == [3, 0]
    assert apply(book, diff(12, 13, [], [(101, 1)])) == OK


def test_newer_top_replaces_all_levels_at_its_price_or_better_in_the_view_only(book) -> None:
    """The bid moved down to 99, the ask up to 103 with less size: the depth book does not change."""
    assert apply_top(book, top(12, (99, 3), (103, 2), ts_event_ns=5)) == OK
    assert view(book, 0) == [(99, 3), (97, 1)]
    assert view(book, 1) == [(103, 2)]
    assert book["ts_event_ns"][0] == 5
    assert kernels.levels(book, 0) == BIDS
    assert book["px"][0, 0, 0] == 100


def test_better_top_stands_in_front_of_the_depth_levels(book) -> None:
    """A bid at 101 that the depth stream has not told yet."""
    assert apply_top(book, top(12, (101, 3), (102, 4))) == OK
    assert view(book, 0) == [(101, 3), *BIDS]
    assert view(book, 1) == ASKS


def test_top_is_dropped_when_the_depth_has_caught_up(book) -> None:
    """It survives a diff that is older than it, and not one as new."""
    apply_top(book, top(12, (101, 3), (102, 4)))
    apply(book, diff(10, 11, [(97, 0)]))
    assert view(book, 0) == [(101, 3), (100, 5), (99, 7)]
    apply(book, diff(11, 12, [(101, 4)]))
    assert view(book, 0) == [(101, 4), (100, 5), (99, 7)]
    assert book["overlay_last"][0] == 0


@pytest.mark.parametrize("last", [9, 10])
def test_top_not_newer_than_the_depth_is_stale(book, last) -> None:
    """The view stays the depth book's."""
    assert apply_top(book, top(last, (101, 3), (102, 4))) == STALE
    assert view(book, 0) == BIDS


def test_top_not_newer_than_the_last_top_is_stale(book) -> None:
    """Tops that overtook each other do not turn back time."""
    apply_top(book, top(12, (101, 3), (102, 4)))
    assert apply_top(book, top(11, (100, 1), (102, 4))) == STALE
    assert view(book, 0)[0] == (101, 3)


def test_top_without_an_ask_empties_that_side_of_the_view(book) -> None:
    """The venue writes price and size 0 where a side is empty."""
    assert apply_top(book, top(12, (100, 5), (0, 0))) == ONE_SIDED
    assert view(book, 1) == []
    assert view(book, 0) == BIDS


def test_crossed_top_is_said(book) -> None:
    """A best bid at the best ask is no market."""
    assert apply_top(book, top(12, (102, 5), (102, 1))) == CROSSED


def test_check_compares_levels_at_the_same_update_id_only(book) -> None:
    """Equal, different size, different price, other id, unsynchronised."""
    assert check(book, partial(10, BIDS, ASKS)) == EQUAL
    assert check(book, partial(10, [(100, 5), (99, 6), (97, 1)], ASKS)) == MISMATCH
    assert check(book, partial(10, BIDS, [(102, 4), (104, 8)])) == MISMATCH
    assert check(book, partial(11, BIDS, ASKS)) == NOT_COMPARABLE
    apply(book, diff(20, 21))
    assert check(book, partial(10, BIDS, ASKS)) == NOT_COMPARABLE


def test_check_wants_exactly_the_venues_levels_where_it_has_fewer_than_twenty(book) -> None:
    """One more or one less is a mismatch."""
    assert check(book, partial(10, BIDS[:2], ASKS)) == MISMATCH
    assert check(book, partial(10, [*BIDS, (96, 1)], ASKS)) == MISMATCH


def test_check_compares_the_twenty_best_where_there_are_more(book) -> None:
    """The 21st level may differ, the 20th may not."""
    bids = [(1000 - k, k + 1) for k in range(25)]
    apply(book, snapshot(30, bids, [(1001, 1)]))
    assert check(book, partial(30, bids[:20], [(1001, 1)])) == EQUAL
    assert check(book, partial(30, [*bids[:19], (900, 1)], [(1001, 1)])) == MISMATCH
