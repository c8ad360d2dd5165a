"""Intensities of limit orders and cancels by (spread, imbalance, distance), counted from book changes.

An intensity that is a rate times a known factor of the queue is estimated as events over the time integral
of that factor. Between two diffs only net changes are seen: an order that comes and goes in between is not
counted, so rates are those of net changes.
"""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

import numpy as np

from mmd.calibration.observed_market import PAUSE_NS, Floats, Frame, Ints, ObservedBook, frames
from mmd.core.market.record import DIFF, SNAPSHOT, TRADE
from mmd.core.units import NANOS_PER_SECOND
from mmd.exchange.book_side import BookSide
from mmd.exchange.generator_tables import PROBABILITIES, FlowTables
from mmd.tape.format import Rows

IMBALANCE_EDGES = (-0.6, -0.2, 0.2, 0.6)
_SAMPLES = 20_000
_PRIOR_S = 2.0
"""Seconds of the mean over all states that every state is mixed with: rare ones are not left to chance."""
_SIZES_KEPT = 200_000
_REACH_BPS = 15.0
_BINS_MAX = 14
_NEAREST = 8
"""Ticks that are looked at in any case, however large the tick."""


class Shape(NamedTuple):
    """What the tables are to cover, and typical levels in it."""

    spread_edges: tuple[int, ...]
    distance_edges: tuple[int, ...]
    level_lots: Floats
    level_counts: Floats


def distance_edges(reach_ticks: int) -> tuple[int, ...]:
    """Bins that double in width: 0, 1, 2, 3-4, 5-8, ..., the last edge is their end."""
    edges = [0, 1, 2, 3]
    while edges[-1] < reach_ticks and len(edges) <= _BINS_MAX:
        edges.append(2 * edges[-1] - 1)
    return tuple(edges)


def survey(batches: Iterable[Rows], diffs: int, spreads: Ints) -> Shape:
    """Look at the book now and then: how far it reaches, how many levels and lots stand where.

    Args:
        batches: rows from the start.
        diffs: how many diffs there are, roughly.
        spreads: of all quotes, ticks; they decide which bins of spread there are.
    """
    book, every, seen = ObservedBook(), max(diffs // 2_000, 1), 0
    reach: list[int] = []
    looks: list[tuple[list[int], list[int]]] = []
    mid = 0.0
    for frame in frames(batches):
        if frame.kind not in (SNAPSHOT, DIFF):
            continue
        book.apply(frame)
        seen += 1
        touch = book.touch()
        if seen % every != 0 or touch is None:
            continue
        mid = 0.5 * (touch[0] + touch[1])
        for side in book.sides:
            best = side.best
            assert best is not None
            near = [(abs(p - best), side.levels[p].tail) for p in side.prices()]
            reach.append(near[-1][0])
            looks.append(([d for d, _ in near], [q for _, q in near]))
    wanted = max(mid * _REACH_BPS * 1e-4, _NEAREST)
    edges = distance_edges(int(min(wanted, 0.8 * float(np.median(reach)))))
    return Shape(_spread_edges(spreads), edges, *_typical_levels(looks, edges))


def _spread_edges(spreads: Ints) -> tuple[int, ...]:
    """1, 2, and then bins that still hold a share of the quotes."""
    return (1, *(edge for edge in (2, 3, 5, 17, 129) if (spreads >= edge).mean() > 0.003))


def _typical_levels(
    looks: list[tuple[list[int], list[int]]], edges: tuple[int, ...]
) -> tuple[Floats, Floats]:
    """Median lots of occupied levels, and their mean number, by bin of distance."""
    distances = np.concatenate([np.asarray(d) for d, _ in looks])
    lots = np.concatenate([np.asarray(q, float) for _, q in looks])
    at = np.searchsorted(edges, distances, side="right") - 1
    bins = len(edges) - 1
    counts = np.bincount(at[at < bins], minlength=bins) / len(looks)
    sizes = [lots[at == k] for k in range(bins)]
    return np.array([max(float(np.median(q)), 1.0) if len(q) else 1.0 for q in sizes]), counts


class Touch(Protocol):
    """Rates at the touch by [spread][imbalance], and sizes, from a better source than diffs."""

    @property
    def limit_rates(self) -> Floats:
        """A second and side."""
        ...

    @property
    def cancel_rates(self) -> Floats:
        """A second and level."""
        ...

    @property
    def limit_lots(self) -> Floats:
        """Of each limit order."""
        ...

    @property
    def cancel_shares(self) -> Floats:
        """Share of the level that each cancel took."""
        ...


class IntensityCount:
    """Counts what book changes say about limit orders and cancels, and the exposure they had."""

    def __init__(self, shape: Shape, every: int) -> None:
        """Exposures are looked at on every such diff."""
        bins = len(shape.distance_edges) - 1
        cells = (len(shape.spread_edges), len(IMBALANCE_EDGES) + 1, bins)
        self.limits, self.limit_exposure = np.zeros(cells), np.zeros(cells)
        self.cancels, self.cancel_exposure = np.zeros(cells), np.zeros(cells)
        self.held_s = np.zeros(cells[:2])
        self.limit_lots: list[list[float]] = [[] for _ in range(bins)]
        self.cancel_shares: list[list[float]] = [[] for _ in range(bins)]
        self._shape = shape
        self._every = every
        self._seen = 0
        self._edges = np.asarray(shape.distance_edges)
        self._book = ObservedBook()
        self._traded: dict[tuple[int, int], list[int]] = {}
        self._former_ns = 0

    def take(self, frame: Frame) -> None:
        """The next message."""
        if frame.kind == TRADE:
            aggressor, price, lots = frame.levels[0]
            entry = self._traded.setdefault((1 - aggressor, price), [0, 0])
            entry[0] += lots
            entry[1] = frame.event_ns
            return
        if frame.kind not in (SNAPSHOT, DIFF):
            return
        states = self._states()
        held_ns = frame.ts_ns - self._former_ns
        self._former_ns = frame.ts_ns
        is_counted = states is not None and 0 <= held_ns <= PAUSE_NS and frame.kind == DIFF
        self._seen += 1
        if is_counted and states is not None and self._seen % self._every == 0:
            self._expose(states, held_ns / NANOS_PER_SECOND * self._every)
        before = [
            (side, price, lots, self._book.sides[side].displayed(price))
            for side, price, lots in frame.levels
        ]
        self._book.apply(frame)
        if is_counted and states is not None:
            self._count(before, states)
        self._traded = {k: v for k, v in self._traded.items() if v[1] > frame.event_ns}

    def _states(self) -> list[tuple[int, int]] | None:
        """Bins of spread and imbalance as each side sees them."""
        touch = self._book.touch()
        if touch is None:
            return None
        bid, ask, bid_lots, ask_lots = touch
        s = int(np.searchsorted(self._shape.spread_edges, ask - bid, side="right")) - 1
        x = (bid_lots - ask_lots) / (bid_lots + ask_lots)
        return [(s, int(np.searchsorted(IMBALANCE_EDGES, v, side="right"))) for v in (x, -x)]

    def _expose(self, states: list[tuple[int, int]], held_s: float) -> None:
        """Add the time for which levels stood, by the factors of the queue they had."""
        edges, typical = self._edges, self._shape.level_lots
        for side, state in zip(self._book.sides, states, strict=True):
            distances, lots = _near(side, int(edges[-1]))
            at = np.searchsorted(edges, distances, side="right") - 1
            crowd = lots / (typical[at] + lots)
            bins = len(edges) - 1
            filled = np.bincount(at, crowd, bins)
            taken = np.bincount(at, crowd, bins) / np.diff(edges)
            self.cancel_exposure[state] += held_s * filled
            self.limit_exposure[state] += held_s * (1.0 - taken)
            self.held_s[state] += held_s

    def _count(
        self, before: list[tuple[int, int, int, int]], states: list[tuple[int, int]]
    ) -> None:
        for side, price, lots, former in before:
            best = self._book.sides[side].best
            if best is None:
                continue
            distance = (best - price) * (1 - 2 * side)
            if distance >= self._edges[-1]:
                continue
            change = lots - former + self._traded.pop((side, price), [0, 0])[0]
            at = int(np.searchsorted(self._edges, distance, side="right")) - 1
            if change > 0:
                self.limits[(*states[side], at)] += 1.0
                _keep(self.limit_lots[at], float(change))
            elif change < 0 and distance >= 0 and former > 0:
                self.cancels[(*states[side], at)] += 1.0
                _keep(self.cancel_shares[at], min(-change / former, 1.0))

    def tables(
        self, market_weights: Floats, market_lots: Floats, touch: Touch | None
    ) -> FlowTables:
        """What was counted, as tables; every state is mixed with the mean over all states.

        Counts at the touch that quotes gave replace those that diffs gave.
        """
        shape = self._shape
        limits, cancels = (
            _rates(self.limits, self.limit_exposure),
            _rates(self.cancels, self.cancel_exposure),
        )
        limit_lots, cancel_shares = _sizes(self.limit_lots), _sizes(self.cancel_shares)
        if touch is not None:
            limits[:, :, 0], cancels[:, :, 0] = touch.limit_rates, touch.cancel_rates
            limit_lots = (quantiles(touch.limit_lots), *limit_lots[1:])
            cancel_shares = (quantiles(touch.cancel_shares), *cancel_shares[1:])
        return FlowTables(
            spread_edges=shape.spread_edges,
            imbalance_edges=IMBALANCE_EDGES,
            distance_edges=shape.distance_edges,
            limit_rates=_nested(limits),
            cancel_rates=_nested(cancels),
            market_weights=tuple(_row(r) for r in market_weights),
            level_lots=_row(shape.level_lots),
            level_counts=_row(shape.level_counts),
            limit_lots=limit_lots,
            cancel_shares=cancel_shares,
            market_lots=quantiles(market_lots),
        )


def count_intensities(batches: Iterable[Rows], shape: Shape, diffs: int) -> IntensityCount:
    """Read the rows once and count."""
    count = IntensityCount(shape, max(diffs // _SAMPLES, 1))
    for frame in frames(batches):
        count.take(frame)
    return count


def quantiles(values: Iterable[float] | Floats) -> tuple[float, ...]:
    """Values at PROBABILITIES; ones where there are none."""
    data = np.asarray(values, float)
    if len(data) == 0:
        return (1.0,) * len(PROBABILITIES)
    return _row(np.quantile(data, PROBABILITIES))


def _near(side: BookSide, reach: int) -> tuple[Floats, Floats]:
    """Distances from the best price and lots of the levels within reach."""
    best = side.best
    assert best is not None
    found = []
    for price in side.prices():
        distance = abs(price - best)
        if distance >= reach:
            break
        found.append((distance, side.levels[price].tail))
    table = np.asarray(found, float)
    return table[:, 0], table[:, 1]


def _rates(events: Floats, exposure: Floats) -> Floats:
    """Events over exposure of each cell, mixed with the same over all states of its distance."""
    overall = events.sum(axis=(0, 1)) / np.maximum(exposure.sum(axis=(0, 1)), 1e-9)
    mixed: Floats = (events + _PRIOR_S * overall) / (exposure + _PRIOR_S)
    return mixed


def _keep(values: list[float], value: float) -> None:
    if len(values) < _SIZES_KEPT:
        values.append(value)


def _sizes(by_distance: list[list[float]]) -> tuple[tuple[float, ...], ...]:
    """Quantiles by distance; a bin with few sizes takes those of all."""
    everything = [v for values in by_distance for v in values]
    return tuple(quantiles(v if len(v) >= 30 else everything) for v in by_distance)


def _row(values: Iterable[float]) -> tuple[float, ...]:
    """Rounded to four digits, as presets are read by people."""
    return tuple(float(f"{v:.4g}") for v in values)


def _nested(rates: Floats) -> tuple[tuple[tuple[float, ...], ...], ...]:
    return tuple(tuple(_row(row) for row in by_imbalance) for by_imbalance in rates)
