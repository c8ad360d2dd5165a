"""Brings engine, exchange and channels up to date with the orders that the compiled loop carried (`order_trips`)."""

from collections.abc import Callable
from typing import Final

from mmd.analytics.recorder import Recorder
from mmd.backtest.feed import NEVER
from mmd.backtest.in_flight import InFlight
from mmd.backtest.presence import Presence
from mmd.backtest.trips_record import (
    ACCEPTED,
    ENDED,
    IN_FLIGHT_MAX,
    LEFT,
    LEVEL,
    LOTS,
    NUMBER,
    OTHER,
    PX,
    RESTS,
    SENT_NS,
    SIDE,
    TRIPS,
    WHAT,
    WHEN,
)
from mmd.core.commands import CancelOrder, Command, PlaceOrder, ReplaceOrder
from mmd.core.engine import Engine
from mmd.core.events import EndReason, OrderAccepted, OrderEnded
from mmd.core.orders.order_diff import CANCEL, PLACE
from mmd.core.risk.levels import RiskLevel
from mmd.core.units import ClientOrderId, Side, TimeInForce
from mmd.exchange.accounts import TradeValue
from mmd.exchange.fills.fill_exchange import FillExchange
from mmd.jit.kernel import Rec, new

_SIDES: Final = tuple(Side)
_REASONS: Final = tuple(EndReason)
_POST_ONLY: Final = TimeInForce.POST_ONLY
_INTEGER_MAX: Final = 2**62
_NORMAL = RiskLevel.NORMAL


class OrderTrail:
    """Keeps the TRIPS record and the Python objects of an engine with one instrument in step.

    Attributes:
        record: TRIPS record.
        entry, response: LATENCY records of the channels.
        on_command: told of each command that the loop sent, and when, as soon as Python learns of it; None costs nothing.
        recorder: told of each order and each answer in the same way.
    """

    def __init__(
        self,
        engine: Engine,
        exchange: FillExchange,
        in_flight: InFlight,
        presence: Presence,
        cost_ns: int,
    ) -> None:
        """Nothing is on its way, and the loop may not send yet; a decision takes cost_ns."""
        self.record: Rec = new(TRIPS)
        self.entry, self.response = in_flight.entry, in_flight.response
        self.on_command: Callable[[Command, int], None] | None = None
        self.recorder: Recorder | None = None
        self._followed = 0
        """Rows of the trail that were booked."""
        self._engine = engine
        self._maker = engine.makers[0]
        self._id = self._maker.instrument.id
        self._exchange = exchange
        self._in_flight = in_flight
        self._presence = presence
        self._cost_ns = cost_ns
        self._words: memoryview[int] = memoryview(self.record.view("i8"))
        self._at: dict[str, int] = {
            n: self.record.dtype.fields[n][1] // 8 for n in self.record.dtype.names or ()
        }
        at = self._maker.instrument
        self._paid_in = (at.quote, at.base)
        self.record["atoms_per_lot"] = at.atoms_per_lot
        value = TradeValue(at)
        numerator, denominator = value.quote_atoms_per_ticklot
        self.record["quote_num"], self.record["quote_den"] = numerator, denominator
        self.record["ticklots_max"] = _INTEGER_MAX // numerator
        self.record["entry_due_ns"] = self.record["response_due_ns"] = NEVER
        self._can_run = not self._maker.orders.is_shown
        self._at_due = self._at["entry_due_ns"], self._at["response_due_ns"]
        self._at_trail = self._at["n_trail"]

    @property
    def commands(self) -> int:
        """How many were sent in the loop."""
        return self._words[self._at["commands"]]

    @property
    def is_settled(self) -> bool:
        """Whether Python knows of all that happened."""
        words, (entry, response) = self._words, self._at_due
        return words[self._at_trail] == 0 and words[entry] == NEVER and words[response] == NEVER

    def forbid(self) -> None:
        """Leave every order to the engine."""
        self._words[self._at["is_on"]] = 0

    def allow(self) -> None:
        """Let the loop send, where nothing is on its way and every order is an ordinary one."""
        words, at, exchange = self._words, self._at, self._exchange
        orders, venue = self._maker.orders, self._maker.risk.venue
        words[at["is_on"]] = 0
        if not (self._can_run and self._in_flight.is_empty and orders.are_plain):
            return
        if self._engine.levels.level is not _NORMAL:
            return
        if self._engine.risk.backoff.is_waiting(venue, self._engine.now_ns):
            return
        words[at["is_on"]] = 1
        free = exchange.account.free
        quote, base = (free.get(asset, 0) for asset in self._paid_in)
        if max(quote, base) >= _INTEGER_MAX:
            words[at["is_on"]] = 0
            return
        words[at["free"]], words[at["free"] + 1] = quote, base
        words[at["last_order_id"]] = exchange.last_order_id
        presence = self._presence
        words[at["quotes_both"]], words[at["heard_ns"]] = presence.is_both, presence.heard_ns
        words[at["quoted_ns"]] = presence.quoted_ns

    def follow(self) -> None:
        """Book what happened in the loop, in its order."""
        if self.is_settled:
            return
        words, at = self._words, self._at
        self.follow_to(words[self._at_trail])
        words[self._at_trail] = self._followed = 0
        desk, presence = self._maker.desk, self._presence
        desk.on_sent_elsewhere(words[at["sent"]], words[at["skipped"]])
        words[at["sent"]] = words[at["skipped"]] = 0
        presence.is_both = words[at["quotes_both"]] == 1
        presence.heard_ns, presence.quoted_ns = words[at["heard_ns"]], words[at["quoted_ns"]]

    def follow_to(self, n: int) -> None:
        """Book the first n things that happened, no more; `follow` must come after."""
        for row in self.record["trail"][0, self._followed : n].tolist():
            self._follow_row(row)
        self._followed = n

    def settle(self) -> None:
        """Book what happened, and put what is on its way into the channels of Python."""
        self.follow()
        words, at, in_flight = self._words, self._at, self._in_flight
        for row in self._ring("requests"):
            in_flight.resume_request(row[WHEN], self._command(row))
        for row in self._ring("answers"):
            in_flight.resume_answer(self._event(row))
        words[at["n_requests"]] = words[at["n_answers"]] = 0
        words[at["entry_due_ns"]] = words[at["response_due_ns"]] = NEVER
        self.forbid()

    def _ring(self, name: str) -> list[list[int]]:
        words, at = self._words, self._at
        n, first = words[at[f"n_{name}"]], words[at[f"{name}_at"]]
        rows = self.record[name][0]
        return [rows[(first + i) % IN_FLIGHT_MAX].tolist() for i in range(n)]

    def _follow_row(self, row: list[int]) -> None:
        """One thing that happened."""
        what, number = row[WHAT], ClientOrderId(row[NUMBER])
        if what == RESTS:
            side = _SIDES[row[SIDE]]
            self._exchange.on_rested(number, side, row[PX], row[LOTS], row[OTHER])
        elif what == LEFT:
            self._exchange.on_left(number)
        elif what in (ACCEPTED, ENDED):
            event = self._event(row)
            order = self._maker.orders.on_heard_elsewhere(event)
            self._maker.counts.on_changed(event, order)
            if self.recorder is not None:
                self.recorder.on_order(event, row[WHEN])
        else:
            self._follow_request(row)

    def _follow_request(self, row: list[int]) -> None:
        command, now_ns = self._command(row), row[WHEN]
        self._maker.orders.on_sent_elsewhere(command, now_ns, row[LEVEL])
        if self._engine.first_order_ns == 0 and row[WHAT] != CANCEL:
            self._engine.first_order_ns = now_ns
        if self.recorder is not None and row[WHAT] != CANCEL:
            self.recorder.on_new_orders()
        if self.on_command is not None:
            self.on_command(command, now_ns + self._cost_ns)

    def _command(self, row: list[int]) -> PlaceOrder | ReplaceOrder | CancelOrder:
        """What a request, or a row of the trail, asks for."""
        number, side, px, lots = ClientOrderId(row[NUMBER]), _SIDES[row[SIDE]], row[PX], row[LOTS]
        if row[WHAT] == CANCEL:
            return CancelOrder(self._id, number)
        if row[WHAT] == PLACE:
            return PlaceOrder(self._id, number, side, px, lots, _POST_ONLY)
        return ReplaceOrder(self._id, ClientOrderId(row[OTHER]), number, side, px, lots, _POST_ONLY)

    def _event(self, row: list[int]) -> OrderAccepted | OrderEnded:
        """What an answer, or a row of the trail, says."""
        ts_ns, number, other = row[WHEN], ClientOrderId(row[NUMBER]), row[OTHER]
        if row[WHAT] == ACCEPTED:
            return OrderAccepted(ts_ns, self._id, number, other, row[SENT_NS])
        order = self._maker.orders.get(number)
        filled_lots = 0 if order is None else order.filled_lots
        return OrderEnded(ts_ns, self._id, number, _REASONS[other], filled_lots, row[SENT_NS])
