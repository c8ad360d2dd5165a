"""What happens at the best prices, counted from quotes: they are published at once, book diffs are netted."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mmd.calibration.intensity_estimate import IMBALANCE_EDGES, Shape
from mmd.calibration.observed_market import Floats, Ints, Observed, Quotes

_PRIOR_EVENTS = 30.0
_TRADED_MAX = 0.8
"""At most this share of decreases is put down to market orders."""


class TouchCount(NamedTuple):
    """Rates at the touch or better, [spread][imbalance], a second and side, and sizes."""

    limit_rates: Floats
    cancel_rates: Floats
    limit_lots: Floats
    cancel_shares: Floats


class _Side(NamedTuple):
    """Successive quotes as one side sees them."""

    state: tuple[Ints, Ints]
    held_s: Floats
    lots: Floats
    added: npt.NDArray[np.bool_]
    cut: npt.NDArray[np.bool_]
    change: Floats
    orders: int
    """Market orders that hit it."""


def states(quotes: Quotes, shape: Shape, own: int) -> tuple[Ints, Ints]:
    """Bins of spread and imbalance of each quote as the side (0 bids, 1 asks) sees them."""
    s = np.searchsorted(shape.spread_edges, quotes.ask - quotes.bid, side="right") - 1
    x = (quotes.bid_lots - quotes.ask_lots) / (quotes.bid_lots + quotes.ask_lots)
    i = np.searchsorted(IMBALANCE_EDGES, x if own == 0 else -x, side="right")
    return np.maximum(s, 0), i


def count_touch(observed: Observed, shape: Shape) -> TouchCount:
    """Count what quotes say.

    More lots at an unchanged best price, or a better one, is a limit order; fewer at an unchanged price are
    a cancel, or a market order: so many decreases as market orders hit the side are not counted.
    """
    sides = [_side(observed, shape, own) for own in (0, 1)]
    typical = float(shape.level_lots[0])
    cells = (len(shape.spread_edges), len(IMBALANCE_EDGES) + 1)
    added, cut, room, crowd = (np.zeros(cells) for _ in range(4))
    for side in sides:
        share = side.lots / (typical + side.lots)
        np.add.at(room, side.state, side.held_s * (1.0 - share))
        np.add.at(crowd, side.state, side.held_s * share)
        np.add.at(added, (side.state[0][side.added], side.state[1][side.added]), 1.0)
        kept = 1.0 - min(side.orders / max(int(side.cut.sum()), 1), _TRADED_MAX)
        np.add.at(cut, (side.state[0][side.cut], side.state[1][side.cut]), kept)
    lots = np.concatenate([s.change[s.added] for s in sides])
    shares = np.concatenate([-s.change[s.cut] / s.lots[s.cut] for s in sides])
    return TouchCount(_rates(added, room), _rates(cut, crowd), lots, shares)


def _side(observed: Observed, shape: Shape, own: int) -> _Side:
    quotes = observed.quotes
    price, lots = (quotes.bid, quotes.bid_lots) if own == 0 else (quotes.ask, quotes.ask_lots)
    sign = 1 - 2 * own
    step = np.diff(price, append=price[-1:]) * sign
    change = np.diff(lots, append=lots[-1:]).astype(float)
    following = np.append(lots[1:], 0)
    added = (step > 0) | ((step == 0) & (change > 0))
    return _Side(
        states(quotes, shape, own),
        quotes.held_s,
        lots.astype(float),
        added,
        (step == 0) & (change < 0),
        np.where(step > 0, following, change),
        int((observed.orders.side == -sign).sum()),
    )


def _rates(events: Floats, exposure: Floats) -> Floats:
    """Events over exposure; a state with few events is mixed with the mean of its spread, and of all."""
    overall = events.sum() / max(exposure.sum(), 1e-9)
    by_spread = _mixed(events.sum(axis=1), exposure.sum(axis=1), np.full(len(events), overall))
    return _mixed(events, exposure, np.broadcast_to(by_spread[:, None], events.shape))


def _mixed(events: Floats, exposure: Floats, expected: Floats) -> Floats:
    prior_s = _PRIOR_EVENTS / np.maximum(expected, 1e-9)
    return (events + _PRIOR_EVENTS) / (exposure + prior_s)
