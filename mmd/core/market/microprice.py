"""The microprice: where the mid is expected to settle, given the imbalance and the spread of the touch.

`fit` estimates it offline from quotes, as a table of adjustments to the mid; `microprice` looks it up.
"""

import math
from collections.abc import Iterable

import numpy as np

from mmd.jit.kernel import F8, I8, Rec, kernel, layout, leaf

N_IMB_MAX, N_SPREAD_MAX = 64, 16
MICROPRICE = layout(
    ("n_imb", "i8"),  # 0 = no table
    ("n_spread", "i8"),
    ("adjust", "f8", (N_IMB_MAX, N_SPREAD_MAX)),  # ticks, by imbalance bucket and spread - 1
)
_LEAK = 1e-9  # keeps I - Q regular where some states were never seen to change the mid


def load(table: Rec, adjust: F8) -> None:
    """Put a fitted table, shape (n_imb, n_spread) in ticks, into a MICROPRICE record."""
    n_imb, n_spread = adjust.shape
    assert n_imb <= N_IMB_MAX, f"expected at most {N_IMB_MAX} imbalance buckets, found {n_imb}"
    assert n_spread <= N_SPREAD_MAX, f"expected at most {N_SPREAD_MAX} spreads, found {n_spread}"
    table["adjust"][0, :n_imb, :n_spread] = adjust
    table["n_imb"], table["n_spread"] = n_imb, n_spread


@leaf
def size_weighted(bid: float, ask: float, bid_lots: float, ask_lots: float) -> float:
    """Mid weighted by the opposite sizes, in the unit of bid and ask; the plain mid where both are 0."""
    total = bid_lots + ask_lots
    if total <= 0.0 or bid >= ask:
        return 0.5 * (bid + ask)
    return min(max((bid * ask_lots + ask * bid_lots) / total, bid), ask)


@leaf
def _bucket(bid_lots: int, ask_lots: int, n_imb: int) -> int:
    """Imbalance bucket, counted from the smaller side so that swapping sides mirrors it exactly."""
    total = bid_lots + ask_lots
    if bid_lots <= ask_lots:
        return bid_lots * n_imb // total
    return n_imb - 1 - ask_lots * n_imb // total


@kernel
def microprice(table: Rec, book: Rec) -> float:
    """Microprice of the book's view in ticks; NaN where a side is empty.

    It is the size-weighted mid where the table is empty, the spread is wider than the table, or the state
    was not seen when it was fitted.
    """
    t, b = table[0], book[0]
    if b.nview[0] == 0 or b.nview[1] == 0:
        return math.nan
    bid, ask = b.vpx[0, 0], b.vpx[1, 0]
    bid_lots, ask_lots = b.vsz[0, 0], b.vsz[1, 0]
    if 0 < ask - bid <= t.n_spread:
        adjust = t.adjust[_bucket(bid_lots, ask_lots, t.n_imb), ask - bid - 1]
        if not math.isnan(adjust):
            if bid_lots == ask_lots:  # between two mirrored buckets where n_imb is even
                adjust = 0.0
            return float(min(max(0.5 * (bid + ask) + adjust, float(bid)), float(ask)))
    return size_weighted(float(bid), float(ask), float(bid_lots), float(ask_lots))


def fit(
    sessions: Iterable[I8],
    *,
    n_imb: int = 10,
    n_spread: int = 4,
    terms: int = 6,
    count_min: int = 30,
) -> F8:
    """Estimate the adjustments to the mid from recorded quotes.

    Every transition is counted together with its mirror image (sides swapped), which makes the estimate
    antisymmetric and its series converge. A spread wider than the table ends a path: no more is expected
    from there.

    Args:
        sessions: arrays of shape (n, 4): bid ticks, ask ticks, bid lots, ask lots in time order; no
            transition is counted from one session to the next.
        n_imb: buckets of bid / (bid + ask) lots.
        n_spread: spreads 1..n_spread ticks.
        terms: how many terms of the series to sum.
        count_min: states seen (or mirrored) less often are NaN.

    Returns:
        Shape (n_imb, n_spread), ticks: G* = sum of B**i g1 for i below `terms`, with
        g1 = (I-Q)^-1 R1 K and B = (I-Q)^-1 R2.

    Source: Stoikov 2018, "The micro-price: a high-frequency estimator of future prices", theorem 3.1.
    """
    n = n_imb * n_spread
    stay, move = np.zeros((n, n)), np.zeros((n, n))
    seen, drift = np.zeros(n), np.zeros(n)
    for quotes in sessions:
        _count(_states(quotes, n_imb, n_spread), n_imb * n_spread, stay, move, seen, drift)
    mirror = np.arange(n).reshape(n_imb, n_spread)[::-1].ravel()
    stay += stay[np.ix_(mirror, mirror)]
    move += move[np.ix_(mirror, mirror)]
    seen, drift = seen + seen[mirror], drift - drift[mirror]
    per = np.maximum(seen, 1.0)
    resolvent = np.eye(n) - (1.0 - _LEAK) * stay / per[:, None]
    solved = np.linalg.solve(resolvent, np.column_stack([drift / per, move / per[:, None]]))
    first, step = solved[:, 0], solved[:, 1:]
    total = np.zeros(n)
    for _ in range(terms):
        total = first + step @ total
    total = 0.5 * (total - total[mirror])  # exact to the last bit
    return np.where(seen < count_min, np.nan, total).reshape(n_imb, n_spread)


def _states(quotes: I8, n_imb: int, n_spread: int) -> tuple[I8, I8]:
    """(state, twice the mid) of each quote; state -1 is outside the table, -2 no valid quote."""
    bid, ask, bid_lots, ask_lots = quotes.T
    spread, lots = ask - bid, np.maximum(bid_lots + ask_lots, 1)
    valid = (spread > 0) & (bid_lots > 0) & (ask_lots > 0)
    upper = n_imb - 1 - ask_lots * n_imb // lots
    bucket = np.where(bid_lots <= ask_lots, bid_lots * n_imb // lots, upper)
    state = np.where(spread <= n_spread, bucket * n_spread + spread - 1, -1)
    return np.where(valid, state, -2).astype(np.int64), bid + ask


def _count(path: tuple[I8, I8], n: int, stay: F8, move: F8, seen: F8, drift: F8) -> None:
    """Add one session's transitions: with the mid unchanged, with a change, their number and drift."""
    state, mid2 = path
    at, to, change = state[:-1], state[1:], 0.5 * np.diff(mid2)
    use = (at >= 0) & (to != -2)
    at, to, change = at[use], to[use], change[use]
    seen += np.bincount(at, minlength=n)
    drift += np.bincount(at, weights=change, minlength=n)
    inside = to >= 0
    pair, moved = (at * n + to)[inside], (change != 0.0)[inside]
    stay += np.bincount(pair[~moved], minlength=n * n).reshape(n, n)
    move += np.bincount(pair[moved], minlength=n * n).reshape(n, n)
