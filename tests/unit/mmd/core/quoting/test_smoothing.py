"""Smoothing of the fair value on irregular times."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.quoting.smoothing import Smoother

S = 1_000_000_000


def test_the_first_value_is_taken_as_it_is():
    """Nothing is pulled towards 0."""
    assert Smoother(2.0).update(100.0, 5 * S) == 100.0


def test_a_step_comes_through_by_1_less_1_over_e():
    """After one time constant, however it is divided."""
    for steps in (1, 7):
        smoother = Smoother(2.0)
        smoother.update(100.0, 0)
        smoother.update(100.0, S)
        for step in range(1, steps + 1):
            value = smoother.update(110.0, S + step * 2 * S // steps)
        assert value == pytest.approx(100.0 + 10.0 * (1.0 - math.exp(-1.0)))


@given(st.lists(st.tuples(st.floats(1, 1e6), st.integers(0, 10 * S)), min_size=1, max_size=20))
def test_the_average_stays_within_what_was_seen(path):
    """Any values at any distances."""
    smoother, now_ns, seen = Smoother(0.5), 0, []
    for value, wait_ns in path:
        now_ns += wait_ns
        seen.append(value)
        average = smoother.update(value, now_ns)
        assert min(seen) * (1 - 1e-12) <= average <= max(seen) * (1 + 1e-12)
