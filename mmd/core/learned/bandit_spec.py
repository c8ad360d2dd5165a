"""What a session is told about its bandit, and the rules that it can go by."""

from collections.abc import Callable
from typing import Final

import msgspec

from mmd.core.learned.bandit_rules import (
    DiscountedLinUcb,
    DiscountedThompson,
    DiscountedUcb,
    Exp3S,
    Rule,
    SlidingWindowUcb,
)
from mmd.core.learned.bandits import NEUTRAL, Arm

CONTEXT: Final = ("one", "inventory_ratio_abs", "log_volatility_ratio")
"""What a rule may go by, in order: a constant, how full the position limit is, volatility against its slow average."""


class BanditSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How risk aversion and impact are tried out; user-facing meaning and defaults stand in mmd.config_bandit."""

    rule: str = "thompson"
    arms: tuple[Arm, ...] = (NEUTRAL,)
    """The first is NEUTRAL."""
    hold_ns: int = 30_000_000_000
    horizon_ns: int = 5_000_000_000
    """Of the markouts that rewards are made of; one of mmd.core.flow.markout.HORIZONS_NS, at most hold_ns."""
    memory: int = 200
    """Rewards after which one counts little."""


_MAKERS: Final[dict[str, Callable[[int, float, int], Rule]]] = {
    "discounted_ucb": lambda arms, discount, _: DiscountedUcb(arms, 1.0, discount),
    "sliding_window_ucb": lambda arms, _, memory: SlidingWindowUcb(arms, 1.0, memory),
    "thompson": lambda arms, discount, _: DiscountedThompson(arms, 1.0, discount),
    "linucb": lambda arms, discount, _: DiscountedLinUcb(arms, 1.0, len(CONTEXT), discount),
    "exp3s": lambda arms, _, __: Exp3S(arms, 1.0),
}
RULES: Final = tuple(_MAKERS)


def rule_of(spec: BanditSpec) -> Rule:
    """The rule that a session asked for; values are to come in standard deviations."""
    return _MAKERS[spec.rule](len(spec.arms), 1.0 - 1.0 / spec.memory, spec.memory)
