"""The (A, k) estimator: consistent, held by its prior, forgetful, and hard to upset."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.quoting import intensity
from mmd.core.quoting.intensity import BINS, INTENSITY, IntensitySettings, new_intensity
from mmd.core.quoting.record import NOT_FINITE, OK, OUT_OF_RANGE
from mmd.errors import ConfigError
from mmd.jit.kernel import F8, Rec, bind, new

EXPOSE = bind(intensity.expose, new(INTENSITY), 0, 1.0, 1.0, 1.0)
FILL = bind(intensity.fill, new(INTENSITY), 0, 1.0)
STEP = bind(intensity.step, new(INTENSITY))


def _settings(**change: float) -> IntensitySettings:
    fields = {"prior_rate": 1.0, "prior_decay": 0.5, "prior_fills": 0.0, "half_life_s": math.inf}
    return IntensitySettings(**(fields | change))  # type: ignore[arg-type]


def _feed(fit: Rec, side: int, deltas: F8, exposure_s: F8, fills: F8) -> None:
    """Aggregated experience at each distance."""
    for delta, seconds, n in zip(
        deltas.tolist(), exposure_s.tolist(), fills.astype(int).tolist(), strict=True
    ):
        assert EXPOSE(fit, side, delta, seconds, 1.0) == OK
        for _ in range(n):
            assert FILL(fit, side, delta) == OK


def _expected(fit: Rec, side: int, rate: float, decay: float, seconds: float) -> None:
    """Experience exactly as the truth would have it on average."""
    deltas = np.arange(0.0, 12.0)
    _feed(fit, side, deltas, np.full(12, seconds), np.zeros(12))
    fit["fills"][0, side, :12] += seconds * rate * np.exp(-decay * deltas)


def _converge(fit: Rec, steps: int = 40) -> tuple[float, float]:
    for _ in range(steps):
        assert STEP(fit) == OK
    return fit["rate"][0, 0].item(), fit["decay"][0, 0].item()


@settings(deadline=None)  # forty steps take long when kernels are interpreted
@given(st.floats(0.01, 50.0), st.floats(0.05, 2.0), st.floats(0.1, 10.0), st.floats(0.1, 10.0))
def test_newton_finds_the_truth_from_any_start(
    rate: float, decay: float, rate_factor: float, decay_factor: float
) -> None:
    """With data that is exactly the model the optimum is exactly the truth."""
    fit = new_intensity(_settings(prior_rate=rate * rate_factor, prior_decay=decay * decay_factor))
    _expected(fit, 0, rate, decay, 1000.0)
    assert _converge(fit) == pytest.approx((rate, decay), rel=1e-6)


def test_sides_are_fitted_apart() -> None:
    """Each side has its own A and k."""
    fit = new_intensity(_settings())
    _expected(fit, 0, 2.0, 0.3, 500.0)
    _expected(fit, 1, 0.7, 0.8, 500.0)
    _converge(fit)
    assert fit["rate"][0].tolist() == pytest.approx([2.0, 0.7], rel=1e-6)
    assert fit["decay"][0].tolist() == pytest.approx([0.3, 0.8], rel=1e-6)


def test_prior_holds_without_data() -> None:
    """The pseudo-bins' own optimum is the prior: a day of steps does not move it."""
    fit = new_intensity(_settings(prior_rate=3.0, prior_decay=0.2, prior_fills=20.0))
    assert _converge(fit, 500) == pytest.approx((3.0, 0.2), rel=1e-12)
    assert fit["fills_effective"][0, 0] == 0.0


def test_evidence_outweighs_the_prior_gradually() -> None:
    """The estimate moves from prior to truth as fills come to outnumber the prior's."""
    rates = []
    for seconds in (0.1, 5.0, 500.0, 50_000.0):
        fit = new_intensity(_settings(prior_rate=8.0, prior_decay=0.3, prior_fills=20.0))
        _expected(fit, 0, 2.0, 0.3, seconds)
        rates.append(_converge(fit)[0])
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == pytest.approx(8.0, rel=0.2)
    assert rates[-1] == pytest.approx(2.0, rel=1e-3)


def test_one_distance_alone_moves_only_the_rate() -> None:
    """k cannot be seen from one distance, so it stays; lambda there is matched."""
    fit = new_intensity(_settings(prior_rate=1.0, prior_decay=0.5))
    _feed(fit, 0, np.array([2.0]), np.array([100.0]), np.array([50.0]))
    rate, decay = _converge(fit)
    assert decay == 0.5
    assert rate * math.exp(-0.5 * 2.0) == pytest.approx(0.5, rel=1e-9)


def test_distance_is_the_mean_of_what_was_quoted_in_the_bin() -> None:
    """Wide bins cost nothing where quotes stand at few distances."""
    fit = new_intensity(_settings(bin_ticks=5.0))
    deltas = np.array([4.5, 9.5, 14.5])
    _feed(fit, 0, deltas, np.full(3, 1000.0), np.zeros(3))
    fit["fills"][0, 0, :3] = 1000.0 * 2.0 * np.exp(-0.3 * deltas)
    assert _converge(fit) == pytest.approx((2.0, 0.3), rel=1e-6)


def test_weight_scales_exposure_to_order_units() -> None:
    """Half an order unit at rest for 2 s is one unit-second."""
    fit = new_intensity(_settings())
    assert EXPOSE(fit, 0, 3.0, 2.0, 0.5) == OK
    STEP(fit)
    assert fit["exposure_effective_s"][0].tolist() == [1.0, 0.0]


def test_evidence_halves_in_a_half_life() -> None:
    """After 10 steps of 1 s at a half-life of 10 s the counts are half; the prior's are not touched."""
    fit = new_intensity(_settings(half_life_s=10.0, prior_fills=6.0))
    _feed(fit, 0, np.array([1.0]), np.array([8.0]), np.array([4.0]))
    _converge(fit, 10)
    assert fit["fills"][0, 0, 1] == pytest.approx(2.0)
    assert fit["exposure_s"][0, 0, 1] == pytest.approx(4.0)
    assert fit["fills"][0, 0, BINS:].tolist() == [3.0, 3.0]
    STEP(fit)
    assert fit["fills_effective"][0, 0] == pytest.approx(2.0)


def test_a_quote_never_filled_cannot_make_decay_unbounded() -> None:
    """All fills at the touch and none beyond: the decay stops at its bound."""
    fit = new_intensity(_settings(decay_range=10.0))
    _feed(fit, 0, np.array([0.0, 9.0]), np.full(2, 1e4), np.array([50.0, 0.0]))
    rate, decay = _converge(fit)
    assert decay <= 5.0
    assert math.isfinite(rate)
    fit = new_intensity(
        _settings(decay_range=10.0)
    )  # and the other way round, where k < 0 fits best
    _feed(fit, 0, np.array([0.0, 9.0]), np.full(2, 100.0), np.array([1.0, 50.0]))
    assert _converge(fit)[1] >= 0.05


@pytest.mark.parametrize(
    ("delta", "seconds", "weight"),
    [
        (BINS, 1.0, 1.0),
        (math.nan, 1.0, 1.0),
        (1.0, 0.0, 1.0),
        (1.0, 1.0, -1.0),
        (1.0, math.nan, 1.0),
    ],
)
def test_exposure_that_makes_no_sense_is_not_counted(
    delta: float, seconds: float, weight: float
) -> None:
    """The status says so and the sums stay."""
    fit = new_intensity(_settings())
    assert EXPOSE(fit, 0, delta, seconds, weight) == OUT_OF_RANGE
    assert fit["exposure_s"].sum() == 0.0


@pytest.mark.parametrize("delta", [3.0, float(BINS), math.inf, math.nan])
def test_a_fill_where_nothing_was_quoted_is_not_counted(delta: float) -> None:
    """A bin without exposure would have an infinite rate."""
    fit = new_intensity(_settings())
    assert EXPOSE(fit, 0, 1.0, 1.0, 1.0) == OK
    assert FILL(fit, 0, delta) == OUT_OF_RANGE
    assert fit["fills"].sum() == 0.0


def test_quotes_through_fair_value_count_as_at_it() -> None:
    """A bid above fair (short inventory) is exposure at distance 0."""
    fit = new_intensity(_settings())
    assert EXPOSE(fit, 0, -2.5, 1.0, 1.0) == OK
    assert FILL(fit, 0, -2.5) == OK
    assert (fit["distance"][0, 0, 0], fit["fills"][0, 0, 0]) == (0.0, 1.0)


def test_a_bin_that_was_left_long_ago_is_empty_again() -> None:
    """Halving alone never reaches 0, it ends in numbers that are slow to reckon with."""
    fit = new_intensity(_settings(half_life_s=1.0))
    assert EXPOSE(fit, 0, 2.5, 10.0, 1.0) == OK
    assert FILL(fit, 0, 2.5) == OK
    for _ in range(20):
        STEP(fit)
    assert fit["fills"][0, 0, 2] == pytest.approx(0.5**20)
    for _ in range(20):
        STEP(fit)
    assert not fit["exposure_s"][0, :, :BINS].any()
    assert not fit["fills"][0, :, :BINS].any()


def test_a_corrupt_side_is_reported_and_the_other_still_fitted() -> None:
    """A rate that is not a number does not spread."""
    fit = new_intensity(_settings())
    _expected(fit, 0, 2.0, 0.3, 500.0)
    fit["fills"][0, 1, 0], fit["exposure_s"][0, 1, 0] = math.nan, 1.0
    for _ in range(40):
        assert STEP(fit) == NOT_FINITE
    assert fit["rate"][0].tolist() == pytest.approx([2.0, 1.0], rel=1e-6)


@pytest.mark.parametrize(
    "change",
    [{"prior_rate": 0.0}, {"prior_fills": -1.0}, {"bin_ticks": math.nan}, {"decay_range": 1.0}],
)
def test_impossible_settings_are_refused(change: dict[str, float]) -> None:
    """The message names the setting."""
    with pytest.raises(ConfigError, match=next(iter(change))):
        _settings(**change)
