"""Volatility: recovered from simulated mids, bar by bar as defined, and robust against silence."""

import math

import numpy as np
import pytest

from mmd.core.market import volatility as kernels
from mmd.core.market.volatility import GAP_BARS_MAX, VOLATILITY, configure, two_scale_variance
from mmd.jit.kernel import Rec, bind, new

SECOND = 1_000_000_000
on_time = bind(kernels.on_time, new(VOLATILITY), 0.0, 0)


@pytest.fixture
def vol() -> Rec:
    """Bars of a second, prior sigma 2, forgotten after 10 bars."""
    record = new(VOLATILITY)
    configure(record, sigma_prior=2.0, half_life_s=20.0, bars_min=10)
    return record


@pytest.mark.parametrize(("sigma", "bar_s"), [(3.0, 1.0), (0.4, 0.5)])
def test_sigma_of_a_brownian_mid_is_recovered(sigma, bar_s) -> None:
    """Within 5 %, from updates at random times, for two lengths of bar."""
    rng = np.random.default_rng(11)
    steps_s = rng.exponential(0.05, 200_000)
    mids = 1e5 + np.cumsum(sigma * np.sqrt(steps_s) * rng.standard_normal(steps_s.size))
    times_ns = (10**18 + np.cumsum(steps_s * SECOND)).astype(np.int64)
    vol = new(VOLATILITY)
    configure(vol, sigma_prior=50.0, bar_ns=int(bar_s * SECOND), half_life_s=2000.0, bars_min=100)
    for mid, now_ns in zip(mids.tolist(), times_ns.tolist(), strict=True):
        on_time(vol, mid, now_ns)
    assert vol["sigma"][0] == pytest.approx(sigma, rel=0.05)
    assert vol["bars"][0] == (times_ns[-1] - times_ns[0]) // int(bar_s * SECOND)


def test_bars_are_weighted_as_defined(vol) -> None:
    """Against the sum over all bars, quiet ones as zero, blended with the prior."""
    mids = [100.0, 101.0, 101.0, 98.0, 99.5]
    for k, mid in enumerate(mids):
        on_time(vol, mid, 1 + k * SECOND + k)
    changes = np.diff(mids[:-1], prepend=mids[0])  # the mid that held at each bar's end
    weights = 0.5 ** (np.arange(4)[::-1] / 20.0)
    learned = float((weights * changes**2).sum() / weights.sum())
    assert vol["bars"][0] == 4
    assert vol["sigma"][0] == pytest.approx(math.sqrt(0.4 * learned + 0.6 * 4.0))


def test_silent_bars_count_as_no_change(vol) -> None:
    """One call after 12 s closes 12 bars: one change, eleven zeros."""
    on_time(vol, 100.0, 1)
    on_time(vol, 104.0, 2)
    assert on_time(vol, 104.0, 1 + 12 * SECOND) == 12
    weights = 0.5 ** (np.arange(12) / 20.0)
    assert vol["sigma"][0] == pytest.approx(math.sqrt(16.0 * weights[-1] / weights.sum()))


def test_long_silence_restarts_the_clock_without_contributing(vol) -> None:
    """The jump over the gap is no volatility, and the next bar starts after it."""
    on_time(vol, 100.0, 1)
    on_time(vol, 100.0, 1 + SECOND)
    sigma = float(vol["sigma"][0])
    after = 1 + (GAP_BARS_MAX + 3) * SECOND
    assert on_time(vol, 500.0, after) == 0
    assert vol["sigma"][0] == sigma
    assert on_time(vol, 500.0, after + SECOND - 1) == 0
    assert on_time(vol, 500.0, after + SECOND) == 1
    assert vol["squares"][0] == 0.0


def test_prior_stands_until_the_first_bar(vol) -> None:
    """Before any bar has closed sigma is the prior."""
    on_time(vol, 100.0, 1)
    on_time(vol, 900.0, SECOND)
    assert vol["sigma"][0] == 2.0


def test_two_scale_variance_sees_through_noise() -> None:
    """Realised variance is far off under iid noise, the two-scale estimate within 5 %."""
    rng = np.random.default_rng(5)
    n, ratios = 23_400, []
    for _ in range(20):
        efficient = np.cumsum(rng.standard_normal(n) / math.sqrt(n))
        noisy = efficient + 0.02 * rng.standard_normal(n)
        ratios.append(two_scale_variance(noisy, 300))
        assert np.square(np.diff(noisy)).sum() > 15
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.05)
