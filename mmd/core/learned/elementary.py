"""Exponential, sigmoid and tanh in single precision, without branches, so that loops over them vectorise.

Arguments and results are np.float32 to numba; a Python float would widen the arithmetic and undo the rounding.
"""

from typing import Any

import numpy as np

from mmd.jit.kernel import leaf

_f = np.float32
_MAX = np.finfo(np.float32).max


@leaf
def is_finite(x: Any) -> bool:
    """Whether a number is one, in one comparison."""
    return bool(abs(x) <= _MAX)


@leaf
def exp32(x: Any) -> Any:
    """e^x for -87 <= x <= 88 (clamped beyond), relative error below 1.3e-7.

    Source: the polynomial and the two-part ln 2 of Cephes' expf.
    """
    x = _f(min(max(x, _f(-87.0)), _f(88.0)))  # the rounding below wants single precision throughout
    t = x * _f(1.44269504) + _f(12582912.0)  # the nearest integer, in the low bits of the mantissa
    k = t - _f(12582912.0)
    r = x - k * _f(0.693359375)
    r = r - k * _f(-2.12194440e-4)
    p = _f(1.9875691500e-4)
    p = p * r + _f(1.3981999507e-3)
    p = p * r + _f(8.3334519073e-3)
    p = p * r + _f(4.1665795894e-2)
    p = p * r + _f(1.6666665459e-1)
    p = p * r + _f(5.0000001201e-1)
    p = p * (r * r) + (r + _f(1.0))
    bits = np.int32(_f(p).view(np.int32) + np.int32(_f(t).view(np.int32) << np.int32(23)))
    return bits.view(np.float32)


@leaf
def sigmoid32(x: Any) -> Any:
    """1 / (1 + e^-x)."""
    return _f(1.0) / (_f(1.0) + exp32(-x))


@leaf
def tanh32(x: Any) -> Any:
    """Rational approximation of tanh, absolute error below 3e-7.

    Source: the minimax coefficients that Eigen uses for its float tanh.
    """
    x = _f(min(max(x, _f(-7.90531110763549805)), _f(7.90531110763549805)))
    y = x * x
    p = _f(-2.76076847742355e-16)
    p = p * y + _f(2.00018790482477e-13)
    p = p * y + _f(-8.60467152213735e-11)
    p = p * y + _f(5.12229709037114e-08)
    p = p * y + _f(1.48572235717979e-05)
    p = p * y + _f(6.37261928875436e-04)
    p = p * y + _f(4.89352455891786e-03)
    q = _f(1.19825839466702e-06)
    q = q * y + _f(1.18534705686654e-04)
    q = q * y + _f(2.26843463243900e-03)
    q = q * y + _f(4.89352518554385e-03)
    return x * p / q
