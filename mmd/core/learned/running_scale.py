"""Values in standard deviations of their own recent past, so that one setting of a learner serves any market."""

import math
from typing import Final

CLIP: Final = 4.0
"""Standard deviations: rewards have fat tails, and one jump must not decide for an arm."""
WARM: Final = 8
"""Values before deviations mean something; until then everything is average."""


class RunningScale:
    """Mean and deviation, each value counting a little less than the next."""

    def __init__(self, memory: int) -> None:
        """Forget over about so many values."""
        self._keep = 1.0 - 1.0 / memory
        self._weight = self._level = self._spread = 0.0
        self._count = 0

    @property
    def level(self) -> float:
        """The mean; 0 before the first value."""
        return self._level

    def scaled(self, value: float) -> float:
        """Take a finite value in; returns its distance from the mean of those before, within CLIP."""
        sd = math.sqrt(self._spread / self._weight) if self._count >= WARM else 0.0
        away = value - self._level
        self._count += 1
        self._weight = self._keep * self._weight + 1.0
        self._level += away / self._weight
        self._spread = self._keep * self._spread + away * (value - self._level)
        return min(max(away / sd, -CLIP), CLIP) if sd > 0.0 else 0.0
