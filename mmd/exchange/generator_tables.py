"""Tables of a calibrated market: intensities by (spread, imbalance, distance) and empirical sizes."""

import math
from bisect import bisect_right
from collections.abc import Sequence

import msgspec

PROBABILITIES = (*(k / 16 for k in range(16)), 0.97, 0.985, 0.995, 0.999, 1.0)
"""Where sizes have quantiles: their tails are long."""

Row = tuple[float, ...]
Grid = tuple[tuple[Row, ...], ...]


class FlowTables(msgspec.Struct, frozen=True, kw_only=True):
    """What strangers do, by the state of the book as the order's own side sees it.

    s is the bin of the spread (ticks), i of the imbalance (own - opposite) / (own + opposite) of the best
    sizes, d of the distance behind the own best (ticks; bin 0 is at the touch or better). Edges are where
    bins begin; the last of `distance_edges` is the end. With q lots at the level concerned and T the median
    of occupied levels in the bin (`level_lots`):

        limit orders arrive in bin d of a side at   limit_rates[s][i][d] * T / (T + q)    a second,
        each of its occupied levels is cut at      cancel_rates[s][i][d] * q / (T + q)    a second,
        market orders of a side are weighted by    market_weights[s][i] (mean 1).

    Sizes are quantiles at PROBABILITIES: lots of a limit order, the share of a level that one cancel takes,
    lots of a market order.
    Source: Huang, Lehalle, Rosenbaum (2015), whose intensities depend on queue sizes; here the dependence
    on q has one fixed form, which makes room for spread and imbalance in the tables.
    """

    spread_edges: tuple[int, ...]
    imbalance_edges: Row
    distance_edges: tuple[int, ...]
    limit_rates: Grid
    cancel_rates: Grid
    market_weights: tuple[Row, ...]
    level_lots: Row
    level_counts: Row
    """Mean number of occupied levels in each bin of distance."""
    limit_lots: tuple[Row, ...]
    cancel_shares: tuple[Row, ...]
    market_lots: Row

    def state(self, spread_ticks: int, imbalance: float) -> tuple[int, int]:
        """Bins of spread and imbalance."""
        s = bisect_right(self.spread_edges, spread_ticks) - 1
        return max(s, 0), bisect_right(self.imbalance_edges, imbalance)


def quantile(values: Sequence[float], u: float) -> float:
    """The value at probability u < 1 of quantiles at PROBABILITIES; geometric between two of them."""
    at = bisect_right(PROBABILITIES, u) - 1
    low, high = values[at], values[at + 1]
    part = (u - PROBABILITIES[at]) / (PROBABILITIES[at + 1] - PROBABILITIES[at])
    if low <= 0.0 or low == high:
        return low + part * (high - low)
    return low * math.exp(part * math.log(high / low))


class Profile:
    """Picks a bin by its weight, and leaves the rest of the random number for a place inside the bin."""

    def __init__(self, weights: Sequence[float]) -> None:
        self.total = math.fsum(weights)
        self._ends: list[float] = []
        reached = 0.0
        for weight in weights:
            reached += weight
            self._ends.append(reached)

    def pick(self, u: float) -> tuple[int, float]:
        """Bin, and a number that is uniform in [0, 1) given the bin."""
        x = u * self._ends[-1]
        at = min(bisect_right(self._ends, x), len(self._ends) - 1)
        low = self._ends[at - 1] if at > 0 else 0.0
        return at, (x - low) / (self._ends[at] - low)
