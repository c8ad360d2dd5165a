"""Fill rates, fill probability by the product-limit estimate, the naive ratio."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.analytics.columns import DISTANCES_TICKS, FILL, ORDER, SAMPLE
from mmd.analytics.fill_quality import distinct, fill_probability, fill_rates, naive_fill_ratio
from tests.unit.mmd.analytics.tracks import S, fill, sample, table


def order(accepted_s=1.0, filled_s=0.0, ended_s=0.0, filled_lots=0):
    names = {"accepted_ns": accepted_s, "first_fill_ns": filled_s, "ended_ns": ended_s}
    return {name: int(s * S) for name, s in names.items()} | {"filled_lots": filled_lots}


def test_fill_rate_by_hand() -> None:
    """10 lots at the best for 2 s and 30 in all: 5 filled at the best, 4 three ticks behind, 9 by taking."""
    at_best = [10] * 2 + [30] * (len(DISTANCES_TICKS) - 2)
    samples = table(SAMPLE, [sample(0, quoted_lots=at_best), sample(2, quoted_lots=at_best)])
    fills = table(
        FILL,
        [
            fill(1, 1, 100, 5),
            fill(1, 1, 97, 4, distance_ticks=3),
            fill(1, 1, 100, 9, is_maker=False),
        ],
    )
    rates = fill_rates(fills, samples)
    assert [r.within_ticks for r in rates] == list(DISTANCES_TICKS)
    assert (rates[0].filled_lots, rates[0].quoted_lot_s) == (5, 20.0)
    assert rates[0].rate_per_s == pytest.approx(0.25)
    assert (rates[2].filled_lots, rates[2].quoted_lot_s) == (9, 60.0)
    assert rates[-1].rate_per_s == pytest.approx(0.15)
    assert [r.within_ticks for r in distinct(rates)] == [0, 3]


def test_fill_rate_of_nothing_quoted() -> None:
    """There is none."""
    rates = fill_rates(table(FILL, []), table(SAMPLE, [sample(0)]))
    assert all(r.rate_per_s is None for r in rates)


def test_probability_by_hand() -> None:
    """Fills after 1 and 3 s, a cancel after 2 s, one still open after 9: 1 - 3/4 * 1/2."""
    orders = table(
        ORDER,
        [order(filled_s=2.0), order(ended_s=3.0), order(filled_s=4.0, ended_s=4.0), order()],
    )
    assert fill_probability(orders, 10 * S, 0.5).estimate == 0.0
    assert fill_probability(orders, 10 * S, 1.0).estimate == pytest.approx(0.25)
    found = fill_probability(orders, 10 * S, 5.0)
    assert found.estimate == pytest.approx(1 - 3 / 4 * 1 / 2)
    deviation = 0.375 * (1 / (4 * 3) + 1 / (2 * 1)) ** 0.5  # Greenwood
    assert found.low == pytest.approx(max(0.625 - 1.959964 * deviation, 0.0))
    assert (found.high, found.count) == (1.0, 4)


def test_probability_needs_orders_that_lived_so_long() -> None:
    """Orders never acknowledged do not count either."""
    orders = table(ORDER, [order(ended_s=3.0), order(accepted_s=0.0, ended_s=90.0)])
    assert fill_probability(orders, 100 * S, 5.0).estimate is None
    assert fill_probability(orders, 100 * S, 1.0).count == 1


@given(st.lists(st.floats(0.01, 50.0), min_size=1, max_size=50), st.floats(0.1, 40.0))
def test_without_censoring_it_is_the_share(lifetimes_s: list[float], at_s: float) -> None:
    """Of orders filled by then, if every order is filled in the end."""
    orders = table(ORDER, [order(filled_s=1.0 + s) for s in lifetimes_s])
    watched_s = (orders["first_fill_ns"] - orders["accepted_ns"]) / S
    found = fill_probability(orders, 100 * S, at_s)
    if watched_s.max() < at_s:
        assert found.estimate is None
    else:
        assert found.estimate == pytest.approx((watched_s <= at_s).mean())


def test_censoring_does_not_bias_it() -> None:
    """Exponential fills at 0.2 a second, cancelled at random: still 1 - exp(-1) after 5 s."""
    rng = np.random.default_rng(4)
    rows = []
    for _ in range(4000):
        fills_s, ends_s = rng.exponential(5.0), rng.exponential(8.0)
        is_filled = fills_s < ends_s
        rows.append(
            order(filled_s=1 + fills_s if is_filled else 0.0, ended_s=1 + min(fills_s, ends_s))
        )
    found = fill_probability(table(ORDER, rows), 10**6 * S, 5.0)
    assert found.estimate == pytest.approx(1 - np.exp(-1), abs=0.03)
    assert found.low < 1 - np.exp(-1) < found.high


def test_naive_ratio() -> None:
    """Orders with any fill over orders sent."""
    orders = table(ORDER, [order(filled_lots=3), order(), order(), order()])
    assert naive_fill_ratio(orders) == 0.25
    assert naive_fill_ratio(orders[:0]) is None
