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
from mmd.jit.kernel import F4, Rec, bind, kernel, layout, new

_MINUTE_S = 60.0
SPREAD, IMBALANCE = feats.index("spread"), feats.index("imbalance_1")
"""Of the inputs of a bar."""

CHOICE = layout(
    ("bar_ns", "i8"),  # of the policy
    ("decided_ns", "i8"),  # end of the bar at which it last chose
    ("mid", "f8"),  # ticks, then; 0 = nothing is known of it
    ("action", "i8"),  # of mmd.core.learned.q_policy
    ("decisions", "i8"),
)


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
        spread_ticks=float(x[SPREAD]),
        sigma_ticks=float(vol["sigma"][0]),
        close_s=float(quote["tau_s"][0]),
        imbalance=float(x[IMBALANCE]),
    )


class Lean(NamedTuple):
    """Factors on quotes."""

    spread: float = 1.0
    size: float = 1.0
    skew: float = 1.0


@kernel
def choose(  # noqa: PLR0913, PLR0917 - a kernel
    choice: Rec,
    policy: Rec,
    end_ns: int,
    inventory_ratio: float,
    mid_ticks: float,
    spread_ticks: float,
    sigma_ticks: float,
    close_s: float,
    imbalance: float,
) -> None:
    """Choose at the end of a bar, if a bar of the policy's own has passed; the inputs are those of PolicyInputs."""
    c = choice[0]
    if end_ns - c.decided_ns < c.bar_ns:
        return
    before, c.mid = c.mid, mid_ticks
    c.decided_ns = end_ns
    if before == 0.0 or sigma_ticks <= 0.0:
        c.action = NORMAL
        return
    c.decisions += 1
    bar_s = c.bar_ns / NANOS_PER_SECOND
    c.action = q_policy.decide(
        policy,
        c.decisions,
        inventory_ratio,
        (mid_ticks - before) / (sigma_ticks * math.sqrt(bar_s)),
        spread_ticks,
        1e4 * sigma_ticks * math.sqrt(_MINUTE_S) / mid_ticks,
        close_s if close_s > 0.0 else math.inf,
        imbalance,
    )


class PolicyRun:
    """One table.

    Attributes:
        model: which one.
        record: CHOICE.
        policy: POLICY.
    """

    def __init__(self, model: ServedModel) -> None:
        """Raises: ArtefactError where it is no table that fits."""
        self.model = model
        self.record: Rec = new(CHOICE)
        self.record["bar_ns"], self.record["action"] = model.bar_ns, NORMAL
        self._action = memoryview(self.record["action"])
        try:
            self.policy: Rec = q_policy.new_policy(model.weights)
        except (KeyError, ValueError) as error:
            raise ArtefactError(f"model {model.id} is no table that fits: {error}") from error
        chosen = self.record, self.policy
        self._choose = partial(bind(choose, *chosen, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0), *chosen)

    @property
    def action(self) -> int:
        """The last, of mmd.core.learned.q_policy."""
        return self._action[0]

    @property
    def decisions(self) -> int:
        """How often one was chosen."""
        return int(self.record["decisions"][0])

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
        self._choose(end_ns, *now)

    def restart(self) -> None:
        """Nothing is known of the last bar."""
        self.record["action"], self.record["mid"] = NORMAL, 0.0
