"""Exponential smoothing of the fair value on irregular times, for markets whose touch flickers."""

import math

from mmd.core.units import NANOS_PER_SECOND


class Smoother:
    """An exponential average: after `time_constant_s` a step of the input has come through by 1 - 1/e."""

    __slots__ = ("_now_ns", "_per_ns", "_value")

    def __init__(self, time_constant_s: float) -> None:
        """The first value is taken as it is."""
        assert time_constant_s > 0.0, "without a time constant there is nothing to smooth"
        self._per_ns = -1.0 / (time_constant_s * NANOS_PER_SECOND)
        self._value = math.nan
        self._now_ns = 0

    def update(self, value: float, now_ns: int) -> float:
        """Take the value of now; returns the average."""
        kept = math.exp((now_ns - self._now_ns) * self._per_ns)
        self._now_ns = now_ns
        last = value if math.isnan(self._value) else self._value
        self._value = kept * last + (1.0 - kept) * value
        return self._value
