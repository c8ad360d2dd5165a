"""Optimal quotes without a horizon: Gueant, Lehalle and Fernandez-Tapia, exact by table and in closed form.

With alpha = k*gamma*sigma^2/2 and eta = A*(1 + gamma/k)^-(1 + k/gamma), the value function's ground state v is
the eigenvector for the smallest eigenvalue of the tridiagonal matrix with alpha*q^2 on the diagonal and -eta
beside it, q = -Q..Q. Divided by eta it depends on the ratio alpha/eta alone, so one table of
G(q) = ln(v_q / v_{q+1}) over (q, ratio) serves all parameters. The half-spreads are
    bid(q) = ln(1 + gamma/k)/gamma + G(q)/k + xi/2        ask(q) = bid(-q)

Source: Gueant, Lehalle, Fernandez-Tapia, "Dealing with the inventory risk" (2013), theorem 2 and section 5.
"""

import functools
import math
from typing import Final

from mmd.core.quoting.record import ASK, BID, NOT_FINITE, OK, OUT_OF_RANGE
from mmd.errors import ConfigError
from mmd.jit.kernel import Rec, bind, kernel, layout, leaf, new

Q_CAPACITY: Final = 128
NODES: Final = 160
LOG_RATIO_MIN: Final = math.log(1e-7)
LOG_RATIO_MAX: Final = math.log(1e3)
_STEP: Final = (LOG_RATIO_MAX - LOG_RATIO_MIN) / (NODES - 1)
_BISECTIONS: Final = 60
_EXPONENT_MAX: Final = 700.0  # math.exp raises beyond 709 where a compiled exp gives infinity
_SIGMA_MIN: Final = 1e-9  # keeps the logarithm finite; as good as no volatility

GLFT = layout(
    ("q_max", "i8"),
    ("slope", "f8", (Q_CAPACITY, NODES)),  # G(q) / sqrt(ratio) by q = 0..q_max-1 and log ratio
)
NO_TABLE = layout(("q_max", "i8"))
"""What the closed form is given in the table's place, and does not read."""


@leaf
def log_alpha_over_eta(
    gamma: float, sigma: float, rate: float, decay: float, impact: float
) -> float:
    """ln(alpha/eta); needs gamma, rate and decay above 0."""
    alpha = 0.5 * decay * gamma * max(sigma, _SIGMA_MIN) ** 2
    exponent = (1.0 + decay / gamma) * math.log1p(gamma / decay)
    return math.log(alpha / rate) + exponent + 0.5 * decay * impact


@leaf
def _below_ground(ratio: float, q_max: int, eigenvalue: float) -> bool:
    """Whether matrix - eigenvalue is positive definite: every pivot of its elimination is above 0.

    The ground state is even in q, so the half q = 0..q_max is enough; the row of 0 sees its neighbour twice.
    """
    pivot = ratio * q_max * q_max - eigenvalue
    for q in range(q_max - 1, 0, -1):
        if pivot <= 0.0:
            return False
        pivot = ratio * q * q - eigenvalue - 1.0 / pivot
    return pivot > 0.0 and -eigenvalue - 2.0 / pivot > 0.0


@kernel
def build(table: Rec, q_max: int) -> int:
    """Fill the table by bisection on the ground state's eigenvalue, by Sturm's count.

    At the eigenvalue the pivots themselves are the ratios v_{q-1}/v_q, found from the boundary inwards, the
    direction in which rounding errors shrink.
    """
    t = table[0]
    if not 2 <= q_max <= Q_CAPACITY:
        return OUT_OF_RANGE
    t.q_max = q_max
    for node in range(NODES):
        ratio = math.exp(LOG_RATIO_MIN + node * _STEP)
        low, high = -2.0, 0.0  # Gershgorin's circle, and the Rayleigh quotient of q = 0 alone
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            if _below_ground(ratio, q_max, middle):
                low = middle
            else:
                high = middle
        root = math.sqrt(ratio)
        pivot = ratio * q_max * q_max - low
        for q in range(q_max - 1, -1, -1):
            t.slope[q, node] = math.log(pivot) / root
            pivot = ratio * q * q - low - 1.0 / pivot
    return OK


def new_table(q_max: int) -> Rec:
    """GLFT table for inventories of -q_max..q_max units.

    Raises:
        ConfigError: q_max is not between 2 and Q_CAPACITY.
    """
    table = new(GLFT)
    table[:] = _built(q_max)
    return table


@functools.cache
def _built(q_max: int) -> Rec:
    """The table that others are copied from: it depends on nothing else, and takes a millisecond to build."""
    table = new(GLFT)
    if bind(build, table, q_max)(table, q_max) != OK:
        raise ConfigError(f"glft_q_max is {q_max}, expected 2 to {Q_CAPACITY} units: change it")
    return table


@leaf
def _node(log_ratio: float) -> tuple[int, float, float, float, float]:
    """Left node and the weights of four nodes for cubic interpolation (Lagrange) in the log ratio."""
    at = (min(max(log_ratio, LOG_RATIO_MIN), LOG_RATIO_MAX) - LOG_RATIO_MIN) / _STEP
    j = min(max(int(at), 1), NODES - 3)
    f = at - j
    left, right, far = f + 1.0, f - 1.0, f - 2.0
    return (
        j - 1,
        -f * right * far / 6.0,
        0.5 * left * right * far,
        -0.5 * left * f * far,
        left * f * right / 6.0,
    )


@leaf
def _row(t: Rec, q: int, node: tuple[int, float, float, float, float]) -> float:
    """Table at whole q, between nodes."""
    j, a, b, c, d = node
    return float(
        a * t.slope[q, j] + b * t.slope[q, j + 1] + c * t.slope[q, j + 2] + d * t.slope[q, j + 3]
    )


@leaf
def _slope(t: Rec, inventory: float, node: tuple[int, float, float, float, float]) -> float:
    """G(q)/sqrt(ratio) for a fractional inventory: odd about q = -1/2, linear between whole units.

    Beyond the table it goes on with the last slope, so that more inventory always leans further.
    """
    from_centre = inventory + 0.5
    u = abs(from_centre)
    if u < 0.5:
        return 2.0 * from_centre * _row(t, 0, node)
    q = min(int(min(u - 0.5, float(Q_CAPACITY))), t.q_max - 2)
    low = _row(t, q, node)
    value: float = low + (u - 0.5 - q) * (_row(t, q + 1, node) - low)
    return value if from_centre > 0.0 else -value


@leaf
def usable(q: Rec) -> bool:
    """Whether the inputs of the optimal models are finite and of the right sign."""
    return bool(
        math.isfinite(q.inventory + q.drift + q.impact)
        and 0.0 < q.gamma < math.inf
        and 0.0 <= q.sigma < math.inf
        and 0.0 < q.rate[BID] < math.inf
        and 0.0 < q.rate[ASK] < math.inf
        and 0.0 < q.decay[BID] < math.inf
        and 0.0 < q.decay[ASK] < math.inf
    )


@leaf
def _effective_inventory(q: Rec) -> float:
    """Inventory seen from its optimum: a drift mu makes mu/(gamma*sigma^2) units worth holding."""
    if q.drift == 0.0:
        return float(q.inventory)
    return float(q.inventory - q.drift / (q.gamma * max(q.sigma, _SIGMA_MIN) ** 2))


@leaf
def _finish(q: Rec, lean: float) -> int:
    """Split the distances in q.offset into width and skew; returns a status."""
    q.skew = lean
    q.offset[BID] += lean
    q.offset[ASK] -= lean
    return OK if math.isfinite(q.offset[BID] + q.offset[ASK] + lean) else NOT_FINITE


@leaf
def _place(q: Rec, side: int) -> tuple[tuple[int, float, float, float, float], float]:
    """Where a side's parameters lie in the table, and ticks to one of its values: sqrt(alpha/eta)/k."""
    k = q.decay[side]
    log_ratio = log_alpha_over_eta(q.gamma, q.sigma, q.rate[side], k, q.impact)
    return _node(log_ratio), math.exp(0.5 * min(log_ratio, LOG_RATIO_MAX)) / k


@leaf
def _without_inventory(q: Rec, side: int) -> float:
    """What of a side's half spread is the same at every inventory: ln(1 + gamma/k)/gamma + xi/2."""
    return float(math.log1p(q.gamma / q.decay[side]) / q.gamma + 0.5 * q.impact)


@kernel
def offsets(quote: Rec, table: Rec) -> int:
    """Write quote.offset and quote.skew from the exact solution; each side by its own A and k.

    What depends on inventory goes to the skew, so that sides with different A and k keep their own widths.
    Returns OK, OUT_OF_RANGE (an input is not finite or of the wrong sign) or NOT_FINITE (the result).
    """
    q, t = quote[0], table[0]
    if not usable(q):
        return OUT_OF_RANGE
    inventory = _effective_inventory(q)
    lean = 0.0
    for side in range(2):
        sign = 1.0 - 2.0 * side
        node, scale = _place(q, side)
        flat = scale * _slope(t, 0.0, node)
        held = scale * _slope(t, sign * inventory, node)
        q.offset[side] = _without_inventory(q, side) + held
        lean -= 0.5 * sign * (held - flat)
    return _finish(q, lean)


@leaf
def flat_half(q: Rec, t: Rec, side: int) -> float:
    """Half spread of one side for whoever holds nothing, in ticks; needs usable inputs."""
    node, scale = _place(q, side)
    return float(_without_inventory(q, side) + scale * _slope(t, 0.0, node))


@kernel
def closed_form(quote: Rec, _: Rec) -> int:
    """Write quote.offset and quote.skew from the asymptotic expansion; poor at large inventories.

    bid(q) = c1 + (1 + 2q)/2 * c2, c2 = sqrt(alpha/eta)/k. Returns as `offsets` does.
    """
    q = quote[0]
    if not usable(q):
        return OUT_OF_RANGE
    inventory = _effective_inventory(q)
    lean = 0.0
    for side in range(2):
        sign = 1.0 - 2.0 * side
        k = q.decay[side]
        log_ratio = log_alpha_over_eta(q.gamma, q.sigma, q.rate[side], k, q.impact)
        c2 = math.exp(min(0.5 * log_ratio, _EXPONENT_MAX)) / k
        c1 = math.log1p(q.gamma / k) / q.gamma
        q.offset[side] = c1 + 0.5 * q.impact + (0.5 + sign * inventory) * c2
        lean -= 0.5 * inventory * c2
    return _finish(q, lean)
