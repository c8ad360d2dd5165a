"""Who closes bars for an instrument's market view, and is told where its feed has a hole."""

from typing import Protocol


class BarClock(Protocol):
    """Closes bars before the market changes; the view asks whether one is due."""

    @property
    def end_ns(self) -> int:
        """When the bar at hand ends; 0 = now: the clock has not started."""
        ...

    def advance(self, now_ns: int) -> int:
        """Close every bar that ended before now; returns when the next one ends."""
        ...

    def restart(self, now_ns: int) -> None:
        """The feed has a gap: the past is forgotten."""
        ...
