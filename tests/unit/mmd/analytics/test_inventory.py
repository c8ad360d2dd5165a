"""Inventory weighted by time, and how fast it reverts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.analytics.columns import SAMPLE
from mmd.analytics.inventory import half_life_s, inventory_stats
from tests.unit.mmd.analytics.tracks import LOT_ATOMS, S, sample, table


def test_by_hand() -> None:
    """2 for three seconds, -1 for one, against a limit of 4; the last sample lasts no time."""
    limit = {"limit_atoms": 4000 * LOT_ATOMS}
    samples = table(
        SAMPLE,
        [
            sample(0, lots=2000, **limit),
            sample(3, lots=-1000, **limit),
            sample(4, lots=3000, **limit),
        ],
    )
    found = inventory_stats(samples)
    assert found.average == pytest.approx(1.25)
    assert found.sd == pytest.approx((0.75 * 0.75**2 + 0.25 * 2.25**2) ** 0.5)
    assert (found.largest, found.limit_used, found.within_limit) == (3.0, 0.75, 1.0)


def test_over_the_limit() -> None:
    """Half of the time for which there was one."""
    limit = {"limit_atoms": 100 * LOT_ATOMS}
    rows = [sample(0, lots=500), sample(2, lots=90, **limit), sample(3, lots=-110, **limit)]
    found = inventory_stats(table(SAMPLE, [*rows, sample(4, **limit)]))
    assert found.within_limit == 0.5
    assert found.limit_used == pytest.approx(1.1)


def test_nothing_to_average() -> None:
    """One sample has no duration; without a limit none is used."""
    assert inventory_stats(table(SAMPLE, [sample(0)])) is None
    found = inventory_stats(table(SAMPLE, [sample(0), sample(1)]))
    assert (found.limit_used, found.within_limit, found.half_life_s) == (None, None, None)


@settings(max_examples=20)
@given(st.floats(0.5, 0.97), st.sampled_from([1, 5]))
def test_half_life_of_a_known_process(phi: float, step_s: int) -> None:
    """An autoregression with phi a step: -ln 2 / ln phi steps, within its sampling error."""
    noise = np.random.default_rng(1).normal(size=20_000)
    held = np.zeros(len(noise))
    for i in range(1, len(noise)):
        held[i] = phi * held[i - 1] + noise[i]
    found = half_life_s(np.arange(len(held)) * step_s * S, held)
    assert found == pytest.approx(-np.log(2) / np.log(phi) * step_s, rel=0.15)


def test_what_does_not_revert_has_none() -> None:
    """A line, an alternation, a standstill; pairs over a gap are left out."""
    ts_ns = np.arange(50) * S
    assert half_life_s(ts_ns, np.tile([1.0, -1.0], 25)) is None
    assert half_life_s(ts_ns, np.ones(50)) is None
    assert half_life_s(ts_ns[:2], np.ones(2)) is None
    held = 8.0 * 0.5 ** np.arange(50)
    held[25:] = held[:25]
    gap = np.concatenate([ts_ns[:25], ts_ns[25:] + 1000 * S])
    assert half_life_s(gap, held) == pytest.approx(1.0, rel=0.02)
    assert half_life_s(ts_ns, held) < 0.95
