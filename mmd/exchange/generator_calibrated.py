"""Where strangers place and cancel by tables that were measured: a queue-reactive `Placement`.

Candidates arrive at the largest rate that a state with the usual spread has; the state they meet accepts its
share of them. What happens at the touch while the spread is wide, or quotes are stale, is faster by orders
of magnitude and over in milliseconds: it has candidates of its own, which come only then.
"""

import math
from collections.abc import Iterator
from itertools import pairwise

from mmd.core.units import Side
from mmd.exchange.generator_placement import Change, Changes, anchor, behind_touch, touch_state
from mmd.exchange.generator_tables import FlowTables, Grid, Profile, quantile
from mmd.exchange.order_book import OrderBook
from mmd.exchange.presets import FlowPreset
from mmd.exchange.random_rows import RandomRows

_CROWD = 1.7
"""Levels in a bin of distance beyond this many times their mean are not cancelled more often."""


class CalibratedPlacement:
    """A Placement from `FlowTables`."""

    def __init__(self, preset: FlowPreset, tables: FlowTables) -> None:
        self._preset = preset
        self._tables = tables
        edges = tables.distance_edges
        self._bins = list(pairwise(edges))
        self._levels_max = [
            max(1, min(high - low, math.ceil(_CROWD * count)))
            for (low, high), count in zip(self._bins, tables.level_counts, strict=True)
        ]
        self._limit_bounds = _largest(tables.limit_rates[:1])
        self._cancel_bounds = _largest(tables.cancel_rates[:1])
        self._limits = Profile(self._limit_bounds)
        self._cancels = Profile(
            [b * n for b, n in zip(self._cancel_bounds, self._levels_max, strict=True)]
        )
        self.limit_rate = 2.0 * self._limits.total
        self.cancel_rate = 2.0 * self._cancels.total
        self._limit_tops = _largest(tables.limit_rates)
        self._cancel_tops = _largest(tables.cancel_rates)
        self._hurried_limits = self._limit_tops[0]
        self._hurried_cancels = self._cancel_tops[0]
        self.hurry_rate = 2.0 * (self._hurried_limits + self._hurried_cancels)
        self._wide_ticks = tables.spread_edges[1] if len(tables.spread_edges) > 1 else None
        self.refill_lots = max(1, round(tables.level_lots[-1]))
        low, high = self._bins[-1]
        self.refill_gap = max(1, round((high - low) / max(tables.level_counts[-1], 0.01)))

    def limit(self, book: OrderBook, public_ticks: float, row: list[float]) -> Changes:
        """At a distance from the best price that the public price allows."""
        _, u_side, u_distance, u_accept, u_size, _ = row
        side = Side.BUY if u_side < 0.5 else Side.SELL
        at, place = self._limits.pick(u_distance)
        return self._place(
            book, public_ticks, side, at, place, u_accept * self._limit_bounds[at], u_size
        )

    def cancel(self, book: OrderBook, public_ticks: float, row: list[float]) -> Changes:
        """From one of the occupied levels in a range of distance."""
        _, u_side, u_distance, u_accept, u_size, _ = row
        side = Side.BUY if u_side < 0.5 else Side.SELL
        levels = book.sides[side]
        best = levels.best
        at, place = self._cancels.pick(u_distance)
        if best is None:
            return ()
        low, high = self._bins[at]
        sign = side.sign
        chosen = levels.rank(best - sign * low) + int(place * self._levels_max[at])
        if chosen >= levels.rank(best - sign * high):
            return ()
        price = levels.nth(chosen)
        return self._cut(book, side, price, at, u_accept * self._cancel_bounds[at], u_size)

    def hurry(self, book: OrderBook, public_ticks: float, row: list[float]) -> Changes:
        """At the touch: stale quotes go, all that are passed; else what a wide spread adds to the rates."""
        _, u_side, u_kind, u_accept, u_size, u_stale = row
        side = Side.BUY if u_side < 0.5 else Side.SELL
        stale = self._stale(book, public_ticks, side)
        if stale:
            return stale if u_stale < self._preset.stale_alertness else ()
        both = self._hurried_limits + self._hurried_cancels
        if u_kind * both < self._hurried_limits:
            ceiling = self._limit_bounds[0] + u_accept * self._hurried_limits
            return self._place(book, public_ticks, side, 0, 0.0, ceiling, u_size)
        best = book.sides[side].best
        ceiling = self._cancel_bounds[0] + u_accept * self._hurried_cancels
        return () if best is None else self._cut(book, side, best, 0, ceiling, u_size)

    def is_urgent(self, book: OrderBook, public_ticks: float) -> bool:
        """While the spread is in a wider bin than the first, or the public price has passed a quote."""
        bid, ask = book.best_bid, book.best_ask
        if bid is None or ask is None:
            return True
        if self._wide_ticks is not None and ask - bid >= self._wide_ticks:
            return True
        return bid > anchor(self._preset, public_ticks, Side.BUY) or ask < anchor(
            self._preset, public_ticks, Side.SELL
        )

    def opening(self, public_ticks: float, rows: RandomRows) -> Iterator[Change]:
        """The mean number of levels in every range of distance, spread evenly."""
        for side in Side:
            best = anchor(self._preset, public_ticks, side)
            drawn = 0
            for (low, high), count, lots in zip(
                self._bins, self._tables.level_counts, self._tables.level_lots, strict=True
            ):
                number = max(1 if low == 0 else 0, round(count))
                for k in range(number):
                    u = rows.row(drawn)[side]
                    drawn += 1
                    distance = low + int((k + u) / number * (high - low))
                    price = best - side.sign * distance
                    if price > 0:
                        yield Change(side, price, max(1, round(lots * (0.5 + u))))

    def market_lots(self, u1: float, _u2: float) -> int:
        """Empirical."""
        return max(1, round(quantile(self._tables.market_lots, u1)))

    def market_weight(self, book: OrderBook, side: Side) -> float:
        """From the table."""
        s, i = self._tables.state(*touch_state(book, side))
        return self._tables.market_weights[s][i]

    def _place(
        self,
        book: OrderBook,
        public_ticks: float,
        side: Side,
        at: int,
        place: float,
        ceiling: float,
        u_size: float,
    ) -> Changes:
        """A limit order in a bin of distance, if the state's rate there is above the ceiling."""
        low, high = self._bins[at]
        distance = low + int(place * (high - low))
        price = anchor(self._preset, public_ticks, side) - side.sign * distance
        price = behind_touch(book, side, price)
        typical = self._tables.level_lots[at]
        crowd = 1.0 + book.sides[side].displayed(price) / typical
        if ceiling * crowd > self._limit_tops[at]:
            return ()  # in any state: most candidates end here
        s, i = self._tables.state(*touch_state(book, side))
        if price < 1 or ceiling * crowd > self._tables.limit_rates[s][i][at]:
            return ()
        lots = max(1, round(quantile(self._tables.limit_lots[at], u_size)))
        return (Change(side, price, lots),)

    def _cut(
        self, book: OrderBook, side: Side, price: int, at: int, ceiling: float, u_size: float
    ) -> Changes:
        """A cancel from a level, if the state's rate is above the ceiling."""
        lots = book.sides[side].levels[price].background
        if lots == 0:
            return ()
        crowd = 1.0 + self._tables.level_lots[at] / lots
        if ceiling * crowd > self._cancel_tops[at]:
            return ()
        s, i = self._tables.state(*touch_state(book, side))
        if ceiling * crowd > self._tables.cancel_rates[s][i][at]:
            return ()
        share = quantile(self._tables.cancel_shares[at], u_size)
        return (Change(side, price, -max(1, round(share * lots))),)

    def _stale(self, book: OrderBook, public_ticks: float, side: Side) -> Changes:
        """Cancels of all strangers' quotes that the public price has passed."""
        limit, sign = anchor(self._preset, public_ticks, side), side.sign
        found = []
        levels = book.sides[side]
        for price in levels.prices():
            if (price - limit) * sign <= 0:
                break
            lots = levels.levels[price].background
            if lots > 0:
                found.append(Change(side, price, -lots))
        return tuple(found)


def _largest(rates: Grid) -> list[float]:
    """The largest rate of each distance over all states."""
    rows = [row for by_imbalance in rates for row in by_imbalance]
    return [max(column) for column in zip(*rows, strict=True)]
