"""Self-excitation of market orders: each raises the intensity of its own side, and of the other, for a while."""

import math

from mmd.core.units import NANOS_PER_SECOND, Side
from mmd.exchange.presets import FlowPreset


class Excitation:
    """What past market orders add to the intensity of each side; decays exponentially.

    Source: Bacry, Mastromatteo, Muzy, "Hawkes processes in finance" (2015), section 2, with one decay.
    """

    def __init__(self, preset: FlowPreset, start_ns: int) -> None:
        self._decay = preset.decay
        self._same = preset.excitation * (1.0 - preset.excitation_across)
        self._across = preset.excitation * preset.excitation_across
        self._ns = start_ns
        self.excited = [0.0, 0.0]
        """Extra market orders a second, by side, at the last time asked for."""

    def at(self, now_ns: int) -> list[float]:
        """Extra market orders a second, by side; time must not go back."""
        kept = math.exp(-self._decay * (now_ns - self._ns) / NANOS_PER_SECOND)
        self.excited[0] *= kept
        self.excited[1] *= kept
        self._ns = now_ns
        return self.excited

    def add(self, side: Side) -> None:
        """A market order happened at the last time asked for."""
        self.excited[side] += self._same
        self.excited[side.opposite] += self._across
