"""The risk gate: pure, O(1), in front of every command; the only place that makes an Approved one.

A command is judged on a RiskView, which the engine keeps current and settles before it asks. Cancels, queries and resyncs pass
whatever the state of the world, up to the venue's own message budget, of which a share is reserved for
them. New orders pass every check of `RiskReason`, in the order of cost of the mistake.

A refused replacement leaves the old order where it is: the caller cancels that instead.
"""

from typing import NamedTuple, assert_never

import msgspec

from mmd.core.commands import (
    GATE_TOKEN,
    AmendOrder,
    Approved,
    CancelAll,
    CancelOrder,
    Command,
    PlaceOrder,
    QueryOrder,
    ReplaceOrder,
    ResyncBook,
)
from mmd.core.orders.order import Order
from mmd.core.risk.levels import RiskLevel, RiskLevels
from mmd.core.risk.limits import Bounds
from mmd.core.risk.order_to_trade import OrderToTrade
from mmd.core.risk.reasons import RiskReason
from mmd.core.risk.throttle import Cost, Counted, Throttle
from mmd.core.risk.view import RiskView
from mmd.core.units import ClientOrderId, Side

# Members of an Enum are looked up through its metaclass (0.1 us each): the hot ones are bound here.
_CLOSED_LEVELS = (RiskLevel.CANCEL_ALL, RiskLevel.HALTED)
_OK = RiskReason.OK
_CAUTIOUS = RiskLevel.CAUTIOUS
_BUY = Side.BUY
_SHORT = {
    None: RiskReason.OK,
    Counted.ORDERS: RiskReason.ORDER_RATE,
    Counted.WEIGHT: RiskReason.MESSAGE_BUDGET,
}
"""What the throttle's answer means."""


class Refused(NamedTuple):
    """A command that may not be sent, and why."""

    command: Command
    reason: RiskReason


class CommandCosts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each command takes from the venue's budgets.

    Orders and cancels that succeed cost no weight there; the few that fail show in the venue's own count.
    Source: Binance spot API documents, "Rate limits" and the weight of each request (the defaults).
    """

    place: Cost = Cost(1, 0)
    replace: Cost = Cost(1, 0)
    amend: Cost = Cost(0, 4)
    cancel: Cost = Cost(0, 0)
    cancel_all: Cost = Cost(0, 0)
    query: Cost = Cost(0, 4)
    resync: Cost = Cost(0, 250)


class RiskGate:
    """Judges the commands of one session at one venue.

    Attributes:
        counts: how many commands had each RiskReason, OK included.
        ratio: orders against fills.
    """

    def __init__(
        self,
        levels: RiskLevels,
        throttle: Throttle,
        costs: CommandCosts | None = None,
        ratio: OrderToTrade | None = None,
    ) -> None:
        self.counts = [0] * len(RiskReason)
        self.ratio = OrderToTrade(0, 0) if ratio is None else ratio
        self._levels = levels
        self._throttle = throttle
        self._costs = CommandCosts() if costs is None else costs
        self._last_id = ClientOrderId(0)

    def check(self, command: Command, view: RiskView) -> Approved[Command] | Refused:
        """Approve or refuse; an approved command has been charged to the rate budgets."""
        if isinstance(command, ReplaceOrder):
            reason = self._judge_replacement(command, view)
        elif isinstance(command, PlaceOrder):
            reason = self._judge_order(command, None, self._costs.place, view)
        else:
            reason = self._judge_request(command, view)
        self.counts[reason] += 1
        if reason is not _OK:
            return Refused(command, reason)
        return Approved(command, gate=GATE_TOKEN)

    def _judge_replacement(self, command: ReplaceOrder, view: RiskView) -> RiskReason:
        replaced = view.orders.get(command.cancel_id)
        if replaced is None or not replaced.is_open or replaced.side is not command.side:
            return RiskReason.NOT_WORKING
        return self._judge_order(command, replaced, self._costs.replace, view)

    def _judge_request(
        self,
        command: AmendOrder | CancelOrder | CancelAll | QueryOrder | ResyncBook,
        view: RiskView,
    ) -> RiskReason:
        """Judge what places nothing: it only has to fit into the budgets."""
        costs = self._costs
        match command:
            case AmendOrder():
                order = view.orders.get(command.client_order_id)
                if (
                    order is None
                    or not order.is_open
                    or not (order.filled_lots < command.qty_lots < order.qty_lots)
                ):
                    return RiskReason.NOT_WORKING
                cost = costs.amend
            case CancelOrder():
                cost = costs.cancel
            case CancelAll():
                cost = costs.cancel_all
            case QueryOrder():
                cost = costs.query
            case ResyncBook():
                cost = costs.resync
            case _:
                assert_never(command)
        return _SHORT[self._throttle.take(cost, view.now_ns, urgent=True)]

    def _judge_order(  # noqa: C901, PLR0911, PLR0912 - a table, and calls would double its price
        self, order: PlaceOrder | ReplaceOrder, replaced: Order | None, cost: Cost, view: RiskView
    ) -> RiskReason:
        """Judge a new order; replaced is the one it takes the place of."""
        bounds, orders, side = view.bounds, view.orders, order.side
        price_ticks, qty_lots = order.price_ticks, order.qty_lots
        replaced_lots = 0 if replaced is None else replaced.leaves_lots
        side_lots = orders.open_lots[side] + qty_lots
        if bounds.replacement_frees_leaves:
            side_lots -= replaced_lots
        reduces = 0 < side_lots <= view.reducible_lots[side]
        level = self._levels.level
        if level > _CAUTIOUS and (level in _CLOSED_LEVELS or not reduces):
            return RiskReason.LEVEL
        if view.refusal is not _OK:
            return view.refusal
        if not reduces:
            if view.hindrance is not _OK:
                return view.hindrance
            if self.ratio.left <= 0:
                return RiskReason.ORDER_TO_TRADE
        if order.client_order_id <= self._last_id:
            return RiskReason.DUPLICATE_ID
        if not view.price_low <= price_ticks <= view.price_high:
            reason = view.price_reason(price_ticks)
            if reason is not _OK:
                return reason
        own = orders.best_price_ticks[1 - side]
        if own is not None and (own <= price_ticks if side is _BUY else own >= price_ticks):
            return RiskReason.OWN_CROSS
        ticklots = price_ticks * qty_lots
        if (
            not bounds.qty_lots_min <= qty_lots <= bounds.qty_lots_max
            or not bounds.notional_min <= ticklots <= bounds.notional_max
        ):
            return _size_reason(ticklots, qty_lots, bounds)
        if orders.open_orders[side] >= bounds.open_orders_max * (1 if replaced is None else 2):
            return RiskReason.OPEN_ORDERS
        if side_lots > view.room_lots[side]:
            return RiskReason.WORST_CASE_POSITION
        if side is _BUY:
            if replaced is not None:
                ticklots -= replaced.price_ticks * replaced_lots
            if orders.open_ticklots[side] + ticklots > view.quote_ticklots:
                return RiskReason.BALANCE
        elif orders.open_lots[side] - replaced_lots + qty_lots > view.base_lots:
            return RiskReason.BALANCE
        if side_lots > view.exposure_lots[side] and not reduces:
            return RiskReason.EXPOSURE
        reason = _SHORT[self._throttle.take(cost, view.now_ns, urgent=reduces)]
        if reason is _OK:
            self._last_id = order.client_order_id
            self.ratio.on_order()
        return reason


def _size_reason(ticklots: int, qty_lots: int, bounds: Bounds) -> RiskReason:
    """Which bound of quantity or notional is passed."""
    if qty_lots < bounds.qty_lots_min:
        return RiskReason.QTY_MIN
    if qty_lots > bounds.qty_lots_max:
        return RiskReason.QTY_MAX
    return RiskReason.NOTIONAL_MIN if ticklots < bounds.notional_min else RiskReason.NOTIONAL_MAX
