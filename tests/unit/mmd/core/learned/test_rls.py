"""Recursive least squares against the batch solution, with its limit on the trace and its freezes."""

import math

import numpy as np
import pytest

from mmd.core.learned.rls import FROZEN, INPUTS_MAX, NOT_FINITE, OK, new_rls, update
from mmd.jit.kernel import bind, interpreted

SECOND = 1_000_000_000


def feed(rls: np.ndarray, x: np.ndarray, y: np.ndarray, start: int = 1) -> list[int]:
    """One observation a second; returns the statuses."""
    run = bind(update, rls, 0, 0.0)
    out = []
    for i, (row, value) in enumerate(zip(x, y, strict=True)):
        rls["x"][0, : len(row)] = row
        out.append(run(rls, (start + i) * SECOND, float(value)))
    return out


@pytest.mark.parametrize(("inputs", "keep"), [(1, 1.0), (3, 0.99), (INPUTS_MAX, 0.97)])
def test_equal_to_batch_least_squares(inputs: int, keep: float) -> None:
    """The minimum of discounted squares and the fading prior, to nine digits."""
    rng = np.random.default_rng(inputs)
    x, noise = rng.normal(size=(300, inputs)), rng.normal(size=300)
    y = x @ np.arange(1.0, inputs + 1) + noise
    rls = new_rls(inputs, keep=keep, prior=2.0, trace_max=1e9)
    assert set(feed(rls, x, y)) == {OK}
    weight = keep ** np.arange(299, -1, -1)
    normal = (x * weight[:, None]).T @ x + keep**300 / 2.0 * np.eye(inputs)
    wanted = np.linalg.solve(normal, (x * weight[:, None]).T @ y)
    assert np.allclose(rls["theta"][0, :inputs], wanted, rtol=1e-9, atol=1e-9)
    assert np.allclose(rls["p"][0, :inputs, :inputs], np.linalg.inv(normal), rtol=1e-8, atol=1e-12)


def test_coefficients_follow_a_change() -> None:
    """With a memory of a hundred observations, after five hundred."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(1_000, 2))
    theta = np.where(np.arange(1_000)[:, None] < 500, [1.0, -1.0], [-2.0, 0.5])
    rls = new_rls(2, keep=0.99)
    feed(rls, x, (x * theta).sum(axis=1) + 0.1 * rng.normal(size=1_000))
    assert np.allclose(rls["theta"][0, :2], [-2.0, 0.5], atol=0.05)


def test_the_trace_stays_bounded_where_inputs_stay_away() -> None:
    """A thousand observations of nothing, then one: coefficients stay sane."""
    rls = new_rls(2, keep=0.95, prior=1.0, trace_max=50.0)
    feed(rls, np.zeros((1_000, 2)), np.zeros(1_000))
    assert rls["p"][0, 0, 0] + rls["p"][0, 1, 1] <= 50.0 * (1 + 1e-12)
    feed(rls, np.array([[1.0, 0.0]]), np.array([1.0]), start=1_001)
    assert abs(rls["theta"][0, 0]) <= 1.0
    assert rls["theta"][0, 1] == 0.0


def test_nothing_is_learned_across_a_gap_nor_right_after_it() -> None:
    """The observation that spans it is passed over, and those of the next five seconds."""
    rls = new_rls(1)
    feed(rls, np.ones((10, 1)), np.ones(10))
    before = rls["theta"][0, 0]
    statuses = feed(rls, np.ones((8, 1)), np.full(8, 100.0), start=30)
    assert statuses == [FROZEN] * 5 + [OK] * 3
    rls["theta"][0, 0] = before
    rls["frozen"] = 1
    assert feed(rls, np.ones((1, 1)), np.full(1, 100.0), start=38) == [FROZEN]
    assert rls["theta"][0, 0] == before
    assert rls["residual"][0] == 100.0 - before


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_changes_nothing(value: float) -> None:
    """Neither as an input nor as an outcome; compiled as interpreted."""
    for run in (update, interpreted(update)):
        rls = new_rls(1)
        feed(rls, np.ones((5, 1)), np.ones(5))
        state = rls["theta"].tobytes(), rls["p"].tobytes(), rls["updates"].tobytes()
        rls["x"][0, 0] = 1.0
        assert run(rls, 6 * SECOND, value) == NOT_FINITE
        rls["x"][0, 0] = value
        assert run(rls, 7 * SECOND, 1.0) == NOT_FINITE
        assert state == (rls["theta"].tobytes(), rls["p"].tobytes(), rls["updates"].tobytes())
