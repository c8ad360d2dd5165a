"""Maximum likelihood of a two-sided Hawkes process with one exponential decay, by expectation maximisation."""

from typing import NamedTuple

import numpy as np

from mmd.calibration.observed_market import PAUSE_NS, Floats, Ints, Orders
from mmd.core.units import NANOS_PER_SECOND
from mmd.jit.kernel import Rec, bind, kernel, layout, new

ORDERS_MAX = 200_000
_DECAYS = np.geomspace(0.05, 200.0, 25)
_ROUNDS = 20
"""For each decay, from the neighbour's answer."""

EVENTS = layout(("gap_s", "f8", (ORDERS_MAX,)), ("is_sale", "i8", (ORDERS_MAX,)))
FIT = layout(
    ("n", "i8"),
    ("span_s", "f8"),
    ("mu", "f8"),  # of each side
    ("same", "f8"),  # expected children on the parent's side
    ("across", "f8"),  # and on the other
    ("decay", "f8"),
    ("rounds", "i8"),
    ("log_likelihood", "f8"),
)


class HawkesFit(NamedTuple):
    """Intensity of a side: mu + sum over past orders of (same or across) * decay * exp(-decay * age)."""

    mu: float
    """Orders a second of each side that nothing excited."""
    same: float
    across: float
    decay: float
    log_likelihood: float

    @property
    def branching(self) -> float:
        """Mean number of orders that one order leads to directly."""
        return self.same + self.across


def fit_hawkes(ts_ns: Ints, side: Ints, span_s: float) -> HawkesFit:
    """Estimate from order times and sides (+1, -1); decays are tried on a grid.

    At most the first ORDERS_MAX orders are used. A gap above a minute is a pause: excitation has then died.
    Source: Veen and Schoenberg, "Estimation of space-time branching process models" (2008), for the
    expectation maximisation; Bacry, Mastromatteo, Muzy (2015) for the model.
    """
    used = min(len(ts_ns), ORDERS_MAX)
    events: Rec = new(EVENTS)
    gaps = np.diff(ts_ns[:used], prepend=ts_ns[:1])
    events["gap_s"][0, :used] = np.where(gaps > PAUSE_NS, 1e9, gaps / NANOS_PER_SECOND)
    events["is_sale"][0, :used] = side[:used] < 0
    fit: Rec = new(FIT)
    fit["n"], fit["rounds"] = used, _ROUNDS
    fit["span_s"] = span_s * used / max(len(ts_ns), 1)
    fit["mu"], fit["same"], fit["across"] = (
        0.25 * used / max(float(fit["span_s"][0]), 1e-9),
        0.3,
        0.2,
    )
    run = bind(maximise, events, fit)
    found = []
    for decay in _DECAYS:
        fit["decay"] = decay
        run(events, fit)
        mu, same, across, likelihood = (
            float(fit[name][0]) for name in ("mu", "same", "across", "log_likelihood")
        )
        found.append(HawkesFit(mu, same, across, float(decay), likelihood))
    return max(found, key=lambda f: f.log_likelihood)


def compensators(orders: Orders, starts_ns: Ints, fit: HawkesFit) -> tuple[Floats, Floats]:
    """Orders of each side that the fit expects between one start and the next; after the last one none."""
    edges = np.append(starts_ns, starts_ns[-1:])
    length_s = np.diff(edges) / NANOS_PER_SECOND
    found = [fit.mu * length_s for _ in range(2)]
    at = np.searchsorted(starts_ns, orders.ts_ns, side="right") - 1
    for side in (1, -1):
        mine = orders.side == side
        # What an order's excitation still has in store at a start decays; summed by the running total.
        for own, size in ((0, fit.same), (1, fit.across)):
            target = own if side == 1 else 1 - own
            found[target] += size * _decayed(orders.ts_ns[mine], at[mine], edges, fit.decay)
    return found[0], found[1]


def _decayed(ts_ns: Ints, at: Ints, edges: Ints, decay: float) -> Floats:
    """Share of each order's excitation that falls between successive edges, summed over orders."""
    kept = at >= 0
    n = len(edges) - 1
    left = np.exp(-decay * (edges[1:][at[kept]] - ts_ns[kept]) / NANOS_PER_SECOND)
    used = np.bincount(at[kept], 1.0 - left, n)
    arrived = np.bincount(at[kept], left, n)
    fades = np.exp(-decay * np.diff(edges) / NANOS_PER_SECOND)
    store = 0.0
    carried = np.empty(n)
    for k, (fade, new_store) in enumerate(zip(fades.tolist(), arrived.tolist(), strict=True)):
        carried[k] = store * (1.0 - fade)
        store = store * fade + new_store
    return used + carried


@kernel
def maximise(events: Rec, fit: Rec) -> int:
    """Run fit.rounds rounds for fit.decay from what fit holds, and leave the answer in it; returns 0.

    Children beyond the end of the sample are neglected, as the span is many decays long.
    """
    f = fit[0]
    gap_s, is_sale = events[0].gap_s, events[0].is_sale
    mu, same, across, decay = f.mu, f.same, f.across, f.decay
    n, span_s = f.n, f.span_s
    for _ in range(f.rounds):
        buys = sells = 0.0  # what past orders of each side still excite
        from_mu = from_same = from_across = log_sum = 0.0
        for k in range(n):
            is_buy = is_sale[k] == 0
            kept = np.exp(-decay * gap_s[k])
            buys *= kept
            sells *= kept
            by_same = same * decay * (buys if is_buy else sells)
            by_across = across * decay * (sells if is_buy else buys)
            total = mu + by_same + by_across
            log_sum += np.log(total)
            from_mu += mu / total
            from_same += by_same / total
            from_across += by_across / total
            if is_buy:
                buys += 1.0
            else:
                sells += 1.0
        f.log_likelihood = log_sum - 2.0 * mu * span_s - (same + across) * n
        mu = 0.5 * from_mu / span_s
        same = from_same / n
        across = from_across / n
    f.mu = mu
    f.same = same
    f.across = across
    return 0
