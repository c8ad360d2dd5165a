"""The efficient price that nobody sees: a random walk with jumps, on a grid of 50 ms."""

import math

from mmd.exchange.presets import FlowPreset
from mmd.exchange.random_rows import RandomRows

STEP_NS = 50_000_000


class LatentPrice:
    """V in ticks after each step; depends on the seed alone, never on the book.

    Two of them with the same rows follow the same path; one that lags waits for lag_steps first.
    """

    def __init__(
        self, preset: FlowPreset, rows: RandomRows, start_ticks: float, lag_steps: int = 0
    ) -> None:
        """Start at start_ticks; rows needs four numbers each."""
        self._wait = lag_steps
        self.ticks = start_ticks
        self._rows = rows
        self._index = 0
        step_s = STEP_NS / 1e9
        self._sigma = preset.sigma_bps * 1e-4 * math.sqrt(step_s)
        self._jump_probability = preset.jump_rate * step_s
        self._jump_ticks = preset.jump_ticks

    def step(self) -> None:
        """Move on by 50 ms."""
        if self._wait > 0:
            self._wait -= 1
            return
        u1, u2, u_jump, u_size = self._rows.row(self._index)
        self._index += 1
        self.ticks *= math.exp(self._sigma * normal(u1, u2))
        if u_jump < self._jump_probability:
            self.ticks += math.copysign(
                self._jump_ticks * (0.5 + abs(2 * u_size - 1)), u_size - 0.5
            )


def normal(u1: float, u2: float) -> float:
    """A standard normal number from two uniform ones (Box and Muller, 1958)."""
    return math.sqrt(-2.0 * math.log(1.0 - u1)) * math.cos(2.0 * math.pi * u2)


def lognormal_lots(median: float, spread: float, u1: float, u2: float) -> int:
    """A lognormal quantity of at least one lot, cut at a hundred medians."""
    return max(1, round(min(median * math.exp(spread * normal(u1, u2)), 100.0 * median)))
