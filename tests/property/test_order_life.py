"""Orders against a venue that loses requests and delays, doubles and reorders all it says.

The venue below is sure of itself; only its connection is bad. Requests reach it in order or not at all;
private events arrive in any order, some twice; now and then the link breaks and takes everything under way
with it. After every step exposure must not be understated; once all has been said and asked, our view must
equal the venue's.
"""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mmd.core.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    Command,
    PlaceOrder,
    QueryOrder,
    ReplaceOrder,
)
from mmd.core.events import EndReason, Event, Fill, RejectReason
from mmd.core.orders.order_diff import new_working
from mmd.core.orders.order_state import OrderState
from mmd.core.orders.working_orders import Outcome, WorkingOrders
from mmd.core.units import Side, sequence_of
from tests.order_events import (
    INSTRUMENT,
    SESSION,
    accepted,
    cancel_rejected,
    ended,
    fill,
    order_id,
    place,
    rejected,
    replace,
    status,
    timed_out,
)


@dataclass
class Resting:
    """An order as the venue has it."""

    sequence: int
    side: Side
    price_ticks: int
    qty_lots: int
    filled_lots: int = 0
    open: bool = True


@dataclass
class ToyVenue:
    """Executes requests at once and correctly; `said` is what it has told and we have not heard."""

    orders: dict[int, Resting] = field(default_factory=dict)
    trades: list[Fill] = field(default_factory=list)
    said: list[Event] = field(default_factory=list)

    def execute(self, command: Command, refuse: bool) -> None:
        match command:
            case PlaceOrder():
                self._place(command, refuse)
            case ReplaceOrder():
                old = sequence_of(command.cancel_id)
                if self._cancel(old, EndReason.REPLACED):
                    self._place(command, refuse)
                else:
                    self.said.append(rejected(sequence_of(command.client_order_id)))
            case CancelOrder():
                self._cancel(sequence_of(command.client_order_id), EndReason.CANCELED)
            case CancelAll():
                for order in self.open_orders():
                    self._cancel(order.sequence, EndReason.CANCELED)
            case AmendOrder():
                self._amend(sequence_of(command.client_order_id), command.qty_lots, refuse)
            case QueryOrder():
                self._tell(sequence_of(command.client_order_id))

    def open_orders(self) -> list[Resting]:
        return [order for order in self.orders.values() if order.open]

    def trade(self, order: Resting, lots: int) -> None:
        order.filled_lots += lots
        order.open = order.filled_lots < order.qty_lots
        trade_id = len(self.trades)
        self.trades.append(fill(order.sequence, trade_id, lots, order.side, order.price_ticks))
        self.said.append(self.trades[-1])

    def _place(self, command: PlaceOrder | ReplaceOrder, refuse: bool) -> None:
        sequence = sequence_of(command.client_order_id)
        if refuse:
            self.said.append(rejected(sequence, RejectReason.WOULD_TAKE))
            return
        self.orders[sequence] = Resting(
            sequence, command.side, command.price_ticks, command.qty_lots
        )
        self.said += [accepted(sequence), accepted(sequence)]  # the response and the user data

    def _cancel(self, sequence: int, reason: EndReason) -> bool:
        order = self.orders.get(sequence)
        if order is None or not order.open:
            self.said.append(cancel_rejected(sequence))
            return False
        order.open = False
        self.said.append(ended(sequence, order.filled_lots, reason))
        return True

    def _amend(self, sequence: int, qty_lots: int, refuse: bool) -> None:
        order = self.orders.get(sequence)
        if refuse or order is None or not order.open or not order.filled_lots < qty_lots:
            self.said.append(cancel_rejected(sequence, RejectReason.OTHER))
            return
        order.qty_lots = min(order.qty_lots, qty_lots)
        self._tell(sequence)

    def _tell(self, sequence: int) -> None:
        order = self.orders.get(sequence)
        if order is None:
            self.said.append(status(sequence, known=False, is_open=False))
            return
        self.said.append(
            status(
                sequence,
                True,
                order.open,
                order.side,
                order.price_ticks,
                order.qty_lots,
                order.filled_lots,
            )
        )


PICK = st.integers(0, 10**6)


class OrderLife(RuleBasedStateMachine):
    """We send, the venue acts, news arrives somehow."""

    def __init__(self) -> None:
        super().__init__()
        self.working = new_working()
        self.orders = WorkingOrders(INSTRUMENT, SESSION, self.working)
        self.venue = ToyVenue()
        self.wire: list[Command] = []
        self.booked_lots = [0, 0]
        self.sequence = 0

    def send(self, command: Command) -> None:
        self.orders.on_sent(command, 0)
        self.wire.append(command)

    def hear(self, event: Event) -> None:
        applied = self.orders.apply(event)
        assert applied.outcome is not Outcome.BREACH, applied.message
        if applied.is_new_fill:
            self.booked_lots[event.side] += event.qty_lots

    def pick(self, index, *states):
        found = [o for o in self.orders if not states or o.state in states]
        return found[index % len(found)] if found else None

    @rule(side=st.sampled_from(Side), lots=st.integers(1, 9))
    def place(self, side, lots):
        self.sequence += 1
        self.send(place(self.sequence, side, 1000 + 10 * side + self.sequence % 5, lots))

    @rule(index=PICK)
    def cancel(self, index):
        if order := self.pick(index):
            self.send(CancelOrder(INSTRUMENT, order.client_order_id))

    @rule(index=PICK, lots=st.integers(1, 9))
    def replace(self, index, lots):
        if order := self.pick(index, OrderState.WORKING, OrderState.PARTIALLY_FILLED):
            self.sequence += 1
            old = sequence_of(order.client_order_id)
            self.send(replace(old, self.sequence, order.side, order.price_ticks + 1, lots))

    @rule(index=PICK)
    def amend(self, index):
        order = self.pick(index, OrderState.WORKING, OrderState.PARTIALLY_FILLED)
        if order is not None and order.leaves_lots > 1:
            self.send(AmendOrder(INSTRUMENT, order.client_order_id, order.qty_lots - 1))

    @rule()
    def cancel_all(self):
        self.send(CancelAll(INSTRUMENT))

    @rule(index=PICK)
    def give_up_waiting(self, index):
        order = self.pick(index)
        if order is not None and order.is_in_flight:
            self.hear(timed_out(sequence_of(order.client_order_id)))

    @rule()
    def ask(self):
        for order in self.orders.unknown_orders():
            self.send(QueryOrder(INSTRUMENT, order.client_order_id))

    @precondition(lambda self: self.wire)
    @rule(lose=st.sampled_from([False, False, False, True]), refuse=st.booleans())
    def request_arrives(self, lose, refuse):
        command = self.wire.pop(0)
        if not lose:
            self.venue.execute(command, refuse)

    @precondition(lambda self: self.venue.open_orders())
    @rule(index=PICK, lots=st.integers(1, 9))
    def trade_happens(self, index, lots):
        resting = self.venue.open_orders()
        order = resting[index % len(resting)]
        self.venue.trade(order, min(lots, order.qty_lots - order.filled_lots))

    @precondition(lambda self: self.venue.said)
    @rule(index=PICK, keep_a_copy=st.booleans())
    def news_arrives(self, index, keep_a_copy):
        at = index % len(self.venue.said)
        event = self.venue.said[at]
        if not keep_a_copy:
            del self.venue.said[at]
        self.hear(event)

    @rule()
    def link_breaks(self):
        self.venue.said.clear()
        self.orders.on_link_lost(0)
        self.venue.said += self.venue.trades  # fetched again after each reconnect

    @rule(shuffle=st.randoms(use_true_random=False))
    def all_is_said_and_asked(self, shuffle):
        """Quiescence: what is under way arrives, what has no answer is asked for, until nothing is open."""
        for _ in range(20):
            while self.wire or self.venue.said:
                while self.wire:
                    self.venue.execute(self.wire.pop(0), refuse=False)
                said, self.venue.said = self.venue.said, []
                shuffle.shuffle(said)
                for event in said:
                    self.hear(event)
            for order in self.orders.overdue(1, 1):
                self.hear(timed_out(sequence_of(order.client_order_id)))
            self.ask()
            if not self.wire:
                break
        assert self.orders.unknown_count == 0
        theirs = {
            order_id(o.sequence): (o.side, o.qty_lots, o.filled_lots)
            for o in self.venue.open_orders()
        }
        ours = {o.client_order_id: (o.side, o.qty_lots, o.filled_lots) for o in self.orders}
        assert ours == theirs
        assert self.booked_lots == self.traded_lots()
        assert self.orders.owed_fills() == []
        assert self.orders.open_lots == self.resting_lots()

    def traded_lots(self):
        return [sum(t.qty_lots for t in self.venue.trades if t.side is side) for side in Side]

    def resting_lots(self):
        return [
            sum(o.qty_lots - o.filled_lots for o in self.venue.open_orders() if o.side is side)
            for side in Side
        ]

    @invariant()
    def exposure_is_never_understated(self):
        """What we know plus what we fear covers what happened plus what may."""
        for side in Side:
            coming = sum(
                c.qty_lots
                for c in self.wire
                if isinstance(c, PlaceOrder | ReplaceOrder) and c.side is side
            )
            worst = self.traded_lots()[side] + self.resting_lots()[side] + coming
            assert self.booked_lots[side] + self.orders.open_lots[side] >= worst

    @invariant()
    def sums_and_mirror_equal_the_orders(self):
        """What is kept current step by step is what a fresh count gives."""
        orders = list(self.orders)
        owed = self.orders.owed_fills()
        for side in Side:
            mine = [o for o in orders if o.side is side]
            assert self.orders.open_orders[side] == len(mine)
            assert self.orders.open_lots[side] == sum(
                o.leaves_lots for o in [*orders, *owed] if o.side is side
            )
            assert self.orders.open_ticklots[side] == sum(
                o.price_ticks * o.leaves_lots for o in mine
            )
            best = (max if side is Side.BUY else min)((o.price_ticks for o in mine), default=None)
            assert self.orders.best_price_ticks[side] == best
            seated = [o for o in mine if o.slot >= 0]
            assert len(seated) == min(len(mine), 16)
            for o in seated:
                assert self.orders.at(side, o.slot) is o
                assert self.working["px"][0, side, o.slot] == o.price_ticks
            assert int((self.working["state"][0, side] != 0).sum()) == len(seated)
        unknown = sum(o.state is OrderState.UNKNOWN for o in orders)
        assert self.orders.unknown_count == unknown


TestOrderLife = OrderLife.TestCase
TestOrderLife.settings = settings(max_examples=120, stateful_step_count=50, deadline=None)
