"""Orders of an arbitrage at one venue: how large and at which price they may be, and how our quotes make way."""

from collections.abc import Iterator
from typing import Final

from mmd.core.commands import Approved, CancelOrder, Command
from mmd.core.crossvenue.outlet import Outlet
from mmd.core.order_desk import CANCEL_PERIOD_NS
from mmd.core.orders.order import OrderPurpose
from mmd.core.quoting.record import LEVELS_MAX
from mmd.core.units import Side, TimeInForce

_HOLD_NS: Final = 500_000_000
"""How long a side that was cleared is not quoted, unless the execution goes on."""
_FAR: Final = 2**53
"""Beyond every ask, in ticks."""


def sendable_atoms(outlet: Outlet, side: Side, price_ticks: int) -> int:
    """The largest order that funds and limits allow at a price; the gate has the last word."""
    risk, orders = outlet.maker.risk, outlet.maker.orders
    bounds = risk.bounds
    lots = min(risk.room_lots[side], risk.exposure_lots[side]) - orders.open_lots[side]
    if side is Side.BUY:
        funded = (risk.quote_ticklots - orders.open_ticklots[side]) // max(price_ticks, 1)
    else:
        funded = risk.base_lots - orders.open_lots[side]
    largest = min(bounds.qty_lots_max, bounds.notional_max // max(price_ticks, 1))
    return max(min(lots, funded, largest), 0) * outlet.lot_atoms


def within(outlet: Outlet, side: Side, price_ticks: int) -> int:
    """The nearest price that meets neither the collar nor an order of our own."""
    risk = outlet.maker.risk
    price_ticks = min(max(price_ticks, risk.price_low), risk.price_high)
    own_ticks = outlet.maker.orders.best_price_ticks[side.opposite]
    if own_ticks is None:
        return price_ticks
    behind = own_ticks - side.sign
    return min(price_ticks, behind) if side is Side.BUY else max(price_ticks, behind)


def in_the_way(outlet: Outlet, taking: Side, price_ticks: int) -> bool:
    """Whether an order that takes up to a price would meet one of ours."""
    own_ticks = outlet.maker.orders.best_price_ticks[taking.opposite]
    return own_ticks is not None and taking.sign * own_ticks <= taking.sign * price_ticks


def hold(outlet: Outlet, taking: Side, now_ns: int) -> None:
    """Keep the side that is taken from free of quotes for a while, as after a fill of its last level."""
    side, working = taking.opposite, outlet.maker.working[0]
    working["held_until_ns"][side] = max(int(working["held_until_ns"][side]), now_ns + _HOLD_NS)
    working["held_px"][side] = 0 if side is Side.BUY else _FAR
    working["held_level"][side] = LEVELS_MAX


def clear(outlet: Outlet, taking: Side, now_ns: int) -> Iterator[Approved[Command]]:
    """Take back the quotes of the side that is taken from, each once in a while, and place no others."""
    desk = outlet.maker.desk
    hold(outlet, taking, now_ns)
    for order in tuple(outlet.maker.orders):
        is_asked = order.is_in_flight and now_ns - order.requested_ns < CANCEL_PERIOD_NS
        if order.side is not taking and order.purpose is OrderPurpose.QUOTE and not is_asked:
            yield from desk.sending(desk.approve(CancelOrder(outlet.id, order.client_order_id)))


def leg_order(
    outlet: Outlet, side: Side, price_ticks: int, qty_atoms: int
) -> Approved[Command] | None:
    """An immediate-or-cancel order in whole lots, if there is one to send and the gate lets it pass."""
    lots = qty_atoms // outlet.lot_atoms
    if lots <= 0 or price_ticks <= 0:
        return None
    return outlet.maker.desk.place(side, price_ticks, lots, TimeInForce.IOC)
