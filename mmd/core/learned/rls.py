"""Recursive least squares with forgetting: a linear coefficient that follows the market, as a kernel.

For the flow-skew coefficient and the drift over short horizons. What is known is held in P, the inverse of the
discounted normal matrix; where inputs stay away P would grow without bound, so its trace is held below a limit
(else the first input after a calm would throw the coefficients about). Nothing is learned across a gap in the feed.

Source: Ljung & Soderstrom, "Theory and Practice of Recursive Identification" (1983), section 2.6.
"""

import math
from typing import Final

from mmd.jit.kernel import Rec, kernel, layout, leaf, new

OK, NOT_FINITE, FROZEN = 0, 1, 2
INPUTS_MAX: Final = 8

RLS = layout(
    ("inputs", "i8"),
    ("updates", "i8"),
    ("frozen", "i8"),  # 1 = learn nothing, as during a halt or an incident
    ("last_ns", "i8"),  # of the observation before; 0 = there was none
    ("gap_ns", "i8"),  # a longer silence is a gap
    ("settle_ns", "i8"),  # to wait after one
    ("frozen_until_ns", "i8"),
    ("keep", "f8"),  # forgetting factor, 1 = never
    ("trace_max", "f8"),
    ("residual", "f8"),  # of the last observation, before it was learned
    ("x", "f8", (INPUTS_MAX,)),
    ("theta", "f8", (INPUTS_MAX,)),
    ("gain", "f8", (INPUTS_MAX,)),
    ("p", "f8", (INPUTS_MAX, INPUTS_MAX)),
)


def new_rls(
    inputs: int,
    *,
    keep: float = 0.999,
    prior: float = 1.0,
    trace_max: float = 1e4,
    gap_ns: int = 2_000_000_000,
    settle_ns: int = 5_000_000_000,
) -> Rec:
    """Coefficients of 0 whose variance is `prior` times that of the noise."""
    assert 1 <= inputs <= INPUTS_MAX, f"expected 1 to {INPUTS_MAX} inputs, found {inputs}"
    assert 0.0 < keep <= 1.0, f"expected a forgetting factor above 0 and at most 1, found {keep}"
    assert 0.0 < prior * inputs <= trace_max, f"expected a prior above 0 within {trace_max}"
    rls = new(RLS)
    rls["inputs"], rls["keep"], rls["trace_max"] = inputs, keep, trace_max
    rls["gap_ns"], rls["settle_ns"] = gap_ns, settle_ns
    for i in range(inputs):
        rls["p"][0, i, i] = prior
    return rls


@leaf
def forecast(r: Rec) -> float:
    """What the coefficients make of the inputs x."""
    total = 0.0
    for i in range(r.inputs):
        total += r.theta[i] * r.x[i]
    return total


@leaf
def _may_learn(r: Rec, now_ns: int) -> bool:
    """Note the observation's time; whether it is neither after a gap nor in a halt."""
    if r.last_ns > 0 and now_ns - r.last_ns > r.gap_ns:
        r.frozen_until_ns = now_ns + r.settle_ns
    r.last_ns = now_ns
    return bool(r.frozen == 0 and now_ns >= r.frozen_until_ns)


@leaf
def _gain(r: Rec) -> float:
    """Write gain = P x and return x' P x."""
    spread = 0.0
    for i in range(r.inputs):
        total = 0.0
        for j in range(r.inputs):
            total += r.p[i, j] * r.x[j]
        r.gain[i] = total
        spread += r.x[i] * total
    return spread


@leaf
def _forget(r: Rec, spread: float) -> None:
    """P after the observation: less by what it told, more by what was forgotten, its trace within the limit."""
    trace = 0.0
    for i in range(r.inputs):
        for j in range(i, r.inputs):
            value = (r.p[i, j] - r.gain[i] * r.gain[j] / (r.keep + spread)) / r.keep
            r.p[i, j] = value
            r.p[j, i] = value
        trace += r.p[i, i]
    if trace > r.trace_max:
        shrink = r.trace_max / trace
        for i in range(r.inputs):
            for j in range(r.inputs):
                r.p[i, j] *= shrink


@kernel
def update(rls: Rec, now_ns: int, y: float) -> int:
    """Learn that inputs x were followed by y, known at now_ns.

    Returns:
        OK; NOT_FINITE (x or y is not: nothing changes) or FROZEN (only the residual is written).
    """
    r = rls[0]
    residual = y - forecast(r)
    spread = _gain(r)
    if not math.isfinite(residual + spread):
        return NOT_FINITE
    r.residual = residual
    if not _may_learn(r, now_ns):
        return FROZEN
    for i in range(r.inputs):
        r.theta[i] += r.gain[i] / (r.keep + spread) * residual
    _forget(r, spread)
    r.updates += 1
    return OK
