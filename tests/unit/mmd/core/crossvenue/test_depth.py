"""Walking two books: equal to pairing them lot by lot."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.crossvenue.depth import NOTHING, Prices, common_step_atoms, taken, walk

SIZES = st.integers(1, 9)
PRICES = st.builds(
    Prices,
    buy=st.floats(0.9, 1.1),
    sell=st.floats(0.9, 1.1),
    slippage=st.floats(0.0, 2.0),
)


def books(first: int, step: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    """Up to six levels that get worse by one to three ticks at a time."""
    rows = st.lists(st.tuples(st.integers(1, 3), SIZES), max_size=6)

    def levels(given_rows: list[tuple[int, int]]) -> list[tuple[int, int]]:
        price, made = first, []
        for away, size in given_rows:
            price += step * away
            made.append((price, size))
        return made

    return rows.map(levels)


def brute_force(
    asks: list[tuple[int, int]], bids: list[tuple[int, int]], prices: Prices, step: int
) -> tuple[int, float]:
    """Pair the n-th cheapest atom with the n-th dearest while the pair pays; profit of whole steps."""
    cheap = sorted(ticks for ticks, size in asks for _ in range(size))
    dear = sorted((ticks for ticks, size in bids for _ in range(size)), reverse=True)
    paying = 0
    while paying < min(len(cheap), len(dear)):
        margin = dear[paying] * prices.sell - cheap[paying] * prices.buy - prices.slippage
        if margin <= 0.0:
            break
        paying += 1
    paying -= paying % step
    profit = sum(
        d * prices.sell - c * prices.buy - prices.slippage
        for c, d in zip(cheap[:paying], dear[:paying], strict=True)
    )
    return paying, profit


@settings(max_examples=200)
@given(books(95, 1), books(106, -1), PRICES, st.integers(1, 4))
def test_a_walk_equals_brute_force(
    asks: list[tuple[int, int]], bids: list[tuple[int, int]], prices: Prices, step: int
) -> None:
    """Size to the atom, profit to rounding, whatever the books, commissions and lots."""
    found = walk(asks, bids, prices, step)
    size, profit = brute_force(asks, bids, prices, step)
    assert found.qty_atoms == size
    assert found.net_atoms(prices) == pytest.approx(profit, abs=1e-9)


@settings(max_examples=50)
@given(books(95, 1), books(106, -1), st.integers(0, 30))
def test_a_smaller_walk_takes_the_best_part(
    asks: list[tuple[int, int]], bids: list[tuple[int, int]], most: int
) -> None:
    """With a limit it is what the first atoms come to."""
    prices = Prices(1.0, 1.0)
    whole, part = walk(asks, bids, prices, 1), walk(asks, bids, prices, 1, most)
    assert part.qty_atoms == min(whole.qty_atoms, most)
    if part.qty_atoms > 0:
        per_atom = part.net_atoms(prices) / part.qty_atoms
        assert per_atom >= whole.net_atoms(prices) / whole.qty_atoms - 1e-12


def test_deeper_levels_are_taken_while_they_pay() -> None:
    """The second ask still pays against the first bid, the third does not."""
    asks, bids = [(100, 5), (101, 5), (103, 5)], [(103, 8), (102, 9)]
    found = walk(asks, bids, Prices(1.0, 1.0), 1)
    assert found == (10, 101, 102, 5 * 100 + 5 * 101, 8 * 103 + 2 * 102)


def test_nothing_is_taken_where_costs_eat_the_difference() -> None:
    """Two bps of commission on each side of a tick in a thousand."""
    asks, bids = [(10_000, 5)], [(10_003, 5)]
    assert walk(asks, bids, Prices(1.0002, 0.9998), 1) == NOTHING
    assert walk(asks, bids, Prices(1.0001, 0.9999), 1).qty_atoms == 5
    assert walk(asks, bids, Prices(1.0001, 0.9999, slippage=1.0), 1) == NOTHING


def test_what_is_not_there_is_not_taken() -> None:
    """A quantity beyond the book ends with its last level."""
    assert taken([(100, 2), (101, 3)], 9) == (101, 2 * 100 + 3 * 101)
    assert taken([], 9) == (0, 0)


def test_a_common_step_is_whole_lots_of_both() -> None:
    """Lots of 4 and 6 meet at 12."""
    assert common_step_atoms(4, 6) == 12
