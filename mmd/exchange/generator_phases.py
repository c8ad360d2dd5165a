"""Phases of a generated market: stretches of time in which it behaves otherwise, on a fixed schedule."""

from collections.abc import Sequence

import msgspec

_SAME_S = 1e-9
"""Times this close are one: seconds of a grid are not exact."""


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """What is different between start_s and start_s + length_s after the market opened.

    `every_s` repeats it with that period, 0 never. Multipliers are of the preset's own rates.
    """

    start_s: float
    length_s: float
    every_s: float = 0.0
    sigma: float = 1.0
    limits: float = 1.0
    cancels: float = 1.0
    markets: float = 1.0
    buy_shift: float = 0.0
    """Added to the chance that a market order buys; -0.5 makes all of them sell."""
    drift_bps_per_s: float = 0.0
    jump_bps: float = 0.0
    """News at the start: the informed know at once, the public learns at the preset's release rate."""
    is_feed_silent: bool = False
    """Market data is not published; orders are still taken."""

    def place(self, elapsed_s: float) -> float | None:
        """Seconds since this phase began, None outside of it."""
        since = elapsed_s - self.start_s
        if since < 0.0:
            return None
        if self.every_s > 0.0:
            since %= self.every_s
        return since if since < self.length_s else None


NEUTRAL = Phase(start_s=0.0, length_s=0.0)
"""What holds between phases."""


class PhaseSchedule:
    """The phase that holds at a time; where several overlap, the first listed."""

    def __init__(self, phases: Sequence[Phase]) -> None:
        self._phases = tuple(phases)
        every = (NEUTRAL, *self._phases)
        self.limits_max = max(p.limits for p in every)
        self.cancels_max = max(p.cancels for p in every)
        self.markets_max = max(p.markets for p in every)

    def at(self, elapsed_s: float) -> Phase:
        """The phase at a time after the opening."""
        for phase in self._phases:
            if phase.place(elapsed_s) is not None:
                return phase
        return NEUTRAL

    def jump_bps(self, elapsed_s: float, step_s: float) -> float:
        """News of all phases that begin in the step that ends at elapsed_s."""
        places = [(p, p.place(elapsed_s)) for p in self._phases if p.jump_bps != 0.0]
        return sum(
            p.jump_bps for p, since in places if since is not None and since < step_s - _SAME_S
        )
