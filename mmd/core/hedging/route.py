"""One instrument that a hedge can be traded on: its price now, what may be sent there, what is held there."""

import math
from typing import NamedTuple

from mmd.core.flattening import least_lots, limit_price_ticks
from mmd.core.instrument import TradingStatus
from mmd.core.inventory.settings import HedgeSpec
from mmd.core.maker import Maker
from mmd.core.risk.view import RiskView
from mmd.core.units import NANOS_PER_SECOND, Side

_BPS = 1e4
_ADVERSE = 1.0 / math.sqrt(2.0 * math.pi)
"""E[max(Z, 0)] of a standard normal: half of a price's moves are against us."""


class RouteCost(NamedTuple):
    """What hedging on a route is expected to cost; basis points of its own mid."""

    name: str
    cost_bps: float
    """Infinite where nothing can be had."""
    fill_probability: float
    """Share of the quantity that is there to be taken within the cap."""
    latency_ns: int


class HedgeRoute:
    """A route of one hedged instrument.

    Attributes:
        maker: the instrument that is traded.
        is_same: whether that is the hedged instrument itself.
        held_lots: what is held there as a hedge, negative when short; always 0 on the same instrument.
    """

    def __init__(self, maker: Maker, spec: HedgeSpec, *, is_same: bool) -> None:
        self.maker = maker
        self.is_same = is_same
        self.held_lots = 0
        self._cap_bps = spec.cap_bps
        self._notional_min = math.ceil(spec.notional_min / maker.instrument.notional_per_ticklot)

    @property
    def name(self) -> str:
        """Venue and symbol."""
        return f"{self.maker.instrument.venue}:{self.maker.instrument.symbol}"

    @property
    def is_usable(self) -> bool:
        """Whether an order could be sent there now, as far as feed, link and venue go."""
        maker = self.maker
        return (
            maker.view.is_synced
            and not maker.view.is_crossed
            and maker.is_private_up
            and maker.scale is not None
            and maker.ledger.pnl is not None
            and maker.orders.unknown_count == 0
            and maker.risk.status is TradingStatus.TRADING
        )

    def cap_ticks(self, side: Side) -> int:
        """The worst price at which a hedge takes, within filters and collar."""
        return limit_price_ticks(self.maker.risk, -side.sign, self._cap_bps)

    def best_ticks(self, side: Side) -> int:
        """The best price of an order's own side."""
        return self.maker.view.bid_ticks if side is Side.BUY else self.maker.view.ask_ticks

    def lots_min(self, price_ticks: int) -> int:
        """The smallest hedge: of the venue's filters and of the settings."""
        return max(
            least_lots(self.maker.risk.bounds, price_ticks), -(-self._notional_min // price_ticks)
        )

    def is_own_crossed(self, side: Side, price_ticks: int) -> bool:
        """Whether an order would meet one of our own, which has to be gone first."""
        own = self.maker.orders.best_price_ticks[side.opposite]
        return own is not None and side.sign * (price_ticks - own) >= 0

    def cost(self, side: Side, qty_lots: int, latency_ns: float, retry_ns: int) -> RouteCost:
        """Price, commission, the move to be expected until an order arrives, and waiting for what is missed."""
        view, instrument = self.maker.view, self.maker.instrument
        mid, sigma = view.mid_half_ticks / 2, float(view.vol["sigma"][0])
        there, paid = _reachable(
            self.maker, side, qty_lots, mid * (1.0 + side.sign * self._cap_bps / _BPS)
        )
        if there == 0:
            return RouteCost(self.name, math.inf, 0.0, round(latency_ns))
        probability = there / qty_lots
        ticks = side.sign * (paid / there - mid)
        ticks += sigma * math.sqrt(latency_ns / NANOS_PER_SECOND) * _ADVERSE
        ticks += (1.0 - probability) * sigma * math.sqrt(retry_ns / NANOS_PER_SECOND)
        cost_bps = ticks / mid * _BPS + instrument.taker_fee_bps
        return RouteCost(self.name, cost_bps, probability, round(latency_ns))


def sendable_lots(view: RiskView, side: Side, qty_lots: int, price_ticks: int) -> int:
    """What the gate would let pass of a quantity now: limits of order and position, room, and free funds."""
    bounds, orders = view.bounds, view.orders
    open_lots = orders.open_lots[side]
    room_lots = view.room_lots[side] - open_lots
    if open_lots + qty_lots > view.reducible_lots[side]:
        room_lots = min(room_lots, view.exposure_lots[side] - open_lots)
    if side is Side.BUY:
        funded_lots = (view.quote_ticklots - orders.open_ticklots[side]) // price_ticks
    else:
        funded_lots = view.base_lots - open_lots
    most = min(room_lots, funded_lots, bounds.qty_lots_max, bounds.notional_max // price_ticks)
    return max(min(qty_lots, most), 0)


def _reachable(maker: Maker, side: Side, qty_lots: int, cap_ticks: float) -> tuple[int, float]:
    """Lots that an order would be filled with at once, up to a price, and the sum of their prices."""
    book, opposite = maker.view.book[0], side.opposite
    n = int(book["nview"][opposite])
    rows = zip(book["vpx"][opposite, :n].tolist(), book["vsz"][opposite, :n].tolist(), strict=True)
    there, paid = 0, 0.0
    for price_ticks, lots in rows:
        if there >= qty_lots or side.sign * (price_ticks - cap_ticks) > 0:
            break
        take = min(lots, qty_lots - there)
        there, paid = there + take, paid + take * price_ticks
    return there, paid
