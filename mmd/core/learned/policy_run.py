"""The Q-learning policy at work on one instrument: once a bar of its own it chooses among five ways to quote."""

import math
from functools import partial
from typing import NamedTuple

from mmd.core.learned import q_policy
from mmd.core.learned.q_policy import NO_QUOTES, NORMAL, SKEW_FACTORS, SPREAD_FACTORS
from mmd.core.learned.served_model import ServedModel
from mmd.core.market import features as feats
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import ArtefactError
from mmd.jit.kernel import F4, Rec, bind

_MINUTE_S = 60.0
_SPREAD, _IMBALANCE = feats.index("spread"), feats.index("imbalance_1")


class PolicyInputs(NamedTuple):
    """What the policy looks at, at the end of a bar."""

    inventory_ratio: float
    mid_ticks: float
    spread_ticks: float
    sigma_ticks: float
    """Per square root of a second."""
    close_s: float
    """To the daily close; 0: there is none."""
    imbalance: float


def policy_inputs(quote: Rec, vol: Rec, x: F4, mid_ticks: float) -> PolicyInputs:
    """As of the bar's end, whose inputs are x; inventory and time left as of the last decision."""
    return PolicyInputs(
        inventory_ratio=float(quote["inventory_ratio"][0]),
        mid_ticks=mid_ticks,
        spread_ticks=float(x[_SPREAD]),
        sigma_ticks=float(vol["sigma"][0]),
        close_s=float(quote["tau_s"][0]),
        imbalance=float(x[_IMBALANCE]),
    )


class Lean(NamedTuple):
    """Factors on quotes."""

    spread: float = 1.0
    size: float = 1.0
    skew: float = 1.0


class PolicyRun:
    """One table.

    Attributes:
        model: which one.
        action: the last, of mmd.core.learned.q_policy.
        decisions: how often one was chosen.
    """

    def __init__(self, model: ServedModel) -> None:
        """Raises: ArtefactError where it is no table that fits."""
        self.model = model
        self.action = NORMAL
        self.decisions = 0
        try:
            policy = q_policy.new_policy(model.weights)
        except (KeyError, ValueError) as error:
            raise ArtefactError(f"model {model.id} is no table that fits: {error}") from error
        numbers = (0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        self._decide = partial(bind(q_policy.decide, policy, *numbers), policy)
        self._bar_s = model.bar_ns / NANOS_PER_SECOND
        self._decided_ns = 0
        self._mid_ticks = 0.0

    @property
    def lean(self) -> Lean:
        """What the last action makes of quotes; no quotes are orders of no size."""
        at = self.action
        return Lean(SPREAD_FACTORS[at], 0.0 if at == NO_QUOTES else 1.0, SKEW_FACTORS[at])

    @property
    def action_name(self) -> str:
        """Of the last action."""
        return q_policy.ACTION_NAMES[self.action]

    def step(self, end_ns: int, now: PolicyInputs) -> None:
        """Choose, if a bar of the policy's own has passed."""
        if end_ns - self._decided_ns < self.model.bar_ns:
            return
        before, self._mid_ticks = self._mid_ticks, now.mid_ticks
        self._decided_ns = end_ns
        if before == 0.0 or now.sigma_ticks <= 0.0:
            self.action = NORMAL
            return
        self.decisions += 1
        self.action = self._decide(
            self.decisions,
            now.inventory_ratio,
            (now.mid_ticks - before) / (now.sigma_ticks * math.sqrt(self._bar_s)),
            now.spread_ticks,
            1e4 * now.sigma_ticks * math.sqrt(_MINUTE_S) / now.mid_ticks,
            now.close_s if now.close_s > 0.0 else math.inf,
            now.imbalance,
        )

    def restart(self) -> None:
        """Nothing is known of the last bar."""
        self.action, self._mid_ticks = NORMAL, 0.0
