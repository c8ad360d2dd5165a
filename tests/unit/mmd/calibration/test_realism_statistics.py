"""Statistics of a market on made-up observations whose answers are known."""

import numpy as np
import pytest

from mmd.calibration.observed_market import Observed, Orders, Prints, Quotes
from mmd.calibration.realism_statistics import (
    Distribution,
    flow_r2,
    kolmogorov_smirnov,
    phantoms,
    sign_autocorrelation,
)

SECOND = 10**9


def _ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def _quotes(times_s: list[float], bids: list[int], lots: int = 100) -> Quotes:
    bid = np.array(bids, np.int64)
    full = np.full(len(bids), lots, np.int64)
    return Quotes((np.array(times_s) * SECOND).astype(np.int64), bid, bid + 1, full, full)


def test_distance_of_distributions() -> None:
    """Nothing between equal ones whatever their weights' scale, all between separate ones, half in between."""
    values = np.arange(10.0)
    one, heavy = Distribution(values, np.ones(10)), Distribution(values, np.full(10, 7.0))
    assert kolmogorov_smirnov(one, heavy) == pytest.approx(0.0)
    assert kolmogorov_smirnov(one, Distribution(values + 100.0, np.ones(10))) == 1.0
    assert kolmogorov_smirnov(one, Distribution(values + 5.0, np.ones(10))) == pytest.approx(0.5)


def test_weighted_quantiles_and_average() -> None:
    """A value that stands nine tenths of the time is the median."""
    held = Distribution(np.array([1.0, 11.0]), np.array([9.0, 1.0]))
    assert held.average() == pytest.approx(2.0)
    assert held.quantiles(np.array([0.5, 0.95])).tolist() == [1.0, 11.0]


def test_order_signs() -> None:
    """Alternating sides correlate by -1 at lag 1 and 1 at lag 2; chance not at all."""
    turns = np.tile([1, -1], 500)
    assert sign_autocorrelation(turns)[:2] == pytest.approx([-1.0, 1.0], abs=0.01)
    chance = np.random.default_rng(1).choice([-1, 1], 20_000)
    assert np.abs(sign_autocorrelation(chance)).max() < 0.03


def test_flow_explains_a_mid_that_it_moves_and_not_another() -> None:
    """Each tick up brings the new bid's lots: all of the variance; with sizes by chance less."""
    rng = np.random.default_rng(2)
    steps = rng.choice([-1, 1], 4_000)
    times = (np.arange(4_001) * 0.25).tolist()
    moving = _quotes(times, [1_000, *(1_000 + np.cumsum(steps)).tolist()])
    assert flow_r2(moving, 1.0) > 0.95
    sizes = rng.integers(50, 5_000, (2, 4_001)) * 50
    noisy = moving._replace(bid_lots=sizes[0], ask_lots=sizes[1], bid=moving.bid * 0 + 1_000)
    noisy = noisy._replace(ask=noisy.bid + 1 + (np.arange(4_001) // 7 % 2))
    assert flow_r2(noisy, 1.0) < 0.5 * flow_r2(moving, 1.0)


def test_phantom_orders_are_filled_by_what_trades_at_and_through_their_price() -> None:
    """One sale of 60 lots a second at the bid fills the front of 100 lots, the back after two; a bid's mid holds."""
    times = np.arange(1, 200, dtype=np.int64) * SECOND
    prints = Prints(times, np.full(199, -1), np.full(199, 1_000), np.full(199, 60))
    orders = Orders(times, np.full(199, -1), np.full(199, 60))
    quotes = _quotes(np.arange(0, 200, 0.5).tolist(), [1_000] * 400)
    quick = phantoms(Observed(quotes, orders, prints, SECOND, has_tops=True), 1.0)
    slow = phantoms(Observed(quotes, orders, prints, SECOND, has_tops=True), 3.0)
    assert quick.fill_probability == pytest.approx([0.5, 0.5, 0.0, 0.0], abs=0.02)
    assert slow.fill_probability == pytest.approx([0.5] * 4, abs=0.02)
    assert quick.markout_ticks == pytest.approx([0.5] * 6)
    through = Prints(times, np.full(199, -1), np.full(199, 999), np.full(199, 1))
    seen = Observed(quotes, orders, through, SECOND, has_tops=True)
    assert phantoms(seen, 1.0).fill_probability == pytest.approx([0.5] * 4, abs=0.02)


def test_a_phantoms_markout_has_the_sign_of_its_side() -> None:
    """Bids that are sold to while the price falls by 10 ticks lose them."""
    times = np.arange(0, 100, 0.5)
    quotes = _quotes(times.tolist(), [1_000 - 10 * int(t) for t in times])
    sold = _ints(*range(1, 100)) * SECOND - 1
    prices = np.array([1_000 - 10 * int(t // SECOND) for t in sold])
    prints = Prints(sold, np.full(99, -1), prices, np.full(99, 10**6))
    seen = Observed(quotes, Orders(sold, prints.side, prints.lots), prints, SECOND, has_tops=True)
    markout = phantoms(seen, 1.0).markout_ticks
    assert markout[2] == pytest.approx(-9.5, abs=2.0)
    assert markout[5] < -250.0
