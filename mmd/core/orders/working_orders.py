"""Every order of one instrument that may still be filled, and what is exposed by them.

`on_sent` records a command that was sent, `apply` what the venue says. Private events may be late, doubled
and out of order; fills are idempotent by trade id, also on orders that ended (the last history_max are
remembered). A contradiction never loses a fill and never hides exposure: the order becomes UNKNOWN, to be
queried, and the outcome is BREACH.

What the venue's adapter must do: confirm an amend by an OrderStatus with the new qty_lots; send the query
of a timed-out order on the connection of the order, or after the order's receive window has passed (else
"never heard of it" proves nothing).
"""

from collections import OrderedDict
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple, assert_never

from mmd.core.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    Command,
    PlaceOrder,
    QueryOrder,
    ReplaceOrder,
    ResyncBook,
)
from mmd.core.events import Fill, OrderAccepted, OrderEnded
from mmd.core.orders.order import Order, OrderPurpose
from mmd.core.orders.order_diff import WORKING
from mmd.core.orders.order_state import IllegalTransitionError, OrderState, Trigger
from mmd.core.orders.order_update import OrderEvent, advance, contradiction, learn
from mmd.core.orders.own_levels import OwnLevels
from mmd.core.orders.working_mirror import WorkingMirror
from mmd.core.units import ClientOrderId, InstrumentId, session_of
from mmd.jit.kernel import Rec
from mmd.jit.record_field import Field, words

HISTORY_MAX = 4096
# Members of an Enum are looked up through its metaclass (0.1 us each): the hot ones are bound here.
_UNKNOWN = OrderState.UNKNOWN
_CANCEL_SENT = Trigger.CANCEL_SENT
_QUOTE = OrderPurpose.QUOTE
_PLAIN = frozenset(OrderState) - {OrderState.PENDING_AMEND, OrderState.UNKNOWN}


class Outcome(IntEnum):
    """What an event did to our view."""

    CHANGED = 0
    DUPLICATE = 1
    """Nothing new in it."""
    FOREIGN = 2
    """About an order of another session, or placed by hand."""
    BREACH = 3
    """It contradicts what we know: raise the risk level, query the order."""


class Applied(NamedTuple):
    """The result of an event; is_new_fill says that a Fill must be booked, whoever's order it was on."""

    outcome: Outcome
    order: Order | None = None
    is_new_fill: bool = False
    message: str = ""


class WorkingOrders:
    """Orders of one instrument and session.

    Attributes:
        working: the WORKING record; the sums below stand in it, where the order check reads them.
        unknown_count: orders whose fate must be asked for; quoting pauses while it is above 0.
    """

    unknown_count = Field(WORKING, "unknown_count", int)

    def __init__(
        self,
        instrument: InstrumentId,
        session: int,
        working: Rec,
        history_max: int = HISTORY_MAX,
        own: OwnLevels | None = None,
    ) -> None:
        """Start empty; working is the WORKING record that is kept current for the order diff.

        own is told of every change where the venue's book shows our orders.
        """
        self.instrument = instrument
        self.working = working
        self.words = words(working)
        self._open_lots, self._open_orders, self._open_ticklots = (
            memoryview(working[name][0]) for name in ("open_lots", "open_orders", "open_ticklots")
        )
        for name in ("open_lots", "open_orders", "open_ticklots", "unknown_count"):
            working[name] = 0
        self._session = session
        self._mirror = WorkingMirror(working)
        self._own = own
        self.at = self._mirror.at
        """The order in a slot of the WORKING record: what an action of the diff is about."""
        self._live: dict[ClientOrderId, Order] = {}
        # Not a dict: finding the first key again and again walks over all that were deleted before it.
        self._ended: OrderedDict[ClientOrderId, Order] = OrderedDict()
        self._history_max = history_max
        self._stray_trades: dict[int, None] = {}
        self._last_id = ClientOrderId(0)

    @property
    def open_lots(self) -> list[int]:
        """By side, what all orders together may still fill: PENDING_CANCEL and UNKNOWN included."""
        return self._open_lots.tolist()

    @property
    def open_orders(self) -> list[int]:
        """By side, how many orders may rest at the venue."""
        return self._open_orders.tolist()

    @property
    def open_ticklots(self) -> list[int]:
        """By side, price times leaves of those: what buy orders lock."""
        return self._open_ticklots.tolist()

    @property
    def best_price_ticks(self) -> list[int | None]:
        """By side, the most aggressive price at which we may rest, or None."""
        return self._mirror.best_price_ticks

    def get(self, client_order_id: ClientOrderId) -> Order | None:
        """The order, open or remembered."""
        return self._live.get(client_order_id) or self._ended.get(client_order_id)

    def __iter__(self) -> Iterator[Order]:
        """Orders that may rest at the venue, oldest first."""
        return iter([o for o in self._live.values() if o.is_open])

    def unknown_orders(self, asked_before_ns: int | None = None) -> list[Order]:
        """Orders to query; with a time, only those not asked about since then."""
        return [
            o
            for o in self._live.values()
            if o.state is _UNKNOWN
            and (asked_before_ns is None or o.asked_ns is None or o.asked_ns < asked_before_ns)
        ]

    def overdue(self, now_ns: int, timeout_ns: int) -> list[Order]:
        """Orders whose last request has had no answer for timeout_ns."""
        return [
            o
            for o in self._live.values()
            if o.is_in_flight and now_ns - o.requested_ns >= timeout_ns
        ]

    def owed_fills(self) -> list[Order]:
        """Orders that ended with more filled than Fill events told: fetch the trades if it lasts."""
        return [o for o in self._live.values() if not o.is_open]

    def on_sent(
        self, command: Command, now_ns: int, level: int = 0, purpose: OrderPurpose = _QUOTE
    ) -> None:
        """Record a command that is on its way; level and purpose are those of a new order.

        Raises:
            IllegalTransitionError: an amend of an order that cannot be amended.
        """
        match command:
            case ReplaceOrder():
                self._request(command.cancel_id, _CANCEL_SENT, now_ns)
                self._add(command, level, now_ns, purpose)
            case PlaceOrder():
                self._add(command, level, now_ns, purpose)
            case CancelOrder():
                self._request(command.client_order_id, _CANCEL_SENT, now_ns)
            case AmendOrder():
                order = self._request(command.client_order_id, Trigger.AMEND_SENT, now_ns)
                if order is not None:
                    order.amend_lots = command.qty_lots
                    order.amends += 1
                    self._mirror.write(order)
            case CancelAll():
                for client_order_id in list(self._live):
                    self._request(client_order_id, _CANCEL_SENT, now_ns)
            case QueryOrder():
                asked = self.get(command.client_order_id)
                if asked is not None:
                    asked.asked_ns = now_ns
            case ResyncBook():
                pass
            case _:
                assert_never(command)

    @property
    def are_plain(self) -> bool:
        """Whether every order that counts is a quote in a slot, of which no amend is asked and nothing is in doubt."""
        return all(
            o.slot >= 0 and o.purpose is _QUOTE and o.state in _PLAIN for o in self._live.values()
        )

    @property
    def is_shown(self) -> bool:
        """Whether somebody is told of every change."""
        return self._own is not None

    def on_sent_elsewhere(
        self, command: PlaceOrder | ReplaceOrder | CancelOrder, now_ns: int, level: int
    ) -> None:
        """Record a command that the WORKING record shows already (see `working_rows`), of and for plain orders."""
        if not isinstance(command, PlaceOrder):
            number = (
                command.cancel_id if isinstance(command, ReplaceOrder) else command.client_order_id
            )
            order = self._live[number]
            advance(order, _CANCEL_SENT, now_ns)
            order.requested_ns = now_ns
        if not isinstance(command, CancelOrder):
            number = self._last_id = command.client_order_id
            terms = (command.side, command.price_ticks, command.qty_lots)
            order = self._live[number] = Order(command.instrument, number, *terms, level, now_ns)
            self._mirror.adopt(order)

    def on_heard_elsewhere(self, event: OrderAccepted | OrderEnded) -> Order:
        """Take in an answer that the WORKING record shows already; returns the order, of which nothing is owed."""
        order = self._live[event.client_order_id]
        advance(order, learn(order, event), event.ts_recv_ns)
        if not order.is_open:
            self._end(order)
            self._mirror.release(order)
        return order

    def on_link_lost(self, now_ns: int) -> None:
        """Private events may have been missed: every open order is UNKNOWN until queried."""
        for order in list(self._live.values()):
            self._change(order, Trigger.LINK_LOST, now_ns)

    def apply(self, event: OrderEvent) -> Applied:
        """Take in what the venue (or a time-out) says."""
        order = self.get(event.client_order_id)
        if order is None:
            return self._apply_stray(event)
        before = (order.state, order.leaves_lots, order.venue_order_id)
        self._withdraw(order)
        is_new_fill = isinstance(event, Fill) and event.trade_id not in order.trade_ids
        is_repeat = isinstance(event, Fill) and not is_new_fill
        message = "" if is_repeat else contradiction(order, event)
        try:
            if not is_repeat:
                advance(order, learn(order, event), event.ts_recv_ns)
        except IllegalTransitionError as error:
            order.state = OrderState.UNKNOWN
            message = f"{order.describe()}: {error}"
        self._deposit(order)
        if message:
            return Applied(Outcome.BREACH, order, is_new_fill, message)
        is_same = before == (order.state, order.leaves_lots, order.venue_order_id)
        outcome = Outcome.DUPLICATE if is_same and not is_new_fill else Outcome.CHANGED
        return Applied(outcome, order, is_new_fill)

    def _add(
        self, command: PlaceOrder | ReplaceOrder, level: int, now_ns: int, purpose: OrderPurpose
    ) -> None:
        assert command.client_order_id > self._last_id, "client order ids of a session must grow"
        self._last_id = command.client_order_id
        self._deposit(
            Order(
                command.instrument,
                command.client_order_id,
                command.side,
                command.price_ticks,
                command.qty_lots,
                level,
                now_ns,
                purpose,
            )
        )

    def _request(
        self, client_order_id: ClientOrderId, trigger: Trigger, now_ns: int
    ) -> Order | None:
        """Note a request to change an order; orders that we do not have are none of our business."""
        order = self.get(client_order_id)
        if order is not None:
            self._change(order, trigger, now_ns)
            order.requested_ns = now_ns
        return order

    def _change(self, order: Order, trigger: Trigger, now_ns: int) -> None:
        self._withdraw(order)
        try:
            advance(order, trigger, now_ns)
        finally:
            self._deposit(order)

    def _withdraw(self, order: Order) -> None:
        """Take an order's share out of the sums, before it changes."""
        if order.client_order_id in self._live:
            side, leaves_lots = order.side, order.leaves_lots
            self._open_lots[side] -= leaves_lots
            if order.is_open:
                self._open_orders[side] -= 1
                self._open_ticklots[side] -= order.price_ticks * leaves_lots
                if order.state is _UNKNOWN:
                    self.unknown_count -= 1

    def _deposit(self, order: Order) -> None:
        """Put its share back, after; file it under live or ended; mirror it."""
        side, leaves_lots, is_open = order.side, order.leaves_lots, order.is_open
        if is_open or leaves_lots > 0:
            self._ended.pop(order.client_order_id, None)
            self._live[order.client_order_id] = order
            self._open_lots[side] += leaves_lots
            if is_open:
                self._open_orders[side] += 1
                self._open_ticklots[side] += order.price_ticks * leaves_lots
                if order.state is _UNKNOWN:
                    self.unknown_count += 1
        elif order.client_order_id in self._live:
            self._end(order)
        self._mirror.write(order)
        if self._own is not None:
            self._own.write(order)

    def _end(self, order: Order) -> None:
        """It is remembered, the last history_max of them."""
        del self._live[order.client_order_id]
        self._ended[order.client_order_id] = order
        if len(self._ended) > self._history_max:
            self._ended.popitem(last=False)

    def _apply_stray(self, event: OrderEvent) -> Applied:
        """An event about an order that we do not have: another session's, or one of ours long ended."""
        is_new_fill = isinstance(event, Fill) and event.trade_id not in self._stray_trades
        if isinstance(event, Fill) and is_new_fill:
            self._stray_trades[event.trade_id] = None
            if len(self._stray_trades) > self._history_max:
                del self._stray_trades[next(iter(self._stray_trades))]
        what = f"{type(event).__name__} for order {event.client_order_id:#x}"
        if session_of(event.client_order_id) != self._session:
            return Applied(Outcome.FOREIGN, None, is_new_fill, f"{what} of another session")
        is_past = event.client_order_id <= self._last_id
        if is_past and not isinstance(event, Fill):
            return Applied(Outcome.DUPLICATE)
        if isinstance(event, Fill) and not is_new_fill:
            return Applied(Outcome.DUPLICATE)
        known = "that ended too long ago to be remembered" if is_past else "that we never sent"
        return Applied(
            Outcome.BREACH, None, is_new_fill, f"{what} {known}: reconcile with the venue"
        )
