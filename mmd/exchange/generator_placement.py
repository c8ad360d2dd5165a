"""Where strangers place and cancel, without tables: geometric distances, lognormal sizes, queues with a target.

The made-up counterpart of `generator_calibrated`; both are a `Placement` to the flow.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from mmd.core.units import Side
from mmd.exchange.latent_price import lognormal_lots
from mmd.exchange.order_book import OrderBook
from mmd.exchange.presets import FlowPreset
from mmd.exchange.random_rows import RandomRows


class Change(NamedTuple):
    """So many lots more at a price, or fewer where qty_lots is negative."""

    side: Side
    price_ticks: int
    qty_lots: int


Changes = tuple[Change, ...]
"""What a candidate does; nothing if it is rejected."""


class Placement(Protocol):
    """Decides candidates of limit orders and cancels from the book, the public price and a random row.

    A row is (waiting time, side, distance, acceptance, two for the size).

    Attributes:
        limit_rate, cancel_rate: candidates a second, both sides together.
        hurry_rate: further candidates a second while the book is urgent; 0 for none.
        refill_lots, refill_gap: how far traders fill up a side that was swept: lots, ticks apart.
    """

    limit_rate: float
    cancel_rate: float
    hurry_rate: float
    refill_lots: int
    refill_gap: int

    def limit(self, book: OrderBook, public_ticks: float, row: list[float]) -> Changes:
        """The limit order of a candidate."""
        ...

    def cancel(self, book: OrderBook, public_ticks: float, row: list[float]) -> Changes:
        """The cancel of a candidate."""
        ...

    def hurry(self, book: OrderBook, public_ticks: float, row: list[float]) -> Changes:
        """The limit order or cancel at the touch of a fast candidate."""
        ...

    def is_urgent(self, book: OrderBook, public_ticks: float) -> bool:
        """Whether fast candidates come."""
        ...

    def opening(self, public_ticks: float, rows: RandomRows) -> Iterator[Change]:
        """The book at the start."""
        ...

    def market_lots(self, u1: float, u2: float) -> int:
        """Size of a market order."""
        ...

    def market_weight(self, book: OrderBook, side: Side) -> float:
        """What the state of the book multiplies the intensity of a side's market orders by."""
        ...


class SyntheticPlacement:
    """A Placement from the preset's few numbers."""

    def __init__(self, preset: FlowPreset) -> None:
        self._preset = preset
        self.limit_rate = preset.limit_rate
        self.cancel_rate = preset.cancel_rate
        self.refill_lots = round(preset.queue_deep_lots)
        self.refill_gap = 1
        self.hurry_rate = 0.0

    def limit(self, book: OrderBook, public_ticks: float, row: list[float]) -> Changes:
        """Accepted by the size of its queue against the target."""
        _, u_side, u_distance, u_accept, u1, u2 = row
        side = Side.BUY if u_side < 0.5 else Side.SELL
        distance = self._distance(u_distance)
        price = anchor(self._preset, public_ticks, side) - side.sign * distance
        price = behind_touch(book, side, price)
        target = self._target(distance)
        if price < 1 or u_accept * (target + book.sides[side].displayed(price)) > target:
            return ()
        lots = lognormal_lots(self._preset.limit_lots, self._preset.limit_spread, u1, u2)
        return (Change(side, price, lots),)

    def cancel(self, book: OrderBook, public_ticks: float, row: list[float]) -> Changes:
        """From a queue by its size; a best quote that the public price has passed goes whole."""
        _, u_side, u_distance, u_accept, u1, u2 = row
        side = Side.BUY if u_side < 0.5 else Side.SELL
        best = book.sides[side].best
        if best is None:
            return ()
        stale = (best - anchor(self._preset, public_ticks, side)) * side.sign
        price = best if stale > 0 else best - side.sign * self._distance(u_distance)
        level = book.sides[side].levels.get(price)
        if level is None or level.background == 0:
            return ()
        lots = level.background
        if stale > 0:
            alert = u_accept < self._preset.stale_alertness
            return (Change(side, price, -lots),) if alert else ()
        target = self._target(abs(best - price))
        if u_accept * (target + lots) > lots:
            return ()
        lots = lognormal_lots(self._preset.limit_lots, self._preset.limit_spread, u1, u2)
        return (Change(side, price, -lots),)

    def hurry(self, book: OrderBook, public_ticks: float, row: list[float]) -> Changes:
        """Nothing: this market has one pace."""
        return ()

    def is_urgent(self, book: OrderBook, public_ticks: float) -> bool:
        """Never."""
        return False

    def opening(self, public_ticks: float, rows: RandomRows) -> Iterator[Change]:
        """Every price over the depth, near its target."""
        for side in Side:
            for distance in range(self._preset.depth):
                u = rows.row(distance)[side]
                lots = max(1, round(self._target(distance) * (0.5 + u)))
                price = anchor(self._preset, public_ticks, side) - side.sign * distance
                if price > 0:
                    yield Change(side, price, lots)

    def market_lots(self, u1: float, u2: float) -> int:
        """Lognormal."""
        return lognormal_lots(self._preset.market_lots, self._preset.market_spread, u1, u2)

    def market_weight(self, book: OrderBook, side: Side) -> float:
        """Linear in the imbalance of the touch."""
        return 1.0 + 2.0 * self._preset.imbalance_pull * touch_state(book, side)[1]

    def _distance(self, u: float) -> int:
        """Ticks from the touch: mostly geometric, sometimes anywhere in the depth."""
        p = self._preset
        if u < p.far_share:
            return int(u / p.far_share * p.depth)
        rest = (u - p.far_share) / (1.0 - p.far_share)
        return min(int(math.log(1.0 - rest) / math.log(1.0 - p.place_decay)), p.depth)

    def _target(self, distance: int) -> float:
        """Queue size at which arrivals and cancels balance."""
        p = self._preset
        share = min(distance, 8) / 8.0
        return p.queue_touch_lots + share * (p.queue_deep_lots - p.queue_touch_lots)


def anchor(preset: FlowPreset, public_ticks: float, side: Side) -> int:
    """Best price at which an uninformed stranger quotes."""
    if side == Side.BUY:
        return math.floor(public_ticks - preset.anchor)
    return math.ceil(public_ticks + preset.anchor)


def behind_touch(book: OrderBook, side: Side, price_ticks: int) -> int:
    """The price, or where it would trade, the best one at which it does not."""
    touch = book.sides[side.opposite].best
    if touch is not None and (price_ticks - touch) * side.sign >= 0:
        return touch - side.sign
    return price_ticks


def touch_state(book: OrderBook, side: Side) -> tuple[int, float]:
    """Spread in ticks and (own - opposite) / (own + opposite) of best sizes; 0 and 0 where a side is empty."""
    own, other = book.sides[side], book.sides[side.opposite]
    price, facing = own.best, other.best
    if price is None or facing is None:
        return 0, 0.0
    mine, theirs = own.levels[price].total, other.levels[facing].total
    return abs(facing - price), (mine - theirs) / (mine + theirs)
