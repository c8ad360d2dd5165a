"""Tables: bins, quantiles, and picking by weight."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.exchange.generator_tables import PROBABILITIES, Profile, quantile

UNIT = st.floats(0.0, 1.0, exclude_max=True)


@given(u=UNIT, weights=st.lists(st.floats(0.01, 100.0), min_size=1, max_size=8))
def test_a_pick_is_a_bin_and_a_uniform_rest(u: float, weights: list[float]) -> None:
    """Bin and rest give the number back, so nothing of it is lost."""
    at, rest = Profile(weights).pick(u)
    total = sum(weights)
    assert (sum(weights[:at]) + rest * weights[at]) / total == pytest.approx(u, abs=1e-9)


def test_bins_without_weight_are_never_picked() -> None:
    """Whatever the number."""
    profile = Profile([0.0, 1.0, 0.0, 3.0])
    assert {profile.pick(k / 1000)[0] for k in range(1000)} == {1, 3}


def test_sizes_have_the_distribution_that_the_quantiles_are_of() -> None:
    """Mean and tail of a lognormal come back within a few percent."""
    sizes = np.exp(np.random.default_rng(1).normal(8.0, 1.2, 200_000))
    values = np.quantile(sizes, PROBABILITIES).tolist()
    drawn = np.array([quantile(values, (k + 0.5) / 20_000) for k in range(20_000)])
    assert np.median(drawn) == pytest.approx(np.median(sizes), rel=0.03)
    assert drawn.mean() == pytest.approx(sizes.mean(), rel=0.1)
    assert np.quantile(drawn, 0.98) == pytest.approx(np.quantile(sizes, 0.98), rel=0.1)
