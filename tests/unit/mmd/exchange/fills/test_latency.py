"""Channels keep order; delays are constant, drawn from a sample, or grow with the load."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.errors import ConfigError
from mmd.exchange.fills.latency import (
    Latency,
    arrive,
    constant,
    empirical,
    load_dependent,
    new_latency,
)
from mmd.jit.kernel import bind


def arrivals(latency: Latency, sent_ns: list[int], seed: int = 1) -> list[int]:
    record = new_latency(latency, np.random.default_rng(seed))
    bound = bind(arrive, record, 0)
    return [bound(record, t) for t in sent_ns]


def test_a_constant_delay_is_added() -> None:
    """Nothing else happens."""
    assert arrivals(constant(50), [0, 10, 400]) == [50, 60, 450]


def test_an_empirical_delay_is_one_of_the_sample_and_repeats_with_the_seed() -> None:
    """Draws are independent; far apart, so that none waits for another."""
    sent = [i * 1_000_000 for i in range(200)]
    found = arrivals(empirical([10, 20, 70]), sent)
    assert {a - t for a, t in zip(found, sent, strict=True)} == {10, 20, 70}
    assert found == arrivals(empirical([10, 20, 70]), sent)
    assert found != arrivals(empirical([10, 20, 70]), sent, seed=2)


def test_a_burst_queues_up_and_drains() -> None:
    """100 ns each: the third of three at once waits for two."""
    assert arrivals(load_dependent(50, 100), [0, 0, 0, 10_000]) == [100, 200, 300, 10_050]


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=50), st.integers(0, 300))
def test_nothing_overtakes(gaps: list[int], service_ns: int) -> None:
    """Arrivals are in the order of departures, and none before its own departure."""
    sent = np.cumsum(gaps).tolist()
    found = arrivals(Latency(sample_ns=(5, 900), service_ns=service_ns), sent)
    assert found == sorted(found)
    assert all(a >= t for a, t in zip(found, sent, strict=True))


@pytest.mark.parametrize("bad", [Latency(sample_ns=()), constant(-1), load_dependent(1, -1)])
def test_impossible_delays_are_refused(bad: Latency) -> None:
    """One line says what was found."""
    with pytest.raises(ConfigError, match="expected delays of 0 ns or more"):
        new_latency(bad, np.random.default_rng(1))
