"""A mean that may be looked at after every value: bounds that hold at all times at once, so a test may stop whenever it likes.

Source: Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, "Time-uniform central limit theory and asymptotic confidence
sequences" (2021), theorem 2.2: mean +- sd sqrt(2 (t rho^2 + 1) / (t rho)^2 log(sqrt(t rho^2 + 1) / alpha)).
"""

import math
from typing import Final

COUNT_BEST: Final = 100
"""Values at which the bounds are tightest for what they are."""


class ConfidenceSequence:
    """Two-sided bounds on the mean of independent values, wrong at any time ever with a chance of at most alpha.

    Attributes:
        n: values so far.
        level: their mean.
    """

    def __init__(self, alpha: float) -> None:
        assert 0.0 < alpha < 0.5, f"expected an alpha above 0 and below 0.5, found {alpha}"
        self.n = 0
        self.level = 0.0
        self._spread = 0.0
        self._alpha = alpha
        self._rho2 = (-2.0 * math.log(alpha) + math.log(1.0 - 2.0 * math.log(alpha))) / COUNT_BEST

    def add(self, value: float) -> None:
        """One more, finite."""
        self.n += 1
        away = value - self.level
        self.level += away / self.n
        self._spread += away * (value - self.level)

    @property
    def radius(self) -> float:
        """Half the width of the bounds; infinite before two values."""
        if self.n < 2:
            return math.inf
        t, rho2 = self.n, self._rho2
        sd = math.sqrt(self._spread / (t - 1))
        grown = t * rho2 + 1.0
        return sd * math.sqrt(
            2.0 * grown / (t * t * rho2) * math.log(math.sqrt(grown) / self._alpha)
        )

    @property
    def low(self) -> float:
        """The mean is above this."""
        return self.level - self.radius

    @property
    def high(self) -> float:
        """And below this."""
        return self.level + self.radius
