"""The efficient price that nobody sees, and what the public knows of it: a random walk with jumps and news.

The grid is 50 ms; between its points only news moves the price.
"""

import math

from mmd.exchange.generator_phases import NEUTRAL, Phase
from mmd.exchange.presets import FlowPreset
from mmd.exchange.random_rows import RandomRows

STEP_NS = 50_000_000


class LatentPrice:
    """V in ticks after each step; depends on the seed alone, never on the book.

    News moves V at once and the public price later: of what is still unknown the share v = news_release is
    released a second, so h seconds after news J the public price has moved by J (1 - (1 - v)^h).
    Quotes follow with hysteresis, as in Robert and Rosenbaum, "A new approach for the dynamics of
    ultra-high-frequency data: the model with uncertainty zones" (2011).
    Two of them with the same rows follow the same path; one that lags waits for lag_steps first.
    """

    def __init__(
        self, preset: FlowPreset, rows: RandomRows, start_ticks: float, lag_steps: int = 0
    ) -> None:
        """Start at start_ticks; rows needs four numbers each."""
        self._wait = lag_steps
        self.ticks = start_ticks
        self.unreleased_ticks = 0.0
        self.reference_ticks = start_ticks
        """Where strangers quote around: the public price, followed only once it has left its zone."""
        self._zone_ticks = preset.zone_ticks
        self._rows = rows
        self._index = 0
        self._step_s = STEP_NS / 1e9
        self._sigma = preset.sigma_bps * 1e-4 * math.sqrt(self._step_s)
        self._jump_probability = preset.jump_rate * self._step_s
        self._jump_ticks = preset.jump_ticks
        self._kept = (1.0 - preset.news_release) ** self._step_s

    @property
    def public_ticks(self) -> float:
        """What strangers without news take V for."""
        return self.ticks - self.unreleased_ticks

    def step(self, phase: Phase = NEUTRAL) -> None:
        """Move on by 50 ms."""
        self.unreleased_ticks *= self._kept
        if self._wait > 0:
            self._wait -= 1
            return
        self._walk(phase)
        public = self.public_ticks
        if abs(public - self.reference_ticks) >= self._zone_ticks:
            self.reference_ticks = public

    def _walk(self, phase: Phase) -> None:
        u1, u2, u_jump, u_size = self._rows.row(self._index)
        self._index += 1
        drift = phase.drift_bps_per_s * 1e-4 * self._step_s
        self.ticks *= math.exp(drift + phase.sigma * self._sigma * normal(u1, u2))
        if u_jump < self._jump_probability:
            self.ticks += math.copysign(
                self._jump_ticks * (0.5 + abs(2 * u_size - 1)), u_size - 0.5
            )

    def tell(self, news_ticks: float) -> None:
        """Let V move by news that the public has not heard yet."""
        self.ticks += news_ticks
        self.unreleased_ticks += news_ticks


def normal(u1: float, u2: float) -> float:
    """A standard normal number from two uniform ones (Box and Muller, 1958)."""
    return math.sqrt(-2.0 * math.log(1.0 - u1)) * math.cos(2.0 * math.pi * u2)


def lognormal_lots(median: float, spread: float, u1: float, u2: float) -> int:
    """A lognormal quantity of at least one lot, cut at a hundred medians."""
    return max(1, round(min(median * math.exp(spread * normal(u1, u2)), 100.0 * median)))
