"""Waits between attempts: bounds, growth, reset, and the server's word."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mmd.shell.backoff import Backoff


@given(seed=st.integers(0, 2**32), attempts=st.integers(1, 60))
def test_waits_stay_between_first_and_longest(seed: int, attempts: int):
    """No wait is shorter than the first or longer than the longest."""
    backoff = Backoff(np.random.default_rng(seed), first_s=0.1, longest_s=5.0)
    assert all(0.1 <= backoff.next_s() <= 5.0 for _ in range(attempts))


def test_waits_grow_on_average_and_reset_starts_over():
    """The tenth wait is several times the first over many seeds; a reset undoes it."""
    first, tenth, after_reset = [], [], []
    for seed in range(200):
        backoff = Backoff(np.random.default_rng(seed), first_s=0.1, longest_s=30.0)
        waits = [backoff.next_s() for _ in range(10)]
        first.append(waits[0])
        tenth.append(waits[-1])
        backoff.reset()
        after_reset.append(backoff.next_s())
    assert np.mean(tenth) > 5 * np.mean(first)
    assert max(after_reset) <= 0.3


def test_same_seed_gives_the_same_waits():
    """The generator is the only source of chance."""
    one, two = (Backoff(np.random.default_rng(7)) for _ in range(2))
    assert [one.next_s() for _ in range(20)] == [two.next_s() for _ in range(20)]


def test_servers_wait_is_not_undercut():
    """A Retry-After longer than the drawn wait wins; a shorter one does not shorten it."""
    backoff = Backoff(np.random.default_rng(1), first_s=0.1, longest_s=1.0)
    assert backoff.next_s(at_least_s=60.0) == 60.0
    assert backoff.next_s(at_least_s=0.001) >= 0.1
