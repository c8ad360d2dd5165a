"""What a market looks like from outside: distributions, signature plot, order signs, flow and phantom orders.

Every statistic is of an `Observed`, so that a tape and the generator are measured alike.
"""

from typing import NamedTuple

import numpy as np

from mmd.calibration.observed_market import Floats, Ints, Observed, Quotes
from mmd.calibration.price_fit import moves, response
from mmd.core.units import NANOS_PER_SECOND

SIGN_LAGS = (1, 2, 3, 5, 8, 13, 21, 34, 55)
MARKOUT_LAGS_S = (0.1, 0.5, 1.0, 5.0, 10.0, 30.0)
QUEUE_QUARTERS = ("front", "second", "third", "back")
_SIGNATURE_LAGS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)
_SAMPLES_MIN = 20
_PHANTOMS_MAX = 5_000


class Distribution(NamedTuple):
    """Values with weights; equal ones where each counts the same."""

    values: Floats
    weights: Floats

    def average(self) -> float:
        """Weighted."""
        return float((self.values * self.weights).sum() / max(self.weights.sum(), 1e-12))

    def quantiles(self, probabilities: Floats) -> Floats:
        """Weighted quantiles."""
        order = np.argsort(self.values)
        reached = np.cumsum(self.weights[order]) / self.weights.sum()
        at = np.minimum(np.searchsorted(reached, probabilities), len(order) - 1)
        return self.values[order][at]


class Phantoms(NamedTuple):
    """Orders of no size that were imagined at the best price, behind a part of the queue."""

    fill_probability: Floats
    """Within the life, by quarter of the queue that was ahead."""
    markout_ticks: Floats
    """Mean of mid minus price (for a bid) of filled ones, by MARKOUT_LAGS_S."""
    markout_error_ticks: Floats
    """Its standard error."""
    orders: int


class Statistics(NamedTuple):
    """All of a market's."""

    distributions: dict[str, Distribution]
    signature_s: Floats
    signature_ticks: Floats
    """Standard deviation of mid moves over a lag, per square-root second."""
    sign_autocorrelation: Floats
    """Of market orders, by SIGN_LAGS."""
    flow_r2: dict[str, float]
    """Share of mid move variance that order flow imbalance explains, by interval."""
    response_ticks: Floats
    """Mid move in a market order's direction, by MARKOUT_LAGS_S."""
    phantoms: Phantoms


def measure(observed: Observed, life_s: float) -> Statistics:
    """Measure everything; phantom orders live for life_s."""
    lags = np.array([s for s in _SIGNATURE_LAGS_S if s < observed.span_s / _SAMPLES_MIN])
    signature = [moves(observed.quotes, round(s * NANOS_PER_SECOND)).std() / s**0.5 for s in lags]
    return Statistics(
        distributions(observed),
        lags,
        np.array(signature),
        sign_autocorrelation(observed.orders.side),
        {f"{s:g} s": flow_r2(observed.quotes, s) for s in (1.0, 10.0)},
        response(observed, np.array(MARKOUT_LAGS_S)),
        phantoms(observed, life_s),
    )


def distributions(observed: Observed) -> dict[str, Distribution]:
    """Spread and best sizes by time; waiting times and sizes by event."""
    quotes, orders = observed.quotes, observed.orders
    moved = np.flatnonzero(np.diff(quotes.bid + quotes.ask) != 0) + 1
    both = np.concatenate([quotes.bid_lots, quotes.ask_lots]).astype(float)
    return {
        "spread (ticks)": Distribution((quotes.ask - quotes.bid).astype(float), quotes.held_s),
        "best size (lots)": Distribution(both, np.tile(quotes.held_s, 2)),
        "market order size (lots)": _even(orders.lots.astype(float)),
        "between market orders (s)": _even(_gaps(orders.ts_ns)),
        "between quote changes (s)": _even(_gaps(quotes.ts_ns)),
        "between mid moves (s)": _even(_gaps(quotes.ts_ns[moved])),
        "mid move (ticks)": _even(np.abs(np.diff(quotes.mid[np.r_[0, moved]]))),
    }


def kolmogorov_smirnov(first: Distribution, second: Distribution) -> float:
    """Largest difference of the two distribution functions."""
    points = np.union1d(first.values, second.values)
    return float(np.abs(_reached(first, points) - _reached(second, points)).max())


def sign_autocorrelation(signs: Ints) -> Floats:
    """Correlation of a market order's side with that of the one so many orders later."""
    x = signs - signs.mean()
    scale = max(float((x * x).mean()), 1e-12)
    return np.array(
        [float((x[:-k] * x[k:]).mean()) / scale if len(x) > k + 1 else 0.0 for k in SIGN_LAGS]
    )


def flow_r2(quotes: Quotes, period_s: float) -> float:
    """Share of mid move variance explained by order flow imbalance at the best prices.

    Source: Cont, Kukanov, Stoikov, "The price impact of order book events" (2014), equations 3 and 8.
    """
    bid_step, ask_step = np.diff(quotes.bid), np.diff(quotes.ask)
    flow = (
        quotes.bid_lots[1:] * (bid_step >= 0)
        - quotes.bid_lots[:-1] * (bid_step <= 0)
        - quotes.ask_lots[1:] * (ask_step <= 0)
        + quotes.ask_lots[:-1] * (ask_step >= 0)
    )
    period = round(period_s * NANOS_PER_SECOND)
    at = (quotes.ts_ns[1:] - quotes.ts_ns[0]) // period
    total = np.bincount(at, flow)
    seen = np.unique(at)
    ends = np.searchsorted(at, seen, side="right")
    mid = quotes.mid
    starts = np.r_[0, ends[:-1]]
    change = mid[ends] - mid[starts]
    if len(seen) < _SAMPLES_MIN or change.std() == 0.0:
        return float("nan")
    return float(np.corrcoef(total[seen], change)[0, 1] ** 2)


def phantoms(observed: Observed, life_s: float) -> Phantoms:
    """Imagine bids and asks at the best price, a quarter of the queue apart, and see which trades reach.

    One is filled when prints at its price have taken what was ahead, or a print goes through it. Cancels
    ahead of it are not counted, so real orders are filled somewhat more often, in both markets alike.
    """
    quotes, prints = observed.quotes, observed.prints
    life_ns = round(life_s * NANOS_PER_SECOND)
    last_ns = quotes.ts_ns[-1] - life_ns - round(MARKOUT_LAGS_S[-1] * NANOS_PER_SECOND)
    count = int(min(_PHANTOMS_MAX, max(observed.span_s / life_s * 4, 1)))
    times = _open_times(quotes, count)
    times = times[times <= last_ns]
    at = quotes.at(times)
    ahead_of = (np.arange(4) + 0.5) / 4.0
    fills = np.zeros(4)
    gains: list[Floats] = []
    total = 0
    for start_ns, q in zip(times.tolist(), at.tolist(), strict=True):
        low, high = np.searchsorted(prints.ts_ns, (start_ns, start_ns + life_ns))
        for own, price, lots in (
            (1, quotes.bid[q], quotes.bid_lots[q]),
            (-1, quotes.ask[q], quotes.ask_lots[q]),
        ):
            total += 1
            done_ns = _reach(observed, low, high, own, int(price), lots * ahead_of)
            fills += done_ns > 0
            gains += [_markout(quotes, int(t), own, int(price)) for t in done_ns[done_ns > 0]]
    table = np.array(gains).reshape(-1, len(MARKOUT_LAGS_S))
    n = max(len(table), 1)
    return Phantoms(
        fills / max(total, 1),
        table.mean(axis=0) if len(table) else np.full(len(MARKOUT_LAGS_S), np.nan),
        table.std(axis=0) / np.sqrt(n) if len(table) else np.full(len(MARKOUT_LAGS_S), np.nan),
        total,
    )


def _open_times(quotes: Quotes, count: int) -> Ints:
    """Moments spread evenly over the time observed, none of them in a pause."""
    reached = np.concatenate([[0.0], np.cumsum(quotes.held_s)])
    wanted = (np.arange(count) + 0.5) / count * reached[-1]
    at = np.searchsorted(reached, wanted, side="right") - 1
    since = (wanted - reached[at]) * NANOS_PER_SECOND
    times: Ints = quotes.ts_ns[np.minimum(at, len(quotes.ts_ns) - 1)] + since.astype(np.int64) + 1
    return times


def _reach(observed: Observed, low: int, high: int, own: int, price: int, ahead: Floats) -> Ints:
    """When prints in [low, high) get to orders with so much ahead of them; 0 for never."""
    prints = observed.prints
    mine = prints.side[low:high] == -own
    better = (price - prints.price[low:high]) * own
    taken = np.cumsum(np.where(mine & (better == 0), prints.lots[low:high], 0).astype(float))
    taken[np.maximum.accumulate(mine & (better > 0))] = np.inf
    found = np.searchsorted(taken, ahead, side="right")
    times = np.append(prints.ts_ns[low:high], 0)
    return times[found]


def _markout(quotes: Quotes, fill_ns: int, own: int, price: int) -> Floats:
    lags = np.array(MARKOUT_LAGS_S) * NANOS_PER_SECOND
    found: Floats = own * (quotes.mid[quotes.at((fill_ns + lags).astype(np.int64))] - price)
    return found


def _even(values: Floats) -> Distribution:
    return Distribution(values, np.ones(len(values)))


def _gaps(ts_ns: Ints) -> Floats:
    gaps = np.diff(ts_ns) / NANOS_PER_SECOND
    return gaps[gaps <= 60.0]


def _reached(of: Distribution, points: Floats) -> Floats:
    order = np.argsort(of.values)
    sums = np.concatenate([[0.0], np.cumsum(of.weights[order])])
    share: Floats = sums[np.searchsorted(of.values[order], points, side="right")] / max(
        sums[-1], 1e-12
    )
    return share
