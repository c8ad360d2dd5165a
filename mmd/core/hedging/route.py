"""One instrument that a hedge can be traded on: its price now, what may be sent there, what is held there."""

import math
from typing import Final, NamedTuple

from mmd.core.crossvenue.order_cost import BPS, Terms, resting_cost, taking_cost
from mmd.core.crossvenue.order_latency import OrderLatency
from mmd.core.crossvenue.outlet import Outlet
from mmd.core.flattening import least_lots, limit_price_ticks
from mmd.core.instrument import TradingStatus
from mmd.core.inventory.settings import HedgeSpec
from mmd.core.maker import Maker
from mmd.core.risk.view import RiskView
from mmd.core.units import Side

_ANY_AGE: Final = 2**62
"""What is traded on follows from the maker's own state; the age of its book is the gate's business."""


class RouteCost(NamedTuple):
    """What hedging on a route is expected to cost; basis points of its own mid."""

    name: str
    cost_bps: float
    """Infinite where nothing can be had."""
    fill_probability: float
    """Share of the quantity that is expected to be filled at once, or while resting where the algorithm rests."""
    latency_ns: int


class HedgeRoute:
    """A route of one hedged instrument.

    Attributes:
        maker: the instrument that is traded.
        is_same: whether that is the hedged instrument itself.
        held_lots: what is held there as a hedge, negative when short; always 0 on the same instrument.
    """

    def __init__(
        self, maker: Maker, spec: HedgeSpec, latency: OrderLatency, *, is_same: bool
    ) -> None:
        """The latency is of orders at the instrument's venue."""
        self.maker = maker
        self.is_same = is_same
        self.held_lots = 0
        self._spec = spec
        self._outlet = Outlet(maker, latency, _ANY_AGE)
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
        return limit_price_ticks(self.maker.risk, -side.sign, self._spec.cap_bps)

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

    def cost(self, side: Side, qty_lots: int) -> RouteCost:
        """What a hedge of so many lots is expected to cost, as the algorithm would trade it."""
        view, outlet, spec = self.maker.view, self._outlet, self._spec
        terms = Terms(side, view.mid_half_ticks / 2, spec.retry_ns)
        touch = view.ask_ticks if side is Side.BUY else view.bid_ticks
        cap_ticks = touch * (1.0 + side.sign * spec.cap_bps / BPS)
        offered = outlet.levels(side.opposite)
        levels = [level for level in offered if side.sign * (level[0] - cap_ticks) <= 0]
        found = taking_cost(outlet, levels, qty_lots * outlet.lot_atoms, cap_ticks, terms)
        if spec.algorithm == "passive_then_cross":
            found = resting_cost(outlet, found, spec.passive_ns, terms)
        latency_ns = round(outlet.latency.latency_ns)
        return RouteCost(self.name, found.cost_bps, found.fill_probability, latency_ns)


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
