"""A bandit over how the quotes are set: an arm is held for a horizon, its reward comes later, every choice is told.

An arm is a bounded pair of a factor on gamma and an addition to xi, the adverse impact. What arms brought is known when
the markouts of their fills are, so a reward names its decision. Randomness is counted by decision: a replay makes
the same choices.
"""

import math
from typing import Final

import msgspec

from mmd.core.learned.bandit_rules import Rule
from mmd.core.learned.counter_random import stream_key, uniform
from mmd.jit.kernel import F8

PENDING_MAX: Final = 256
"""Choices that wait for their reward; the oldest is given up where there are more."""
GAMMA_FACTOR_MIN, GAMMA_FACTOR_MAX = 0.25, 4.0
IMPACT_BPS_MAX: Final = 5.0
_STREAM: Final = 0xBA


class Arm(msgspec.Struct, frozen=True):
    """How quotes are set while it is held."""

    gamma_factor: float
    impact_bps: float

    def __post_init__(self) -> None:
        """Refuse what no bandit may ask for. Raises: ValueError."""
        if not GAMMA_FACTOR_MIN <= self.gamma_factor <= GAMMA_FACTOR_MAX:
            raise ValueError(
                f"gamma_factor is {self.gamma_factor}, expected {GAMMA_FACTOR_MIN} to {GAMMA_FACTOR_MAX}: change it"
            )
        if not abs(self.impact_bps) <= IMPACT_BPS_MAX:
            raise ValueError(
                f"impact_bps is {self.impact_bps}, expected at most {IMPACT_BPS_MAX} either way: change it"
            )


NEUTRAL: Final = Arm(1.0, 0.0)
"""As the spread model says: the first arm, always, so that there is something to compare with."""


class Choice(msgspec.Struct, frozen=True):
    """An arm that was chosen, how likely that was, and when."""

    decision: int
    arm: int
    propensity: float
    chosen_ns: int


class Bandit:
    """Chooses among arms by a rule; learns when rewards come, in whatever order."""

    def __init__(
        self, arms: tuple[Arm, ...], rule: Rule, *, hold_ns: int, seed: int, stream: int = 0
    ) -> None:
        """Hold each choice for at least hold_ns, the markout's horizon; streams of a seed draw apart."""
        assert arms[0] == NEUTRAL, f"expected {NEUTRAL} as the first arm, found {arms[0]}"
        self.arms = arms
        self.given_up = 0
        """Choices whose reward never came."""
        self._rule, self._hold_ns = rule, hold_ns
        self._key = stream_key(seed, _STREAM + (stream << 8))
        self._held: Choice | None = None
        self._pending: dict[int, tuple[Choice, F8]] = {}

    def choose(self, context: F8, decision: int, now_ns: int) -> Choice:
        """The choice that holds now: the one at hand until its horizon is over, then a new one.

        Args:
            context: shape (inputs,), what a rule may go by; finite.
            decision: number of the decision; a new choice has it for its key.
            now_ns: engine time.
        """
        held = self._held
        if held is not None and now_ns - held.chosen_ns < self._hold_ns:
            return held
        weights = self._rule.probabilities(context)
        arm = _drawn(weights, uniform(self._key, decision))
        choice = Choice(decision, arm, weights[arm], now_ns)
        self._rule.started(arm)
        self._pending[decision] = choice, context.copy()
        if len(self._pending) > PENDING_MAX:
            self._give_up(next(iter(self._pending)))
        self._held = choice
        return choice

    def reward(self, decision: int, value: float) -> bool:
        """Tell what a choice brought; False where nothing waits for it, or the value is not finite."""
        found = self._pending.get(decision)
        if found is None or not math.isfinite(value):
            return False
        del self._pending[decision]
        choice, context = found
        self._rule.learn(choice.arm, context, choice.propensity, value)
        return True

    def release(self) -> None:
        """Hold the choice at hand no longer: the next call chooses anew."""
        self._held = None

    def abandon(self, decision: int) -> None:
        """A choice whose reward will not come: it was cut short, or its fills were lost."""
        if decision in self._pending:
            self._give_up(decision)

    def _give_up(self, decision: int) -> None:
        choice, _ = self._pending.pop(decision)
        self._rule.abandoned(choice.arm)
        self.given_up += 1


def _drawn(weights: list[float], u: float) -> int:
    """The arm that u in 0..1 falls to."""
    total = 0.0
    for arm, weight in enumerate(weights):
        total += weight
        if u < total:
            return arm
    return max(range(len(weights)), key=weights.__getitem__)
