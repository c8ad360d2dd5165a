"""Volatility: recovered from simulated mids, bar by bar as defined, and robust against silence."""

import math

import numpy as np
import pytest

from mmd.core.market import volatility as kernels
from mmd.core.market.volatility import FLOOR, GAP_BARS_MAX, SCALE_MAX, VOLATILITY, configure
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


def two_scales(scale: int = 4, **change: float) -> Rec:
    """Bars of a second and changes over `scale` of them, nothing forgotten, no prior after the first bar."""
    record = new(VOLATILITY)
    fields = {"sigma_prior": 2.0, "half_life_s": math.inf, "bars_min": 1}
    configure(record, scale=scale, **(fields | change))  # type: ignore[arg-type]
    return record


def play(vol: Rec, mids: list[float], first_ns: int = 1) -> float:
    """One mid at the end of each bar; returns sigma."""
    for k, mid in enumerate(mids):
        on_time(vol, mid, first_ns + k * SECOND)
    on_time(vol, mids[-1], first_ns + len(mids) * SECOND)
    return float(vol["sigma"][0])


def test_two_scales_are_weighted_as_defined() -> None:
    """Against sums over all pairs, with bars that count less as they age."""
    mids = (np.cumsum(np.random.default_rng(3).integers(-3, 4, 40)) + 1000.0).tolist()
    vol = two_scales(scale=5, half_life_s=8.0)
    sigma = play(vol, mids)
    ends = np.array(
        [mids[0], *mids]
    )  # the clock starts on the first, which holds to the first bar's end

    def weigh(n: int) -> np.ndarray:
        return 0.5 ** (np.arange(n)[::-1] / 8.0)

    fast, slow = np.diff(ends), ends[5:] - ends[:-5]
    mean_fast = (weigh(fast.size) * fast**2).sum() / weigh(fast.size).sum()
    mean_slow = (weigh(slow.size) * slow**2).sum() / weigh(slow.size).sum()
    assert sigma == pytest.approx(math.sqrt((mean_slow - mean_fast) / 4))


@pytest.mark.parametrize("noise", [0.0, 5.0])
def test_two_scales_find_sigma_under_noise(noise: float) -> None:
    """One scale sees the noise as volatility, two do not."""
    rng = np.random.default_rng(8)
    efficient = 1e5 + np.cumsum(1.5 * rng.standard_normal(20_000))
    mids = (efficient + noise * rng.standard_normal(efficient.size)).tolist()
    assert play(two_scales(scale=20), mids) == pytest.approx(1.5, rel=0.06)
    assert play(two_scales(scale=1), mids) == pytest.approx(
        math.sqrt(1.5**2 + 2 * noise**2), rel=0.03
    )


def test_pure_noise_leaves_the_floor() -> None:
    """Where the slow scale shows no more than the fast one the difference would be nothing, or negative."""
    mids = [1000.0 + (k % 2) for k in range(400)]
    sigma = play(two_scales(scale=3), mids)
    slow = 1.0  # over three bars the mid always ends on its other place
    assert sigma == pytest.approx(math.sqrt(FLOOR * slow / 3), rel=0.01)


def test_until_the_slow_scale_has_data_the_fast_one_counts() -> None:
    """Two bars of a scale of four."""
    vol = two_scales(scale=4)
    assert play(vol, [100.0, 102.0]) == pytest.approx(math.sqrt(2.0))
    assert vol["slow_weight"][0] == 0.0


def test_silence_does_not_reach_across_the_slow_scale() -> None:
    """After the clock has started again no change spans the gap."""
    vol = two_scales(scale=2)
    play(vol, [100.0] * 5)
    after = 1 + (2 * GAP_BARS_MAX + 10) * SECOND
    assert play(vol, [900.0] * 5, after) == 0.0


@pytest.mark.parametrize("scale", [0, SCALE_MAX + 1])
def test_a_scale_that_does_not_fit_is_refused(scale: int) -> None:
    """A programmer's error."""
    with pytest.raises(AssertionError, match="expected a scale of 1 to"):
        configure(new(VOLATILITY), sigma_prior=1.0, scale=scale)
