"""Baselines find what is linear, see no test data, and know no dates."""

import numpy as np
import pytest

from mmd.core.learned.schema import NAMES, N
from mmd.core.market import features
from mmd.tape.bar_samples import BarSamples
from models.labels import future_changes, future_volatility
from models.price_baselines import fit_linear, imbalance_forecast
from models.price_data import PriceData, split_in_time, unseen_cycles

BAR_NS = 100_000_000


def market(n: int = 20_000) -> PriceData:
    """A walk of which the imbalance moves 0.5 ticks a bar, and input 7 another 0.3 a unit."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(n, N)).astype(np.float32)
    at = features.index("imbalance_1")
    changes = 0.5 * np.sign(x[:, at]) + 0.3 * x[:, 7] + rng.normal(size=n)
    mid = 1000.0 + np.concatenate([[0.0], np.cumsum(changes[:-1])])
    bars, end_ns = np.arange(1, n + 1), np.arange(1, n + 1) * BAR_NS
    samples = BarSamples(end_ns, bars, mid, np.zeros((n, 2), np.int64), x)
    change = future_changes(mid, bars, (1,))
    return PriceData(samples, change, future_volatility(mid, bars, (1,)), (1,), BAR_NS)


def test_the_slopes_that_are_there_are_found() -> None:
    """Out of sample, to a twentieth."""
    split = split_in_time(market())
    imbalance = imbalance_forecast(split, split.test)[:, 0]
    assert np.abs(imbalance).max() == pytest.approx(0.5, abs=0.05)
    linear = fit_linear(split).predict(split.test.bars.x)[:, 0]
    known = np.isfinite(split.test.change[:, 0])
    y = split.test.change[known, 0]
    r2 = 1 - np.square(y - linear[known]).sum() / np.square(y).sum()
    assert r2 == pytest.approx((0.25 * 2 / np.pi + 0.09) / 1.34, abs=0.03)


def test_the_test_stretch_is_not_looked_at() -> None:
    """Other prices there give the same baselines."""
    split = split_in_time(market())
    spoilt = split._replace(test=split.test._replace(change=split.test.change * 5 + 1))
    ours, theirs = fit_linear(split), fit_linear(spoilt)
    assert np.array_equal(ours.weights, theirs.weights)


def test_calendar_inputs_count_only_where_their_cycle_was_seen_twice() -> None:
    """An hour teaches no time of day, three days no day of the week."""
    names = [name for name, _ in NAMES]
    hours = np.array([0, 3_600 * 10**9])
    day, week = 24 * hours[1], 7 * 24 * hours[1]
    told = ["day_sine", "day_cosine", "week_sine", "week_cosine"]
    assert [names[i] for i in unseen_cycles(hours)] == told
    assert [names[i] for i in unseen_cycles(np.array([0, 3 * day]))] == told[2:]
    assert unseen_cycles(np.array([0, 2 * week])) == []
    linear = fit_linear(split_in_time(market()))
    assert not linear.scale[unseen_cycles(hours)].any()
