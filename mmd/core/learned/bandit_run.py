"""The bandit at work on one instrument: an arm is held, its fills are waited for, and what they earned is its reward.

Reward of a hold: markouts of its fills at the horizon less fees, less half gamma sigma^2 q^2 for each second of it, by the
gamma that no arm has changed; in standard deviations of the holds before. A hold that was cut short (a gap, a halt,
quotes pulled) teaches nothing: its choice is abandoned.
"""

import math
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from mmd.core.flow.block_earnings import BlockEarnings
from mmd.core.flow.markout import HORIZONS_NS
from mmd.core.learned.bandit_spec import BanditSpec, rule_of
from mmd.core.learned.bandits import NEUTRAL, Arm, Bandit, Choice
from mmd.core.learned.running_scale import RunningScale
from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import F8, Rec

CHOICES_KEPT: Final = 64
_LOG_RATIO_MAX: Final = 2.0


class _Hold(NamedTuple):
    """An arm's time that is over, while its last fills are still to be judged."""

    choice: Choice
    first: int
    end: int
    risk: float
    """Units times ticks."""


class ArmTally(NamedTuple):
    """What one arm has come to."""

    choices: int = 0
    rewards: int = 0
    earned: float = 0.0
    """Sum of the rewards, basis points of an order."""


class BanditRun:
    """One instrument's.

    Attributes:
        arms: what there is to choose from.
        tallies: by arm.
        choices: the last CHOICES_KEPT, newest last, with their propensities.
        choices_total: how many there were.
        abandoned: choices that taught nothing.
        arm: the one in force.
    """

    def __init__(
        self,
        spec: BanditSpec,
        *,
        seed: int,
        stream: int,
        markout: Rec,
        quote: Rec,
        use: Callable[[Arm], None],
    ) -> None:
        """`use` has quotes go by an arm from then on."""
        self.arms = spec.arms
        self.tallies = [ArmTally() for _ in spec.arms]
        self.choices: deque[Choice] = deque(maxlen=CHOICES_KEPT)
        self.choices_total = 0
        self.abandoned = 0
        self.arm = NEUTRAL
        self._bandit = Bandit(
            spec.arms, rule_of(spec), hold_ns=spec.hold_ns, seed=seed, stream=stream
        )
        self._hold_ns = spec.hold_ns
        self._earnings = BlockEarnings(markout, HORIZONS_NS.index(spec.horizon_ns))
        self._scale = RunningScale(spec.memory)
        self._quote, self._use = quote, use
        self._waiting: deque[_Hold] = deque()
        self._held: Choice | None = None
        self._first = 0
        self._risk = 0.0
        self._stepped_ns = 0
        self._per_bps = 0.0

    def on_step(self, now_ns: int, ticks_per_bps: float, *, is_quoting: bool) -> None:
        """About once a second: take rewards in that have come, and choose anew where a hold is over."""
        self._per_bps = ticks_per_bps
        self._learn()
        if not is_quoting:
            self.interrupt()
            self._stepped_ns = now_ns
            return
        held = self._held
        if held is not None:
            self._risk += self._risk_since(now_ns)
        self._stepped_ns = now_ns
        if held is None or now_ns - held.chosen_ns >= self._hold_ns:
            self._choose(now_ns)

    def interrupt(self) -> None:
        """Quotes do not go by an arm any more: back to the model's own."""
        if self._held is not None:
            self._abandon(self._held)
            self._held = None
            self._bandit.release()
            self._follow(NEUTRAL)

    def _choose(self, now_ns: int) -> None:
        if self._held is not None:
            self._waiting.append(_Hold(self._held, self._first, self._earnings.head, self._risk))
        self.choices_total += 1
        choice = self._bandit.choose(self._context(), self.choices_total, now_ns)
        self.choices.append(choice)
        tally = self.tallies[choice.arm]
        self.tallies[choice.arm] = tally._replace(choices=tally.choices + 1)
        self._held, self._first, self._risk = choice, self._earnings.head, 0.0
        self._follow(self.arms[choice.arm])

    def _follow(self, arm: Arm) -> None:
        if arm != self.arm:
            self.arm = arm
            self._use(arm)

    def _learn(self) -> None:
        """Reward the holds whose last fills have been judged, oldest first."""
        waiting = self._waiting
        while waiting and self._earnings.is_judged(waiting[0].end):
            hold = waiting.popleft()
            earned = self._earnings.of(hold.first, hold.end)
            if earned is None or self._per_bps <= 0.0:
                self._abandon(hold.choice)
                continue
            q = self._quote[0]
            fees = float(q["fee"]) * earned.lots
            units = (earned.tick_lots - fees) / int(q["unit_lots"]) - hold.risk
            self._reward(hold.choice, units / self._per_bps)

    def _reward(self, choice: Choice, earned_bps: float) -> None:
        if not math.isfinite(earned_bps):
            self._abandon(choice)
            return
        self._bandit.reward(choice.decision, self._scale.scaled(earned_bps))
        tally = self.tallies[choice.arm]
        self.tallies[choice.arm] = tally._replace(
            rewards=tally.rewards + 1, earned=tally.earned + earned_bps
        )

    def _abandon(self, choice: Choice) -> None:
        self.abandoned += 1
        self._bandit.abandon(choice.decision)

    def _risk_since(self, now_ns: int) -> float:
        """Half gamma sigma^2 q^2 over the time since the last step."""
        q = self._quote[0]
        gamma = float(q["gamma"]) / self.arm.gamma_factor
        elapsed_s = (now_ns - self._stepped_ns) / NANOS_PER_SECOND
        return 0.5 * gamma * (float(q["sigma"]) * float(q["inventory"])) ** 2 * elapsed_s

    def _context(self) -> F8:
        """See mmd.core.learned.bandit_spec.CONTEXT."""
        q = self._quote[0]
        sigma, slow = float(q["sigma"]), float(q["sigma_slow"])
        ratio = math.log(sigma / slow) if sigma > 0.0 and slow > 0.0 else 0.0
        ratio = min(max(ratio, -_LOG_RATIO_MAX), _LOG_RATIO_MAX)
        return np.array([1.0, abs(float(q["inventory_ratio"])), ratio])
