"""The touch, and the microprice learned from it: where the mid is expected to settle, given imbalance and spread.

Each change of the touch is a transition of a Markov chain on (imbalance bucket, spread in ticks), counted in O(1).
Every so often `solve` makes a table of adjustments to the mid out of the counts and lets them forget a little. Each
transition is taken together with its mirror image, sides swapped. Under that symmetry the adjustment is odd, so the
half of the states in which the bid is the larger side is enough: a transition into the other half enters with a
minus sign, and with equal sizes the adjustment is 0. The series then converges, and the system to be solved is
strictly diagonally dominant and only STATES wide.

Source: Stoikov 2018, "The micro-price: a high-frequency estimator of future prices", theorem 3.1:
G* = sum of B**i g1, with g1 = (I-Q)^-1 R1 K and B = (I-Q)^-1 R2.
"""

from typing import Final

from mmd.jit.kernel import Rec, kernel, layout, leaf

WEIGHTED_MID, MICROPRICE, MID = 0, 1, 2
"""What fair value starts from: TOUCH.source."""

BUCKETS: Final = 5
"""Of the larger side's share of the lots, one half up to all."""
SPREADS: Final = 4
"""Spreads 1..SPREADS ticks; a wider one ends a path: no more is expected from there."""
STATES: Final = BUCKETS * SPREADS
TERMS: Final = 6
"""Of the series; the sixth changes the fourth decimal of a tick."""
TRUST_HALF: Final = 50.0
"""Transitions out of a state after which its adjustment counts half, and the size-weighted mid the other half."""
_LEAK: Final = 1e-9  # keeps I - Q regular where some states were never seen to change the mid
_NOWHERE: Final = -1


TOUCH = layout(
    ("bid", "i8"),
    ("ask", "i8"),
    ("mid_half_ticks", "i8"),  # bid + ask: an integer, exact
    ("source", "i8"),  # as above; nothing is counted unless it is MICROPRICE
    ("state", "i8"),  # of the last touch; -1 before one, and where it was outside the table
    ("sign", "i8"),  # 1 where the bid was the larger side, -1 the ask, 0 neither
    ("state_mid", "i8"),  # half ticks
    ("solves", "i8"),
    ("seen", "f8", (STATES,)),  # transitions out of a state
    ("drift", "f8", (STATES,)),  # ticks that the mid moved in them, towards the larger side
    ("stay", "f8", (STATES, STATES)),  # transitions with the mid unchanged, signed
    ("move", "f8", (STATES, STATES)),
    ("adjust", "f8", (STATES,)),  # ticks towards the larger side
    ("trust", "f8", (STATES,)),  # 0 to 1
    ("lower", "f8", (STATES, STATES)),  # work of `solve`
    ("term", "f8", (STATES,)),
    ("next_term", "f8", (STATES,)),
)
"""Best prices of the view after the last update, in ticks, and the chain of their states."""


@leaf
def size_weighted(bid: float, ask: float, bid_lots: float, ask_lots: float) -> float:
    """Mid weighted by the opposite sizes, in the unit of bid and ask; the plain mid where both are 0."""
    total = bid_lots + ask_lots
    if total <= 0.0 or bid >= ask:
        return 0.5 * (bid + ask)
    return min(max((bid * ask_lots + ask * bid_lots) / total, bid), ask)


@leaf
def _state(spread: int, bid_lots: int, ask_lots: int) -> int:
    """State of a touch, counted from the smaller side so that swapping sides changes nothing; -1 outside."""
    if not 0 < spread <= SPREADS or bid_lots <= 0 or ask_lots <= 0:
        return _NOWHERE
    smaller = min(bid_lots, ask_lots)
    even = min(smaller * 2 * BUCKETS // (bid_lots + ask_lots), BUCKETS - 1)
    return (BUCKETS - 1 - even) * SPREADS + spread - 1


@leaf
def _sign(bid_lots: int, ask_lots: int) -> int:
    """1 where the bid is the larger side, -1 where the ask is, 0 where neither."""
    return int(bid_lots > ask_lots) - int(bid_lots < ask_lots)


@leaf
def _count(t: Rec, state: int, sign: int, mid_half_ticks: int) -> None:
    """One transition from the last state, seen from the side that was the larger one.

    A jump of more than SPREADS ticks counts as SPREADS: it is news, which no imbalance foretold.
    """
    if t.state == _NOWHERE or t.sign == 0:
        return
    way = t.sign * sign
    t.seen[t.state] += 1.0
    jump = min(max(mid_half_ticks - t.state_mid, -2 * SPREADS), 2 * SPREADS)
    t.drift[t.state] += 0.5 * t.sign * jump
    if state == _NOWHERE:
        return
    if mid_half_ticks == t.state_mid:
        t.stay[t.state, state] += way
    else:
        t.move[t.state, state] += way


@leaf
def _adjustment(t: Rec, state: int, sign: int, weighted: float) -> float:
    """Microprice less mid: the table's, as far as it is trusted, and the size-weighted mid's for the rest."""
    if state == _NOWHERE:
        return weighted
    trust = t.trust[state]
    return float(trust * sign * t.adjust[state] + (1.0 - trust) * weighted)


@leaf
def centre(t: Rec, bid: int, ask: int, bid_lots: int, ask_lots: int) -> float:
    """Take in a two-sided touch; returns what fair value starts from, in ticks, never outside the spread."""
    t.bid = bid
    t.ask = ask
    t.mid_half_ticks = bid + ask
    mid = 0.5 * (bid + ask)
    if t.source == MID:
        return mid
    if bid >= ask:
        t.state = _NOWHERE
        return mid
    weighted = size_weighted(float(bid), float(ask), float(bid_lots), float(ask_lots))
    if t.source != MICROPRICE:
        return weighted
    state, sign = _state(ask - bid, bid_lots, ask_lots), _sign(bid_lots, ask_lots)
    if state != t.state or sign != t.sign or t.mid_half_ticks != t.state_mid:
        _count(t, state, sign, t.mid_half_ticks)
        t.state = state
        t.sign = sign
        t.state_mid = t.mid_half_ticks
    adjusted = mid + _adjustment(t, state, sign, weighted - mid)
    return min(max(adjusted, float(bid)), float(ask))


@kernel
def on_touch(touch: Rec, bid: int, ask: int, bid_lots: int, ask_lots: int) -> float:
    """`centre` of a record: take in a touch in ticks and lots; returns ticks."""
    return centre(touch[0], bid, ask, bid_lots, ask_lots)


@leaf
def break_path(t: Rec) -> None:
    """Leave the chain of states; an empty record is in no state either, because it has no sign."""
    t.state = _NOWHERE
    t.sign = 0


@kernel
def forget(touch: Rec) -> None:
    """Break the path: the next touch is no transition from the last, e.g. after the book was lost."""
    break_path(touch[0])


@leaf
def _factorise(t: Rec) -> None:
    """Write I - Q as lower * upper in place; no pivoting, because every row is dominated by its diagonal."""
    for i in range(STATES):
        per = max(t.seen[i], 1.0)
        for j in range(STATES):
            t.lower[i, j] = -(1.0 - _LEAK) * t.stay[i, j] / per
        t.lower[i, i] += 1.0
    for k in range(STATES):
        for i in range(k + 1, STATES):
            t.lower[i, k] /= t.lower[k, k]
            for j in range(k + 1, STATES):
                t.lower[i, j] -= t.lower[i, k] * t.lower[k, j]


@leaf
def _substitute(t: Rec) -> None:
    """Solve (I - Q) x = next_term in place."""
    for i in range(STATES):
        for j in range(i):
            t.next_term[i] -= t.lower[i, j] * t.next_term[j]
    for i in range(STATES - 1, -1, -1):
        for j in range(i + 1, STATES):
            t.next_term[i] -= t.lower[i, j] * t.next_term[j]
        t.next_term[i] /= t.lower[i, i]


@kernel
def solve(touch: Rec, elapsed_s: float, half_life_s: float) -> None:
    """Make the table anew from the counts, then let each lose the weight that it loses in elapsed_s.

    STATES**3 / 3 + TERMS * STATES**2 multiplications, whatever was counted.
    """
    t = touch[0]
    keep = 0.5 ** (elapsed_s / half_life_s)
    _factorise(t)
    for i in range(STATES):
        t.next_term[i] = t.drift[i] / max(t.seen[i], 1.0)
        t.adjust[i] = 0.0
    for _ in range(TERMS):
        _substitute(t)
        for i in range(STATES):
            t.term[i] = t.next_term[i]
            t.adjust[i] += t.term[i]
        for i in range(STATES):
            t.next_term[i] = 0.0
            for j in range(STATES):
                t.next_term[i] += t.move[i, j] * t.term[j]
            t.next_term[i] /= max(t.seen[i], 1.0)
    for i in range(STATES):
        t.trust[i] = t.seen[i] / (t.seen[i] + TRUST_HALF)
        t.seen[i] *= keep
        t.drift[i] *= keep
        for j in range(STATES):
            t.stay[i, j] *= keep
            t.move[i, j] *= keep
    t.solves += 1
