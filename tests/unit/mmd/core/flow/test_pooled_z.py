"""The pooled z-score: sweeps count once, drift is taken off, random times are of the past and of no clock."""

import math

import numpy as np
import pytest

from mmd.core.flow import mid_history, pooled_z
from mmd.core.flow.mid_history import HISTORY
from mmd.core.flow.pooled_z import DRAWS, FIELDS
from mmd.jit.kernel import kernel, layout, new

RECORD = layout(*FIELDS)
SECOND = 1_000_000_000
WAIT_NS = 30 * SECOND


@kernel
def note(history, mid, now_ns):
    mid_history.note(history[0], mid, 0, now_ns)


@kernel
def pool(record, history, fill, ts_ns, sign, x):
    pooled_z.pool(record[0], history[0], 0, fill, ts_ns, sign, x, 10.0)


@kernel
def draw(record, history, fill, ts_ns):
    return pooled_z.draw(record[0], history[0], 0, fill, ts_ns, 1.0)


@kernel
def uniform(seed, counter):
    return pooled_z.uniform(seed, counter)


def made(n=20):
    record = new(RECORD)
    record["fills_pooled"], record["pool_ns"], record["seed"] = n, WAIT_NS, 7
    return record


def z_of(record, fills):
    history = new(HISTORY)
    for k, (ts_ns, sign, x) in enumerate(fills):
        pool(record, history, k, ts_ns, sign, x)
    return record["pool_z"][0, 0]


def test_fills_far_apart_add_up_as_independent_ones():
    """Sixteen of half a standard deviation: two, the baseline's own error apart."""
    fills = [(k * 2 * WAIT_NS, 1, -0.5) for k in range(16)]
    assert z_of(made(), fills) == pytest.approx(-0.5 * math.sqrt(16), rel=0.15)


def test_fills_of_one_sweep_are_one_observation():
    """However many levels it took."""
    assert z_of(made(), [(0, 1, -1.5)] * 8) == pytest.approx(-1.5, rel=0.1)
    assert z_of(made(), [(0, 1, -1.5)]) == pytest.approx(-1.5, rel=0.1)


def test_a_bid_and_an_ask_at_once_say_nothing():
    """What one lost the other gained; a sum that cannot vary is no evidence."""
    assert z_of(made(), [(0, 1, -2.0), (0, -1, 2.0)] * 5) == 0.0


def test_only_the_last_fills_are_pooled():
    """Old ones leave the window."""
    old, new_ = (
        [(k * 2 * WAIT_NS, 1, -3.0) for k in range(50)],
        [(k * 2 * WAIT_NS, 1, 0.0) for k in range(50, 55)],
    )
    assert z_of(made(5), old + new_) == pytest.approx(0.0, abs=1e-9)


def test_a_trend_is_no_adverse_selection():
    """Bought all the way down a slope that was there before: the baseline knows it, the plain sum does not."""
    history, record, plain = new(HISTORY), made(), made()
    for k in range(2_000):
        note(history, 100_000 - k, k * SECOND)
    for k in range(60):
        ts_ns = (700 + 20 * k) * SECOND
        pool(
            record, history, k, ts_ns, 1, -3.0
        )  # thirty half ticks in thirty seconds, ten to a deviation
        pool(plain, new(HISTORY), k, ts_ns, 1, -3.0)
    assert plain["pool_z"][0, 0] < -5.0
    assert abs(record["pool_z"][0, 0]) < 2.0


def test_random_times_end_before_the_fill():
    """A jump in the second after it is never in the baseline, whichever fill is asked about."""
    calm, jump = new(HISTORY), new(HISTORY)
    for k in range(900):
        note(calm, 1_000, k * SECOND)
        note(jump, 1_000 if k <= 600 else 9_999, k * SECOND)
    for fill in range(200):
        assert draw(made(), jump, fill, 600 * SECOND) == draw(made(), calm, fill, 600 * SECOND)
    assert max(draw(made(), jump, fill, 700 * SECOND)[1] for fill in range(200)) > 0.0


def test_without_history_there_is_no_baseline():
    """The mean square says so."""
    history = new(HISTORY)
    assert draw(made(), history, 0, 600 * SECOND) == (0.0, -1.0)
    note(history, 1_000, 590 * SECOND)
    assert draw(made(), history, 0, 600 * SECOND) == (0.0, -1.0)


def test_random_numbers_belong_to_seed_and_counter():
    """Uniform, without memory, the same compiled and interpreted."""
    got = np.array([uniform(7, k) for k in range(20_000)])
    assert got.min() >= 0.0
    assert got.max() < 1.0
    counts, _ = np.histogram(got, 20, (0.0, 1.0))
    assert ((counts - 1_000) ** 2 / 1_000).sum() < 45.0  # chi-squared, 19 degrees: 0.1 %
    for lag in range(1, DRAWS + 1):
        assert abs(np.corrcoef(got[:-lag], got[lag:])[0, 1]) < 0.03
    plain = getattr(pooled_z.uniform, "py_func", pooled_z.uniform)
    assert all(
        plain(seed, k) == uniform(seed, k) for seed in (0, 7, 2**31 - 1) for k in (0, 1, 10**6)
    )
    assert uniform(7, 1) != uniform(8, 1)
