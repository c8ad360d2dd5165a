"""How fast what models say may move quotes: so many basis points of the mid a second of engine time.

A jump of a model's output, right or wrong, reaches the quotes over several bars. What is taken back is taken back at
once: the limit is on what a model adds, never on how fast quotes go back to those of the spread model.
"""

from typing import Final

from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import leaf

_BPS: Final = 1e-4
_S: Final = 1.0 / NANOS_PER_SECOND


@leaf
def elapsed_s(told_ns: int, now_ns: int) -> float:
    """Since quotes were last told; 0 where they never were."""
    return (now_ns - told_ns) * _S if 0 < told_ns < now_ns else 0.0


@leaf
def step_ticks(rate_bps: float, elapsed: float, mid_ticks: float) -> float:
    """How far a price may move meanwhile, rate_bps being basis points of the mid a second."""
    return rate_bps * _BPS * mid_ticks * elapsed


@leaf
def within(value: float, bound: float) -> float:
    """The value, or the nearer end of -bound to bound; a bound that is no number is 0."""
    if not bound > 0.0:
        return 0.0
    return min(max(value, -bound), bound)


@leaf
def toward(before: float, wanted: float, step: float) -> float:
    """As near to what is wanted as a step of this length from before comes."""
    return min(max(wanted, before - step), before + step)
