"""Single-precision functions against double precision over their whole range."""

from collections.abc import Callable

import numba
import numpy as np
import pytest

from mmd.core.learned.elementary import exp32, sigmoid32, tanh32


def over(function: Callable[[float], float], x: np.ndarray) -> np.ndarray:
    """A leaf, called as kernels do."""

    def loop(x: np.ndarray, out: np.ndarray) -> None:
        for i in range(x.shape[0]):
            out[i] = function(x[i])

    out = np.empty_like(x)
    numba.njit(loop)(x, out)
    return out.astype(np.float64)


def test_exponential() -> None:
    """Relative error below 1.3e-7 of its result in single precision, and clamped beyond its range."""
    x = np.linspace(-87, 88, 200_001).astype(np.float32)
    assert over(exp32, x) == pytest.approx(np.exp(x.astype(np.float64)), rel=2e-7)
    beyond = over(exp32, np.array([-1e4, 1e4], np.float32))
    assert np.isfinite(beyond).all()
    assert beyond[0] < 1e-37
    assert beyond[1] > 1e37


def test_sigmoid_and_tanh() -> None:
    """Absolute error below 3e-7, saturation included."""
    x = np.linspace(-30, 30, 200_001).astype(np.float32)
    wide = x.astype(np.float64)
    assert np.abs(over(tanh32, x) - np.tanh(wide)).max() < 3e-7
    assert np.abs(over(sigmoid32, x) - 1.0 / (1.0 + np.exp(-wide))).max() < 3e-7


def test_a_fast_caller_does_not_change_them() -> None:
    """Compiled first from a kernel that may reorder sums, the exponential is as exact as from any other."""

    def loop(x: np.ndarray, out: np.ndarray) -> None:
        for i in range(x.shape[0]):
            out[i] = exp32(x[i])

    x = np.linspace(-9, 9, 1_001).astype(np.float32)
    out = np.empty_like(x)
    numba.njit(loop, fastmath={"contract", "reassoc", "nsz", "arcp"})(x, out)
    assert out.astype(np.float64) == pytest.approx(np.exp(x.astype(np.float64)), rel=2e-7)
