"""From what an instrument wants done to approved commands: rows of the order diff, questions, cancels, slices."""

from collections.abc import Iterator, Sequence
from functools import partial

from mmd.core.commands import (
    AmendOrder,
    Approved,
    CancelOrder,
    Command,
    PlaceOrder,
    QueryOrder,
    ReplaceOrder,
    ResyncBook,
)
from mmd.core.flattening import next_slice
from mmd.core.instrument import Instrument
from mmd.core.order_plan import judge_action, plan
from mmd.core.orders.order import OrderPurpose
from mmd.core.orders.order_diff import AMEND, PLACE, REPLACE
from mmd.core.orders.order_numbers import OrderCounts, OrderNumbers
from mmd.core.orders.working_orders import WorkingOrders
from mmd.core.risk.gate import RiskGate
from mmd.core.risk.order_check import RISK
from mmd.core.risk.reasons import RiskReason
from mmd.core.risk.view import RiskView
from mmd.core.units import NANOS_PER_SECOND, ClientOrderId, Side, TimeInForce
from mmd.jit.kernel import Rec, bind
from mmd.jit.record_field import word_of

RESYNC_PERIOD_NS = 2 * NANOS_PER_SECOND
QUERY_PERIOD_NS = NANOS_PER_SECOND
CANCEL_PERIOD_NS = 2 * NANOS_PER_SECOND
"""How often one order is cancelled over again while nobody answers."""
TAKE_PERIOD_NS = 250_000_000
"""Between two slices of a flattening, so that the book can fill up again."""
_NEW = (PLACE, REPLACE)
_SIDES = tuple(Side)
_NEW_ORDERS = (PlaceOrder, ReplaceOrder)
_IOC = TimeInForce.IOC
_QUOTE = OrderPurpose.QUOTE
_OK = int(RiskReason.OK)
_VERDICT = word_of(RISK, "verdict")
_ORDER_RESERVE = int(RiskReason.ORDER_RESERVE)


class OrderDesk:
    """Makes one instrument's commands, has them approved, and records those that were sent."""

    def __init__(
        self,
        instrument: Instrument,
        orders: WorkingOrders,
        quote: Rec,
        market: Rec,
        view: RiskView,
        gate: RiskGate,
        numbers: OrderNumbers,
        counts: OrderCounts,
    ) -> None:
        """`quote` is the QUOTE record whose targets are planned for, `market` the VIEW record of their market."""
        self._id = instrument.id
        self._orders = orders
        self._order_at = orders.at
        records = (view.record, gate.budgets)
        planned = (orders.working, quote, *records, market)
        judged = (orders.working, *records)
        self._plan = partial(bind(plan, *planned, *[0] * 4), *planned)
        self._judge = partial(bind(judge_action, *judged, *[0] * 3), *judged)
        self._view = view
        self._words = view.words
        self._gate = gate
        self._numbers = numbers
        self._counts = counts
        self._take_after_ns = 0
        self._resync_asked_ns = -RESYNC_PERIOD_NS
        self._taking_id: ClientOrderId | None = None
        """The last order that takes; it ends by itself."""

    def plan(self, hindrance: int, now_ns: int) -> int:
        """Find what is to be done about the targets, and judge the first action; returns how many there are."""
        gate = self._gate
        return self._plan(now_ns, hindrance, gate.levels.level, self._numbers.last + 1)

    def act(self, at: int) -> Approved[Command] | None:
        """Action number `at` of the plan as a command, if it may be sent; the first was judged with the plan."""
        gate, view = self._gate, self._view
        if at > 0:
            self._judge(at, gate.levels.level, self._numbers.last + 1)
        if self._words[_VERDICT] == _OK:
            self._numbers.last += 1
            return gate.redeem(view, self._id)
        return self._act_otherwise()

    def _act_otherwise(self) -> Approved[Command] | None:
        """What is no new order, or one that was refused."""
        view = self._view
        op, old_id, _, side, _, sz = view.action()
        if op in _NEW:
            self._numbers.last += 1
            if op == PLACE:
                return None
            if view.verdict == _ORDER_RESERVE:  # it stands no closer to the touch than is wanted
                self._counts.requotes_skipped += 1
                return None
            return self.approve(CancelOrder(self._id, old_id))
        old = self._order_at(_SIDES[side], view.slot)
        if op == AMEND:
            return self.approve(AmendOrder(self._id, old_id, old.filled_lots + sz))
        if old_id == self._taking_id and view.now_ns - old.sent_ns < CANCEL_PERIOD_NS:
            return None
        return self.approve(CancelOrder(self._id, old_id))

    def place(
        self, side: Side, price_ticks: int, qty_lots: int, tif: TimeInForce
    ) -> Approved[Command] | None:
        """An order that is no rung of the ladder, if it may be sent; send it with its purpose."""
        new = self._numbers.next_id()
        return self.approve(PlaceOrder(self._id, new, side, price_ticks, qty_lots, tif))

    def take(
        self, position_lots: int, slippage_bps: float, now_ns: int
    ) -> Approved[Command] | None:
        """The next slice of a position to be closed, once a period and if it may be sent."""
        if now_ns < self._take_after_ns:
            return None
        wanted = next_slice(self._view, position_lots, slippage_bps)
        if wanted is None:
            return None
        self._take_after_ns = now_ns + TAKE_PERIOD_NS
        new = self._numbers.next_id()
        approved = self.approve(
            PlaceOrder(self._id, new, wanted.side, wanted.price_ticks, wanted.qty_lots, _IOC)
        )
        if approved is not None:
            self._taking_id = new
        return approved

    def requests(self, now_ns: int, wants_resync: bool, *, has_orders: bool) -> list[Command]:  # noqa: FBT001
        """What must be asked of the venue: a new snapshot, the fate of orders; each at its own period."""
        asks: list[Command] = []
        if wants_resync and now_ns - self._resync_asked_ns > RESYNC_PERIOD_NS:
            self._resync_asked_ns = now_ns
            asks.append(ResyncBook(self._id))
        return asks + self.queries(now_ns) if has_orders else asks

    def queries(self, now_ns: int) -> list[Command]:
        """A question about each order whose fate is unknown, once a period."""
        unknown = self._orders.unknown_orders(asked_before_ns=now_ns - QUERY_PERIOD_NS)
        return [QueryOrder(self._id, o.client_order_id) for o in unknown]

    def cancels(self, now_ns: int, since_ns: int) -> list[Command]:
        """A cancel for each open order: at once where nothing was asked of it since a time, then once a period."""
        return [
            CancelOrder(self._id, o.client_order_id)
            for o in self._orders
            if o.requested_ns <= since_ns or now_ns - o.requested_ns >= CANCEL_PERIOD_NS
        ]

    def approve(self, command: Command) -> Approved[Command] | None:
        """Ask the gate."""
        verdict = self._gate.check(command, self._view)
        return verdict if isinstance(verdict, Approved) else None

    def sending(
        self, approved: Approved[Command] | None, level: int = 0, purpose: OrderPurpose = _QUOTE
    ) -> Iterator[Approved[Command]]:
        """Hand a command over; it counts as sent when the caller comes back, or goes away."""
        if approved is not None:
            try:
                yield approved
            finally:
                self.on_sent(approved.command, level, purpose)

    def on_refused(self, reasons: Sequence[int], skipped: int) -> None:
        """Count orders that were judged and refused elsewhere: how many had each RiskReason, and were replacements left out."""
        self._counts.requotes_skipped += skipped
        for reason, n in enumerate(reasons):
            self._gate.counts[reason] += n

    @property
    def last_number(self) -> int:
        """The last number that an order of the session has had."""
        return self._numbers.last

    def on_numbered(self, last: int) -> None:
        """Orders up to a number were made elsewhere: the next has a larger one."""
        self._numbers.last = max(self._numbers.last, last)

    def on_sent_elsewhere(self, sent: int, skipped: int) -> None:
        """Count new orders that were approved and sent elsewhere, and replacements that were left out."""
        self._counts.sent += sent
        self._counts.requotes_skipped += skipped

    def on_acted(self, command: Command) -> None:
        """Record the command that `act` has just made, and the caller has taken up."""
        self.on_sent(command, self._view.rung)

    def on_sent(self, command: Command, level: int, purpose: OrderPurpose = _QUOTE) -> None:
        """Record a command that the caller has taken up; level is the rung that a new order is for."""
        self._orders.on_sent(command, self._view.now_ns, level, purpose)
        self._counts.sent += isinstance(command, _NEW_ORDERS)
