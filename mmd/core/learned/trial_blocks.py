"""Which blocks of time are whose: pairs of neighbours, the order within a pair and its kind drawn by counter.

A pair is two blocks: the champion's and, in an order that a coin decides, the canary's or the hold-out's. Where neither is
wanted both are the champion's. A replay draws the same, and every draw's probability is known.
"""

from typing import Final, NamedTuple

from mmd.core.learned.counter_random import stream_key, uniform
from mmd.core.learned.trial_spec import TrialArm, TrialSpec
from mmd.jit.kernel import bind

_STREAM: Final = 0x7A1A
_CHAMPION, _CANARY, _HOLDOUT = TrialArm.CHAMPION, TrialArm.CANARY, TrialArm.HOLDOUT


class Draw(NamedTuple):
    """Whose a block is."""

    number: int
    """Of the block, by engine time; its pair is half of it."""
    arm: TrialArm
    propensity: float
    """How likely the arm was for this block."""
    rival: TrialArm
    """Whom the champion meets in this pair; CHAMPION: nobody."""


class TrialBlocks:
    """Draws for one instrument."""

    def __init__(self, spec: TrialSpec, *, seed: int, stream: int) -> None:
        self._block_ns = spec.block_ns
        self._holdout = min(2.0 * spec.holdout_ratio, 1.0)
        """Of pairs, half of each of which is the hold-out's."""
        self._key = stream_key(seed, _STREAM + (stream << 16))
        self._uniform = bind(uniform, self._key, 0)  # now, and not when the first block begins

    def number_at(self, now_ns: int) -> int:
        """The block of a time."""
        return now_ns // self._block_ns

    def draw(self, number: int, *, has_canary: bool) -> Draw:
        """Whose a block is, given whether there is a canary to try."""
        pair = number // 2
        is_holdout = self._uniform(self._key, 2 * pair) < self._holdout
        rival = _HOLDOUT if is_holdout else _CANARY if has_canary else _CHAMPION
        is_rival_first = self._uniform(self._key, 2 * pair + 1) < 0.5
        arm = rival if (number % 2 == 0) == is_rival_first else _CHAMPION
        return Draw(number, arm, self._probability(arm, has_canary=has_canary), rival)

    def _probability(self, arm: TrialArm, *, has_canary: bool) -> float:
        holdout = 0.5 * self._holdout
        canary = 0.5 * (1.0 - self._holdout) if has_canary else 0.0
        return {_HOLDOUT: holdout, _CANARY: canary, _CHAMPION: 1.0 - holdout - canary}[arm]
