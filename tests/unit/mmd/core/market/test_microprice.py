"""The microprice's properties: antisymmetry, convergence, martingale; and what is used where it is unknown."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.market import book as book_kernels
from mmd.core.market import microprice as kernels
from mmd.core.market.book import BOOK
from mmd.core.market.microprice import MICROPRICE, fit, load
from mmd.core.market.record import MARKET
from mmd.jit.kernel import Rec, bind, new
from tests.market_events import snapshot, top

BOOK_REC = new(BOOK)
reset = bind(book_kernels.reset, BOOK_REC)
apply = bind(book_kernels.apply, BOOK_REC, new(MARKET))
apply_top = bind(book_kernels.apply_top, BOOK_REC, new(MARKET))
microprice = bind(kernels.microprice, new(MICROPRICE), BOOK_REC)
N_IMB, N_SPREAD = 5, 2


def simulate(seed: int, n: int) -> npt.NDArray[np.int64]:
    """Quotes whose mid tends to move the way the imbalance points, with spreads of one and two ticks."""
    rng = np.random.default_rng(seed)
    bid, ask, rows = 1000, 1001, np.empty((n, 4), np.int64)
    sizes = [5, 5]
    draws, lots = rng.random((n, 2)), rng.integers(1, 10, (n, 2))
    for k in range(n):
        rows[k] = bid, ask, *sizes
        imbalance = sizes[0] / sum(sizes)
        event, way = draws[k]
        up = way < imbalance
        if ask - bid == 1 and event < 0.15:  # one side is eaten up
            bid, ask = (bid, ask + 1) if up else (bid - 1, ask)
            sizes[1 if up else 0] = int(lots[k, 0])
        elif ask - bid == 2 and event < 0.5:  # the gap is filled
            bid, ask = (bid + 1, ask) if up else (bid, ask - 1)
            sizes[0 if up else 1] = int(lots[k, 0])
        else:
            sizes[int(way < 0.5)] = int(lots[k, 1])
    return rows


@pytest.fixture(scope="module")
def quotes() -> npt.NDArray[np.int64]:
    """A long simulated session."""
    return simulate(1, 200_000)


@pytest.fixture(scope="module")
def adjust(quotes) -> npt.NDArray[np.float64]:
    """The table fitted to it."""
    return fit([quotes], n_imb=N_IMB, n_spread=N_SPREAD)


def test_adjustment_changes_sign_when_the_sides_are_swapped(adjust) -> None:
    """Exactly, whatever the sample; and it grows with the imbalance."""
    assert np.array_equal(adjust, -adjust[::-1])
    assert np.all(np.diff(adjust[:, 0]) > 0)
    assert 0.05 < adjust[-1, 0] < 1.0


def test_six_terms_have_converged(quotes, adjust) -> None:
    """Fifty-four more change less than a hundredth of a tick."""
    assert adjust == pytest.approx(
        fit([quotes], n_imb=N_IMB, n_spread=N_SPREAD, terms=60), abs=0.01
    )


@pytest.mark.parametrize("horizon", [5, 20])
def test_microprice_is_a_martingale_where_the_mid_is_not(adjust, horizon) -> None:
    """In a new session the adjustment foretells the mid's change one to one, and the microprice's not."""
    fresh = simulate(2, 400_000)[::horizon]  # changes that do not overlap
    bid, ask, bid_lots, ask_lots = fresh.T
    bucket = np.minimum(bid_lots * N_IMB // (bid_lots + ask_lots), N_IMB - 1)
    ahead = adjust[bucket, ask - bid - 1]
    mid = 0.5 * (bid + ask)
    known = ahead[:-1]

    def slope_on_adjustment(change: npt.NDArray[np.float64]) -> tuple[float, float]:
        slope = float(known @ change / (known @ known))
        return slope, float(np.std(change - slope * known) / np.sqrt(known @ known))

    slope, error = slope_on_adjustment(np.diff(mid + ahead))
    assert error < 0.1
    assert abs(slope) < 3.5 * error
    slope, error = slope_on_adjustment(np.diff(mid))
    assert slope == pytest.approx(1.0, abs=3.5 * error)


def test_sessions_are_not_joined() -> None:
    """A jump from the end of one session to the start of the next is no move of the mid."""
    quiet = np.tile(np.array([[100, 101, 3, 5]]), (50, 1))
    table = fit([quiet, quiet + np.array([[1000, 1000, 0, 0]])], n_imb=3, n_spread=1, count_min=1)
    assert table[1, 0] == 0.0
    assert np.isnan(table[0, 0])


def test_invalid_quotes_and_wide_spreads_do_not_enter() -> None:
    """Rows that are crossed or empty are passed over; a spread beyond the table ends the path."""
    rows = np.array([[100, 101, 3, 3], [100, 100, 3, 3], [100, 101, 3, 3], [100, 110, 3, 3]] * 20)
    table = fit([rows], n_imb=3, n_spread=1, count_min=1)
    assert table[1, 0] == 0.0
    assert np.isfinite(table[1, 0])


def put(bid: tuple[int, int], ask: tuple[int, int]) -> Rec:
    """The book with these best levels."""
    reset(BOOK_REC)
    apply(BOOK_REC, snapshot(1, [bid], [ask]))
    return BOOK_REC


@pytest.fixture
def table(adjust) -> Rec:
    """The fitted table as a record."""
    record = new(MICROPRICE)
    load(record, adjust)
    return record


@given(bid_lots=st.integers(1, 10**6), ask_lots=st.integers(1, 10**6), spread=st.integers(1, 4))
def test_swapping_the_sides_mirrors_the_price(bid_lots, ask_lots, spread) -> None:
    """Also for equal sizes, with even and odd numbers of buckets, inside the table and outside."""
    for n_imb in (4, 5):
        record = new(MICROPRICE)
        half = np.linspace(0.1, 0.4, n_imb // 2)
        middle = [0.0] * (n_imb % 2)
        load(record, np.column_stack([[*-half[::-1], *middle, *half]] * 2))
        mid = 1000 + spread / 2
        up = microprice(record, put((1000, bid_lots), (1000 + spread, ask_lots)))
        down = microprice(record, put((1000, ask_lots), (1000 + spread, bid_lots)))
        assert up - mid == pytest.approx(mid - down, abs=1e-9)
        assert 1000 <= up <= 1000 + spread


def test_table_is_looked_up_by_imbalance_and_spread(table, adjust) -> None:
    """The view counts, not the depth book behind it."""
    assert microprice(table, put((100, 9), (101, 1))) == 100.5 + adjust[4, 0]
    assert microprice(table, put((100, 1), (102, 9))) == 101.0 + adjust[0, 1]
    apply_top(BOOK_REC, top(5, (100, 9), (101, 1)))
    assert microprice(table, BOOK_REC) == 100.5 + adjust[4, 0]


def test_size_weighted_mid_stands_in(table) -> None:
    """Where the spread is wider than the table, the state was never seen, or there is no table."""
    assert microprice(table, put((100, 3), (104, 1))) == 103.0
    assert microprice(new(MICROPRICE), put((100, 3), (104, 1))) == 103.0
    unseen = new(MICROPRICE)
    load(unseen, np.full((3, 1), np.nan))
    assert microprice(unseen, put((100, 3), (101, 1))) == 100.75


def test_crossed_book_gives_the_mid_and_an_empty_side_nan(table) -> None:
    """Neither has a meaningful weight."""
    assert microprice(table, put((104, 3), (100, 1))) == 102.0
    apply(BOOK_REC, snapshot(1, [(100, 1)], []))
    assert math.isnan(microprice(table, BOOK_REC))


def test_large_adjustment_stays_inside_the_spread() -> None:
    """A table fitted on bad data cannot push the price through a quote."""
    record = new(MICROPRICE)
    load(record, np.array([[-9.0], [0.0], [9.0]]))
    assert microprice(record, put((100, 9), (101, 1))) == 101.0
    assert microprice(record, put((100, 1), (101, 9))) == 100.0
