"""One instrument as a place where its base can be bought and sold: its book without our orders, its age, its fees.

The view leaves out what the venue had acknowledged of our orders when it was drawn (mmd.core.market.others_book). An
order on its way may be in the book all the same, so it is taken out here: missing a little of what strangers
offer is better than trading with ourselves.
"""

import math
from enum import IntEnum
from typing import Final

from mmd.core.crossvenue.order_latency import OrderLatency
from mmd.core.flattening import least_lots
from mmd.core.instrument import TradingStatus
from mmd.core.maker import Maker
from mmd.core.units import NANOS_PER_SECOND, Side

_BPS: Final = 1e-4
_ADVERSE: Final = 1.0 / math.sqrt(2.0 * math.pi)
"""E[max(Z, 0)] of a standard normal: the mean of the adverse half of a price's moves."""


class Condition(IntEnum):
    """Whether a book may be relied on."""

    GOOD = 0
    DOWN = 1
    """No feed, out of sequence, crossed or one-sided."""
    STALE = 2
    """Older than the limit."""
    NOT_TRADING = 3


class Outlet:
    """One venue's book of a base asset.

    Attributes:
        id, maker, view, instrument: the instrument and what the engine keeps of it.
        latency: of orders at the venue.
        lot_atoms, tick: its grid; atoms of base, and quote currency.
        venue_less_engine_ns: venue clock less engine time, as last measured; None before.
    """

    def __init__(self, maker: Maker, latency: OrderLatency, age_ns_max: int) -> None:
        """A book older than age_ns_max is stale."""
        self.maker = maker
        self.view = maker.view
        self.instrument = maker.instrument
        self.id = maker.instrument.id
        self.latency = latency
        self.lot_atoms = maker.instrument.atoms_per_lot
        self.tick = float(maker.instrument.tick_size)
        self.taker_fee = maker.instrument.taker_fee_bps * _BPS
        self.maker_fee = maker.instrument.maker_fee_bps * _BPS
        self.venue_less_engine_ns: int | None = None
        self._age_ns_max = age_ns_max

    @property
    def name(self) -> str:
        """Venue and symbol."""
        return f"{self.instrument.venue}:{self.instrument.symbol}"

    def age_ns(self, now_ns: int) -> int:
        """Time since the book last changed."""
        return now_ns - self.view.changed_ns

    def condition(self, now_ns: int) -> Condition:
        """Whether the book may be relied on now."""
        view = self.view
        if not view.is_synced or view.is_crossed:
            return Condition.DOWN
        if self.maker.risk.status is not TradingStatus.TRADING:
            return Condition.NOT_TRADING
        return Condition.STALE if self.age_ns(now_ns) > self._age_ns_max else Condition.GOOD

    def levels(self, side: Side) -> list[tuple[int, int]]:
        """(ticks, atoms) of one side of the view, best first, without what is ours."""
        book, ours = self.view.book[0], self._unseen_lots(side)
        n = int(book["nview"][side])
        prices, sizes = book["vpx"][side, :n].tolist(), book["vsz"][side, :n].tolist()
        rows = zip(prices, sizes, strict=True)
        others = ((ticks, lots - ours.get(ticks, 0)) for ticks, lots in rows)
        return [(ticks, lots * self.lot_atoms) for ticks, lots in others if lots > 0]

    def reachable(self, taking: Side) -> list[tuple[int, int]]:
        """The levels that an order of a side can take without meeting an order of our own."""
        levels = self.levels(taking.opposite)
        own_ticks = self.maker.orders.best_price_ticks[taking.opposite]
        if own_ticks is None:
            return levels
        sign = taking.sign
        return [level for level in levels if sign * level[0] < sign * own_ticks]

    def slippage_ticks(self) -> float:
        """Expected adverse move while an order is on its way, in ticks: sigma * sqrt(latency / (2 pi)).

        Source: E[max(X, 0)] of X ~ N(0, sigma**2 * latency).
        """
        latency_s = self.latency.latency_ns / NANOS_PER_SECOND
        return float(self.view.vol["sigma"][0]) * math.sqrt(latency_s) * _ADVERSE

    def least_atoms(self, price_ticks: int) -> int:
        """The smallest order at a price."""
        return least_lots(self.maker.risk.bounds, price_ticks) * self.lot_atoms

    def _unseen_lots(self, side: Side) -> dict[int, int]:
        """Orders of ours that were acknowledged after the view was drawn, or not yet, by price."""
        ours: dict[int, int] = {}
        for order in self.maker.orders:
            is_unseen = order.venue_order_id is None or order.changed_ns >= self.view.changed_ns
            if order.side is side and is_unseen:
                ticks = order.price_ticks
                ours[ticks] = ours.get(ticks, 0) + order.leaves_lots
        return ours
