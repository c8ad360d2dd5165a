"""Six rules that say how likely each arm is to be chosen next: five that forget, and UCB1 that does not.

A rule answers with probabilities, of which most give all to one arm; `mmd.core.learned.bandits` draws. Values are
divided by `scale`, the usual distance between good and bad, so that bonuses mean the same in any market.
"""

import math
from collections import deque
from typing import Final, Protocol

import numpy as np

from mmd.jit.kernel import F8

_QUADRATURE: Final = 24
_REACH: Final = 4.0


class Rule(Protocol):
    """How arms are preferred."""

    def probabilities(self, context: F8) -> list[float]:
        """Of choosing each arm now; they add up to 1."""

    def started(self, arm: int) -> None:
        """An arm was chosen; its value comes later."""

    def abandoned(self, arm: int) -> None:
        """The value of an arm that was chosen will not come."""

    def learn(self, arm: int, context: F8, propensity: float, value: float) -> None:
        """What an arm brought that was chosen in this context with this probability."""


class DiscountedUcb:
    """The best discounted mean plus a bonus for what was seen little of late.

    With discount 1 and exploration 2 it is UCB1: `ucb1` makes it.
    Source: Garivier & Moulines, "On upper-confidence bound policies for switching bandit problems" (2011), section 3;
    Auer, Cesa-Bianchi & Fischer (2002) for UCB1.
    """

    def __init__(
        self, arms: int, scale: float, discount: float = 0.995, exploration: float = 0.4
    ) -> None:
        assert 0.0 < discount <= 1.0, f"expected a discount above 0 and at most 1, found {discount}"
        self._scale, self._discount, self._exploration = scale, discount, exploration
        self._count, self._sum = [0.0] * arms, [0.0] * arms
        self._pending = [0] * arms

    def probabilities(self, context: F8) -> list[float]:
        """All for the arm with the highest upper bound; arms without any value yet come first."""
        fresh = _unseen(self._count, self._pending)
        if fresh >= 0:
            return _certain(fresh, len(self._count))
        logarithm = self._exploration * max(math.log(sum(self._count)), 0.0)
        bounds = [
            s / n + math.sqrt(logarithm / n) for s, n in zip(self._sum, self._count, strict=True)
        ]
        return _certain(bounds.index(max(bounds)), len(bounds))

    def started(self, arm: int) -> None:
        """Count it as under way."""
        self._pending[arm] += 1

    def abandoned(self, arm: int) -> None:
        """Count it as under way no longer."""
        self._pending[arm] -= 1

    def learn(self, arm: int, context: F8, propensity: float, value: float) -> None:
        """Let all that is known fade by the discount, and add the value."""
        self._pending[arm] -= 1
        for i in range(len(self._count)):
            self._count[i] *= self._discount
            self._sum[i] *= self._discount
        self._count[arm] += 1.0
        self._sum[arm] += value / self._scale


def ucb1(arms: int, scale: float) -> DiscountedUcb:
    """UCB1, which never forgets: the yardstick of the others."""
    return DiscountedUcb(arms, scale, discount=1.0, exploration=2.0)


class SlidingWindowUcb:
    """The best mean of the last so many values, plus a bonus.

    Source: Garivier & Moulines (2011), section 4.
    """

    def __init__(
        self, arms: int, scale: float, window: int = 400, exploration: float = 0.4
    ) -> None:
        self._scale, self._exploration = scale, exploration
        self._last: deque[tuple[int, float]] = deque(maxlen=window)
        self._count, self._sum = [0] * arms, [0.0] * arms
        self._pending = [0] * arms

    def probabilities(self, context: F8) -> list[float]:
        """All for the arm with the highest upper bound; arms that left the window come first."""
        fresh = _unseen(self._count, self._pending)
        if fresh >= 0:
            return _certain(fresh, len(self._count))
        logarithm = self._exploration * math.log(len(self._last))
        bounds = [
            s / n + math.sqrt(logarithm / n) for s, n in zip(self._sum, self._count, strict=True)
        ]
        return _certain(bounds.index(max(bounds)), len(bounds))

    def started(self, arm: int) -> None:
        """Count it as under way."""
        self._pending[arm] += 1

    def abandoned(self, arm: int) -> None:
        """Count it as under way no longer."""
        self._pending[arm] -= 1

    def learn(self, arm: int, context: F8, propensity: float, value: float) -> None:
        """Take the value in, and the oldest out where the window is full."""
        self._pending[arm] -= 1
        if len(self._last) == self._last.maxlen:
            old, gone = self._last[0]
            self._count[old] -= 1
            self._sum[old] = self._sum[old] - gone if self._count[old] > 0 else 0.0
        self._last.append((arm, value / self._scale))
        self._count[arm] += 1
        self._sum[arm] += value / self._scale


class DiscountedThompson:
    """Arms by the probability that they are the best, under Gaussian beliefs that fade back to ignorance.

    Source: Raj & Kalyani, "Taming non-stationary bandits: a Bayesian approach" (2017), with Gaussian rewards.
    """

    def __init__(
        self, arms: int, scale: float, discount: float = 0.995, prior_sd: float = 1.0
    ) -> None:
        assert 0.0 < discount <= 1.0, f"expected a discount above 0 and at most 1, found {discount}"
        self._scale, self._discount = scale, discount
        self._prior = 1.0 / prior_sd**2
        self._count, self._sum = [0.0] * arms, [0.0] * arms

    def probabilities(self, context: F8) -> list[float]:
        """Of each arm's mean being the highest, by quadrature over the beliefs."""
        precision = [n + self._prior for n in self._count]
        centre = [s / p for s, p in zip(self._sum, precision, strict=True)]
        return _best_probabilities(centre, [1.0 / math.sqrt(p) for p in precision])

    def started(self, arm: int) -> None:
        """Beliefs change with values only."""

    def abandoned(self, arm: int) -> None:
        """Beliefs change with values only."""

    def learn(self, arm: int, context: F8, propensity: float, value: float) -> None:
        """Let beliefs fade by the discount, and add the value."""
        for i in range(len(self._count)):
            self._count[i] *= self._discount
            self._sum[i] *= self._discount
        self._count[arm] += 1.0
        self._sum[arm] += value / self._scale


class DiscountedLinUcb:
    """A linear forecast of each arm's value by the context, plus a bonus; both forget.

    Source: Russac, Vernade & Cappe, "Weighted linear bandits for non-stationary environments" (2019), D-LinUCB, with
    weights of each arm's own.
    """

    def __init__(
        self,
        arms: int,
        scale: float,
        inputs: int,
        discount: float = 0.995,
        bonus: float = 1.0,
        ridge: float = 1.0,
    ) -> None:
        assert 0.0 < discount <= 1.0, f"expected a discount above 0 and at most 1, found {discount}"
        self._scale, self._discount, self._bonus, self._ridge = scale, discount, bonus, ridge
        self._v = np.tile(ridge * np.eye(inputs), (arms, 1, 1))
        self._v_squared = self._v.copy()
        self._xy = np.zeros((arms, inputs))

    def probabilities(self, context: F8) -> list[float]:
        """All for the arm with the highest upper bound in this context, shape (inputs,)."""
        seen = np.linalg.solve(self._v, np.broadcast_to(context, self._xy.shape)[..., None])[..., 0]
        width = np.sqrt(np.einsum("ai,aij,aj->a", seen, self._v_squared, seen))
        bounds = (seen * self._xy).sum(axis=1) + self._bonus * width
        return _certain(int(bounds.argmax()), len(bounds))

    def started(self, arm: int) -> None:
        """Weights change with values only."""

    def abandoned(self, arm: int) -> None:
        """Weights change with values only."""

    def learn(self, arm: int, context: F8, propensity: float, value: float) -> None:
        """Let all arms fade by the discount, but for the ridge, and add the observation."""
        g, eye = self._discount, np.eye(len(context))
        outer = np.outer(context, context)
        self._v = g * self._v + (1.0 - g) * self._ridge * eye
        self._v_squared = g * g * self._v_squared + (1.0 - g * g) * self._ridge * eye
        self._xy *= g
        self._v[arm] += outer
        self._v_squared[arm] += outer
        self._xy[arm] += context * (value / self._scale)


class Exp3S:
    """Weights that grow with what arms bring and leak to all arms; assumes nothing about how values come about.

    Source: Auer, Cesa-Bianchi, Freund & Schapire, "The nonstochastic multiarmed bandit problem" (2002), EXP3.S.
    Values are held within 2 scales of 0 and mapped to -1/2..1/2, which leaves the mean weight where it is.
    """

    def __init__(
        self,
        arms: int,
        scale: float,
        exploration: float = 0.1,
        sharing: float = 1e-3,
        rate: float = 0.2,
    ) -> None:
        self._scale, self._exploration, self._sharing = scale, exploration, sharing
        self._rate = rate
        self._weights = [1.0 / arms] * arms

    def probabilities(self, context: F8) -> list[float]:
        """Weights, mixed with an even share."""
        even = self._exploration / len(self._weights)
        return [(1.0 - self._exploration) * w + even for w in self._weights]

    def started(self, arm: int) -> None:
        """Weights change with values only."""

    def abandoned(self, arm: int) -> None:
        """Weights change with values only."""

    def learn(self, arm: int, context: F8, propensity: float, value: float) -> None:
        """Grow the arm's weight by its value over its propensity, share, and bring the sum to 1."""
        gain = 0.25 * min(max(value / self._scale, -2.0), 2.0)
        arms = len(self._weights)
        grown = list(self._weights)
        grown[arm] *= math.exp(min(max(self._rate * gain / propensity, -_REACH), _REACH))
        shared = math.e * self._sharing / arms  # of weights that add up to 1
        total = sum(grown) + arms * shared
        self._weights = [(w + shared) / total for w in grown]


def _unseen(count: "list[float] | list[int]", pending: list[int]) -> int:
    """The arm without values that is least under way; -1 where all have some."""
    without = [i for i, n in enumerate(count) if n <= 1e-9]
    return min(without, key=lambda i: (pending[i], i)) if without else -1


def _certain(arm: int, arms: int) -> list[float]:
    return [1.0 if i == arm else 0.0 for i in range(arms)]


def _best_probabilities(centre: list[float], sd: list[float]) -> list[float]:
    """Probability of each of some Gaussians to be the largest: the integral of its density times the others' shares."""
    found = []
    for i, (mu, sigma) in enumerate(zip(centre, sd, strict=True)):
        total = 0.0
        for step in range(_QUADRATURE):
            z = _REACH * (2.0 * (step + 0.5) / _QUADRATURE - 1.0)
            share = math.exp(-0.5 * z * z)
            for j in range(len(centre)):
                if j != i:
                    share *= 0.5 * math.erfc((centre[j] - mu - z * sigma) / (sd[j] * math.sqrt(2)))
            total += share
        found.append(total)
    whole = sum(found)
    return [p / whole for p in found]
