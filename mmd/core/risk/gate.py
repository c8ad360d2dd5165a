"""The risk gate: pure, O(1), in front of every command; the only place that makes an Approved one.

A command is judged on a RiskView, which the engine keeps current and settles before it asks. Cancels, queries and resyncs pass
whatever the state of the world, up to the venue's own message budget, of which a share is reserved for
them, and once the wait is over that follows a refusal for the rate limit (`mmd.core.risk.backoff`). New orders pass every check of `RiskReason`, in the order of cost of the mistake.

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
from mmd.core.orders.order_diff import REPLACE, WORKING
from mmd.core.risk.backoff import Backoff
from mmd.core.risk.levels import RiskLevels
from mmd.core.risk.order_check import RISK, judge_order
from mmd.core.risk.order_to_trade import OrderToTrade
from mmd.core.risk.reasons import RiskReason
from mmd.core.risk.throttle import Cost, Counted, Throttle
from mmd.core.risk.view import RiskView
from mmd.core.units import InstrumentId, Side, TimeInForce
from mmd.jit.kernel import bind, new
from mmd.jit.record_field import word_of

# Members of an Enum are looked up through its metaclass (0.1 us each): the hot ones are bound here.
_OK = RiskReason.OK
_REASONS = tuple(RiskReason)
_SIDES = tuple(Side)
_POST_ONLY = TimeInForce.POST_ONLY
_COUNTABLE = 2**60
_VERDICT = word_of(RISK, "verdict")
_REDEEMED = -2
"""What stands for the verdict on an order once it was made."""
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
    """Judges the commands of one session.

    Attributes:
        counts: how many commands had each RiskReason, OK included.
        ratio: orders against fills.
        levels: the session's risk level.
        budgets: BUDGETS record of the throttle, where the compiled checks count what they approve.
    """

    def __init__(
        self,
        levels: RiskLevels,
        throttle: Throttle,
        costs: CommandCosts | None = None,
        ratio: OrderToTrade | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        """Without a backoff what was turned away may be sent again at once."""
        self.ratio = OrderToTrade(0, 0) if ratio is None else ratio
        self.ratio.count_in(memoryview(throttle.record["orders_left"]))
        self.counts = memoryview(throttle.record["verdicts"][0])
        self.levels = levels
        self.budgets = throttle.record
        self._throttle = throttle
        self._backoff = Backoff(0) if backoff is None else backoff
        self._costs = CommandCosts() if costs is None else costs
        throttle.record["price"] = self._costs.place, self._costs.replace
        pictures = (new(RISK), new(WORKING), self.budgets)
        self._judge = bind(judge_order, *pictures, 0, 0, 0, 0, 0, 0, 0, 0)

    def check(self, command: Command, view: RiskView) -> Approved[Command] | Refused:
        """Approve or refuse; an approved command has been charged to the rate budgets."""
        if isinstance(command, ReplaceOrder):
            reason = self._judge_replacement(command, view)
        elif isinstance(command, PlaceOrder):
            reason = self._judge_order(command, None, view)
        else:
            reason = self._judge_request(command, view)
        self.counts[reason] += 1
        if reason is not _OK:
            return Refused(command, reason)
        return Approved(command, GATE_TOKEN)

    def redeem(self, view: RiskView, instrument: InstrumentId) -> Approved[Command]:
        """The post-only order that `mmd.core.order_plan` has just approved; once for each.

        Args:
            view: where the verdict stands.
            instrument: whose order it is.
        """
        words = view.words
        assert words[_VERDICT] == _OK, "expected an order that was approved, and not made yet"
        words[_VERDICT] = _REDEEMED
        op, old_id, order_id, side, price_ticks, qty_lots = view.action()
        command: PlaceOrder | ReplaceOrder
        if op == REPLACE:
            command = ReplaceOrder(
                instrument, old_id, order_id, _SIDES[side], price_ticks, qty_lots, _POST_ONLY
            )
        else:
            command = PlaceOrder(
                instrument, order_id, _SIDES[side], price_ticks, qty_lots, _POST_ONLY
            )
        return Approved(command, GATE_TOKEN)

    def _judge_replacement(self, command: ReplaceOrder, view: RiskView) -> RiskReason:
        replaced = view.orders.get(command.cancel_id)
        if replaced is None or not replaced.is_open or replaced.side is not command.side:
            return RiskReason.NOT_WORKING
        return self._judge_order(command, replaced, view)

    def _judge_request(
        self,
        command: AmendOrder | CancelOrder | CancelAll | QueryOrder | ResyncBook,
        view: RiskView,
    ) -> RiskReason:
        """Judge what places nothing: it has to fit into the budgets, and the venue must not have turned us away just now."""
        if self._backoff.is_waiting(view.venue, view.now_ns):
            return RiskReason.MESSAGE_BUDGET
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
        return _SHORT[self._throttle.take(cost, view.now_ns, urgent=True, venue=view.venue)]

    def _judge_order(
        self, order: PlaceOrder | ReplaceOrder, replaced: Order | None, view: RiskView
    ) -> RiskReason:
        """Judge a new order; replaced is the one it takes the place of."""
        reason = self._judge(
            view.record,
            view.orders.working,
            self.budgets,
            self.levels.level,
            order.client_order_id,
            order.side,
            _countable(order.price_ticks),
            _countable(order.qty_lots),
            0 if replaced is None else 1,
            0 if replaced is None else replaced.price_ticks,
            0 if replaced is None else replaced.leaves_lots,
        )
        return _REASONS[reason]


def _countable(value: int) -> int:
    """A number that any limit refuses as well as the one it stands for, where that is too large for the checks."""
    return max(min(value, _COUNTABLE), -_COUNTABLE)
