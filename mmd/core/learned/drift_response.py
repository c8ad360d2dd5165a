"""What follows an alarm of a drift detector: wider and smaller at once, learning later, and calm only step by step.

A learning rate is never raised by an alarm. Levels go up by one an alarm and down by one after a time without any.
"""

from enum import IntEnum
from typing import Final

import msgspec


class DriftLevel(IntEnum):
    """How much is doubted."""

    CALM = 0
    CAUTIOUS = 1
    """Wider and smaller; learners go on, for they are what must adapt."""
    DEFENSIVE = 2
    """As wide and small as a model may ask for; forecasts are no longer used."""
    DISTRUSTFUL = 3
    """And learners stand still: what they learn from is not what they were made for."""


class Response(msgspec.Struct, frozen=True):
    """What a level does to the quotes and the models."""

    spread: float
    size: float
    uses_forecasts: bool
    learns: bool


RESPONSES: Final[dict[DriftLevel, Response]] = {
    DriftLevel.CALM: Response(1.0, 1.0, uses_forecasts=True, learns=True),
    DriftLevel.CAUTIOUS: Response(1.2, 0.85, uses_forecasts=True, learns=True),
    DriftLevel.DEFENSIVE: Response(1.5, 0.7, uses_forecasts=False, learns=True),
    DriftLevel.DISTRUSTFUL: Response(1.5, 0.7, uses_forecasts=False, learns=False),
}


class DriftWatch:
    """The level of one model's detectors."""

    def __init__(self, *, hold_ns: int = 300_000_000_000, spacing_ns: int = 10_000_000_000) -> None:
        """Go down a level after hold_ns without alarm; alarms within spacing_ns of the last count as the same."""
        assert hold_ns >= spacing_ns > 0, f"expected hold above spacing, found {hold_ns}"
        self.level = DriftLevel.CALM
        self.alarms = 0
        self._hold_ns, self._spacing_ns = hold_ns, spacing_ns
        self._alarm_ns = self._changed_ns = 0

    @property
    def response(self) -> Response:
        """What follows from the level."""
        return RESPONSES[self.level]

    def alarm(self, now_ns: int) -> bool:
        """A detector spoke; whether the level went up."""
        is_new = self.alarms == 0 or now_ns - self._alarm_ns >= self._spacing_ns
        self.alarms += 1
        self._alarm_ns = now_ns
        if not is_new or self.level == DriftLevel.DISTRUSTFUL:
            self._changed_ns = now_ns
            return False
        self.level = DriftLevel(self.level + 1)
        self._changed_ns = now_ns
        return True

    def pass_time(self, now_ns: int) -> bool:
        """Call on a timer; whether the level went down."""
        if self.level == DriftLevel.CALM or now_ns - self._changed_ns < self._hold_ns:
            return False
        self.level = DriftLevel(self.level - 1)
        self._changed_ns = now_ns
        return True
