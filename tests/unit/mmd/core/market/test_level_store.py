"""The window and its overflow: nothing is lost when the touch moves, and a full overflow is said."""

import numpy as np
import pytest

from mmd.core.market import book as kernels
from mmd.core.market.book import BOOK, OK, TOO_MANY, UNSYNCED
from mmd.core.market.level_store import FAR_MAX, WINDOW
from mmd.core.market.record import MARKET
from mmd.jit.kernel import Rec, bind, new
from tests.market_events import diff, snapshot

BOOK_REC = new(BOOK)
reset = bind(kernels.reset, BOOK_REC)
apply = bind(kernels.apply, BOOK_REC, new(MARKET))
level = bind(kernels.level, BOOK_REC, 0, 0)


@pytest.fixture
def book() -> Rec:
    """An empty book."""
    reset(BOOK_REC)
    return BOOK_REC


@pytest.mark.parametrize("shift", [WINDOW // 3, -WINDOW // 3, 2 * WINDOW, -2 * WINDOW])
def test_touch_that_leaves_the_middle_moves_the_window_and_keeps_every_level(book, shift) -> None:
    """Levels go from window to overflow and back, and the new touch is in the middle of the window."""
    centre = 4 * WINDOW
    rng = np.random.default_rng(1)
    below = np.unique(centre - rng.integers(1, 3 * WINDOW, 500)).tolist()
    above = np.unique(centre + rng.integers(1, 3 * WINDOW, 500)).tolist()
    assert apply(book, snapshot(1, [(t, 5) for t in below], [(t, 7) for t in above])) == OK
    new_bid, new_ask = centre + shift - 1, centre + shift + 1
    gone = [(t, 0) for t in below if t >= new_bid], [(t, 0) for t in above if t <= new_ask]
    assert apply(book, diff(1, 2, [*gone[0], (new_bid, 1)], [*gone[1], (new_ask, 2)])) == OK
    assert book["origin"][0] == centre + shift - WINDOW // 2
    bids = sorted([(t, 5) for t in below if t < new_bid] + [(new_bid, 1)], reverse=True)
    asks = sorted([(t, 7) for t in above if t > new_ask] + [(new_ask, 2)])
    assert kernels.levels(book, 0) == bids
    assert kernels.levels(book, 1) == asks
    assert book["px"][0, 0].tolist() == [t for t, _ in bids[:20]]
    assert book["px"][0, 1].tolist() == [t for t, _ in asks[:20]]
    assert all(level(book, 0, ticks) == lots for ticks, lots in bids)
    assert level(book, 0, new_ask) == 0
    assert level(book, 0, 1) == 0


def test_sides_wider_apart_than_the_window_are_both_in_the_overflow_and_exact(book) -> None:
    """With a spread of three windows the best levels still come out in order."""
    bids = [(1000 + 10 * k, k + 1) for k in range(30)]
    asks = [(3 * WINDOW + 10 * k, k + 1) for k in range(30)]
    assert apply(book, snapshot(1, bids, asks)) == OK
    assert book["nwin"][0].tolist() == [0, 0]
    assert book["px"][0, 0].tolist() == [t for t, _ in bids[:9:-1]]
    assert book["px"][0, 1].tolist() == [t for t, _ in asks[:20]]


def test_window_of_a_low_priced_instrument_starts_at_zero(book) -> None:
    """No negative origin, and the price of one tick is a level like others."""
    assert apply(book, snapshot(1, [(1, 4)], [(2, 6)])) == OK
    assert book["origin"][0] == 0
    assert kernels.levels(book, 0) == [(1, 4)]


def test_more_far_levels_than_the_overflow_holds_ask_for_a_resync(book) -> None:
    """The level too many is not dropped in silence: the book says so and is unsynchronised."""
    far = [(1 + k, 1) for k in range(FAR_MAX + 1)]
    assert apply(book, snapshot(1, [(10 * WINDOW, 1)], [(10 * WINDOW + 1, 1)])) == OK
    statuses = [
        apply(book, diff(k + 1, k + 2, far[4096 * k : 4096 * (k + 1)]))
        for k in range(FAR_MAX // 4096)
    ]
    assert statuses == [OK] * 4
    assert apply(book, diff(5, 6, far[-1:])) == TOO_MANY
    assert apply(book, diff(6, 7)) == UNSYNCED
    assert apply(book, snapshot(9, [(5, 1)], [(6, 1)])) == OK
    assert kernels.levels(book, 0) == [(5, 1)]


def test_eviction_into_a_full_overflow_asks_for_a_resync(book) -> None:
    """A move of the window that would lose levels is refused, and the next snapshot starts clean."""
    low, bids = 8 * WINDOW, [(8 * WINDOW + k, 1) for k in range(4096)]
    apply(book, snapshot(1, bids, [(low + 5000, 1)]))
    for k in range(4):
        rows = [(1 + 4095 * k + j, 1) for j in range(4095)]
        assert apply(book, diff(1 + k, 2 + k, rows)) == OK
    jump = low + 4 * WINDOW
    assert apply(book, diff(5, 6, [(jump, 1)], [(low + 5000, 0), (jump + 1, 1)])) == TOO_MANY
    assert book["synced"][0] == 0
    assert apply(book, snapshot(9, [(5, 1)], [(6, 1)])) == OK
    assert (kernels.levels(book, 0), kernels.levels(book, 1)) == ([(5, 1)], [(6, 1)])
