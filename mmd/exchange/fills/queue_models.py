"""Where in its queue an order stands when only the level's total is known: risk-averse, probabilistic, front.

All models advance with trades at the order's price. They differ in what a withdrawal does, of which a level 2
feed does not say whether it was ahead of us or behind:
    risk averse    behind, as long as there is enough behind
    probabilistic  behind with probability p = f(back) / (f(back) + f(front)) and its relatives
    front          nobody is ever ahead
Source: hftbacktest 2.4, "Order Fill", queue models; R. Schmidt 2013, "Estimating order queue position" (rigtorp.se).
"""

import math

from mmd.exchange.fills.record import FIFO, FRONT, LOG, LOG_2, POWER, POWER_2, RISK_AVERSE
from mmd.jit.kernel import Rec, kernel, leaf


@leaf
def behind_probability(model: int, front: float, back: float, n: float) -> float:
    """Probability that a withdrawal was behind us: front and back in units of base, n the power forms' exponent.

    Where a form is 0/0 (nobody at all) it is 1: there is nothing ahead to withdraw.
    """
    if model == POWER:
        weight, total = back**n, back**n + front**n
    elif model == POWER_2:
        weight, total = back**n, (back + front) ** n
    elif model == LOG:
        weight, total = math.log(1.0 + back), math.log(1.0 + back) + math.log(1.0 + front)
    elif model == LOG_2:
        weight, total = math.log(1.0 + back), math.log(1.0 + back + front)
    else:
        total = 1.0 if back + front > 0.0 else 0.0
        weight = 1.0 - (front / (front + back)) ** n if total > 0.0 else 0.0
    return weight / total if total > 0.0 else 1.0


@leaf
def ahead_on_arrival(f: Rec, shown: int) -> float:
    """Lots ahead of an order that joins a level with `shown` lots."""
    return 0.0 if f.model == FRONT else float(shown)


@leaf
def on_level_change(f: Rec, side: int, slot: int, before: int, after: int) -> None:
    """The level of an order went from `before` to `after` lots: move the order up by what its model says."""
    traded = f.traded[side, slot]
    f.traded[side, slot] = 0.0
    if f.model in (FRONT, FIFO):
        return
    front = f.ahead[side, slot]
    withdrawn = before - after - traded  # the trades have moved the order up already
    if f.model != RISK_AVERSE and withdrawn > 0.0:
        back = max(before - front, 0.0)
        unit = f.lot_size
        p = behind_probability(f.model, front * unit, back * unit, f.exponent)
        front = front - (1.0 - p) * withdrawn + min(back - p * withdrawn, 0.0)
    f.ahead[side, slot] = max(min(front, float(after)), 0.0)


@kernel
def probability(model: int, front: float, back: float, n: float) -> float:
    """`behind_probability` to be called from Python."""
    return behind_probability(model, front, back, n)
