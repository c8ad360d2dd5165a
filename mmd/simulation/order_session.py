"""Order entry and account events of one connection with faults, as OrderLink and ApiSession of the adapter keep it.

Requests and answers go over one connection. A request that has no answer in time, or whose connection is gone, has an
unknown fate; after a reconnect nothing is asked before every request that was lost on the way must have arrived or
expired. While it is down, what takes risk away goes over REST and the rest is refused unsent.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final, NamedTuple

import msgspec
import numpy as np

from adapters.binance_spot.account_state import AccountState
from adapters.binance_spot.api_session import TradesOf
from adapters.binance_spot.order_replies import refused, timed_out
from adapters.binance_spot.reconcile import Reconciler
from mmd.core.commands import AmendOrder, CancelAll, CancelOrder, Command, QueryOrder
from mmd.core.events import (
    Balance,
    Event,
    Fill,
    OrderAccepted,
    OrderStatus,
    PrivateDown,
    PrivateUp,
    RejectReason,
)
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import VenueError
from mmd.simulation.channel import Carrier, Channel
from mmd.simulation.fault import FaultKind
from mmd.simulation.order_service import OrderService, Purpose, unanswered
from mmd.simulation.process_time import ProcessTime
from mmd.simulation.virtual_rest import VirtualRest, at_venue, pause
from mmd.simulation.weather import Weather, stalled

_MS: Final = 1_000_000
REQUEST_TIMEOUT_NS: Final = 2_000 * _MS
RECEIVE_WINDOW_NS: Final = 2_000 * _MS
STALL_NS: Final = 1_000 * _MS
_TICK_NS: Final = 100 * _MS
_HANDSHAKE_NS: Final = 20 * _MS
_SURVIVES: Final = 0.5
"""The share of requests that reach the venue although their connection broke meanwhile."""
_RISK_REDUCING: Final = (CancelOrder, CancelAll, AmendOrder, QueryOrder)
Answer = tuple[int, Sequence[Event], int]
"""The request that is answered (0: none, an account event), what is said, and until when to wait."""


class _Request(msgspec.Struct, frozen=True):
    """On its way to the venue."""

    epoch: int
    number: int
    purpose: Purpose
    stamp_ns: int
    survives: bool


class AccountSide(NamedTuple):
    """What a connection needs beside itself, and what outlives it."""

    service: OrderService
    state: AccountState
    reconciler: Reconciler
    rest: VirtualRest


class OrderSession:
    """Sends commands and reports their fate.

    Attributes:
        is_up: whether the engine was told that order entry works.
    """

    def __init__(
        self,
        venue: str,
        time: ProcessTime,
        calm: tuple[Carrier, Carrier],
        weather: Weather,
        side: AccountSide,
        emit: Callable[[Event], None],
        rng: np.random.Generator,
    ) -> None:
        self._venue, self._agenda, self._weather = venue, time, weather
        k = FaultKind
        self._way_out = stalled(calm[0], weather, k.ENTRY_STALL, k.HALF_OPEN)
        back = stalled(calm[1], weather, k.ANSWER_STALL, k.HALF_OPEN)
        self._answers: Channel[Answer] = Channel(time, back, self._on_answer)
        self._service, self._account = side.service, side.state
        self._reconciler, self._rest = side.reconciler, side.rest
        self._emit_now, self._rng = emit, rng
        self._pending: dict[int, tuple[Purpose, int]] = {}
        self._late: dict[int, Purpose] = {}
        self._epoch = self._requests = self._leaving = self._travelling = self._straggling = 0
        self._retry_ns = self._rest_sent_ns = self._turned_ns = 0
        self._settled_ns = (
            time.now_ns + RECEIVE_WINDOW_NS
        )  # a process before us may have died just now
        self._is_connected = self._is_closed = False
        self.is_up = False
        side.reconciler.straggle_s = RECEIVE_WINDOW_NS / NANOS_PER_SECOND

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing about orders or the account is on its way."""
        waiting = self._leaving + self._travelling + self._straggling + len(self._pending)
        return self.is_up and waiting == 0 == self._answers.in_flight and self._rest.running == 0

    def expect_stragglers(self, sent_ns: int) -> None:
        """As OrderLink: nothing is asked before what an earlier process sent has arrived or expired."""
        self._settled_ns = sent_ns + RECEIVE_WINDOW_NS
        self._reconciler.straggle_s = 0.0

    def open(self, _: object = None) -> None:
        """Connect, once nothing keeps the venue from being reached."""
        if self._is_closed:
            return
        until_ns = max(
            self._weather.until_ns(k) for k in (FaultKind.ENTRY_DOWN, FaultKind.HALF_OPEN)
        )
        if until_ns > self._agenda.now_ns:
            self._agenda.at(until_ns + _TICK_NS, self.open)
            return
        self._epoch += 1
        self._is_connected = True
        self._retry_ns = 0
        self._turned_ns = self._agenda.now_ns
        self._agenda.at(self._agenda.now_ns + _TICK_NS, self._tick, self._epoch)
        self._agenda.at(self._agenda.now_ns + _HANDSHAKE_NS, self._bring_up, self._epoch)

    def close(self) -> None:
        """The process is gone; what it sent may still arrive."""
        self._is_closed, self.is_up, self._is_connected = True, False, False
        self._epoch += 1
        self._answers.cut()

    def lose(self, reason: str) -> None:
        """The connection is gone; another is made."""
        if not self._is_connected:
            return
        self._is_connected = False
        self._epoch += 1
        self._answers.cut()
        self._straggling = 0
        self._account.in_sync = False
        now_ns = self._agenda.now_ns
        if self.is_up:
            self.is_up = False
            self._emit_now(PrivateDown(now_ns, self._venue, reason))
        pending, self._pending, self._late = list(self._pending.values()), {}, {}
        for purpose, sent_ns in pending:
            self._settled_ns = max(self._settled_ns, sent_ns + RECEIVE_WINDOW_NS)
            self._emit(unanswered(purpose, now_ns))
        self._agenda.at(now_ns + _TICK_NS, self.open)

    def send(self, command: Command, sent_ns: int) -> None:
        """A command leaves at a time."""
        self._leaving += 1
        self._agenda.at(sent_ns, self._send, command)

    def tell(self, event: Event) -> None:
        """The account's stream says something; who isn't connected misses it."""
        if not self._is_connected:
            return
        copies, is_order = 1, not isinstance(event, Balance)
        if is_order and self._weather.strikes(FaultKind.STREAM_DUPLICATE, 0.3):
            copies = 2
        for _ in range(copies):
            if is_order and self._weather.strikes(FaultKind.STREAM_LATE, 0.4):
                self._straggle((0, (event,), 0), FaultKind.STREAM_LATE, 1_500)
            else:
                self._answers.send((0, (event,), 0), self._agenda.now_ns)

    def _send(self, command: Command) -> None:
        self._leaving -= 1
        now_ns = self._agenda.now_ns
        if self._is_closed:
            return
        if self._is_connected and now_ns - self._turned_ns > STALL_NS:
            self._send_late(command)
        elif self.is_up and now_ns >= self._retry_ns:
            self._request(command)
        elif (not self._is_connected or now_ns >= self._retry_ns) and isinstance(
            command, _RISK_REDUCING
        ):
            self._start_over_rest(command)
        else:
            self._emit(self._unsent(command, now_ns))

    def _send_late(self, command: Command) -> None:
        """The process stood still since this was decided: only what takes risk away is still wanted."""
        if isinstance(command, _RISK_REDUCING):
            self._start_over_rest(command)
        else:
            self._emit(self._unsent(command, self._agenda.now_ns))

    def _request(self, purpose: Purpose) -> None:
        now_ns = self._agenda.now_ns
        self._requests += 1
        self._pending[self._requests] = purpose, now_ns
        if self._weather.strikes(FaultKind.REQUEST_LOST, 0.5):
            return
        survives = bool(self._rng.random() < _SURVIVES)
        stamp_ns = self._service.stamp(purpose, now_ns)
        request = _Request(self._epoch, self._requests, purpose, stamp_ns, survives)
        self._travelling += 1
        for due_ns in self._way_out(now_ns):
            self._agenda.agenda.at(due_ns, self._arrive, request)

    def _arrive(self, request: _Request) -> None:
        """A request is at the venue, whether its connection still exists or not."""
        self._travelling -= 1
        if request.epoch != self._epoch and not request.survives:
            return
        purpose, service = request.purpose, self._service
        retry_ns = 0
        if isinstance(purpose, TradesOf):
            events: Iterable[Event] = [*service.fills_of(purpose.status), purpose.status]
        else:
            events, retry_ns = service.serve(purpose, request.stamp_ns)
        if request.epoch != self._epoch or self._weather.strikes(FaultKind.ANSWER_LOST, 0.5):
            return
        answer = request.number, tuple(events), retry_ns
        if self._weather.strikes(FaultKind.ANSWER_LATE, 0.5):
            self._straggle(answer, FaultKind.ANSWER_LATE, 4_000)
        else:
            self._answers.send(answer, self._agenda.now_ns)

    def _straggle(self, answer: Answer, kind: FaultKind, longest_ms: int) -> None:
        """Something comes later than what was said after it."""
        self._straggling += 1
        late_ns = self._weather.draw(kind, 1, longest_ms) * _MS
        self._agenda.at(self._agenda.now_ns + late_ns, self._on_straggler, (self._epoch, answer))

    def _on_straggler(self, sent: tuple[int, Answer]) -> None:
        epoch, answer = sent
        if epoch == self._epoch:
            self._straggling -= 1
            self._on_answer(answer)

    def _on_answer(self, answer: Answer) -> None:
        number, events, retry_ns = answer
        if number == 0:
            self._learn(events[0])
            self._emit(events)
            return
        entry = self._pending.pop(number, None)
        purpose = entry[0] if entry is not None else self._late.pop(number, None)
        if purpose is None:
            return
        self._retry_ns = max(self._retry_ns, retry_ns)
        status = events[0] if events else None
        if (
            isinstance(purpose, QueryOrder)
            and isinstance(status, OrderStatus)
            and status.filled_lots > 0
        ):
            self._request(TradesOf(status))
        else:
            self._emit(events)

    def _learn(self, event: Event) -> None:
        """What the account's state takes from its stream."""
        if isinstance(event, Balance):
            self._account.updated_ms = max(self._account.updated_ms, event.ts_recv_ns // _MS)
        if isinstance(event, OrderAccepted | Fill):
            self._account.remember(event.venue_order_id, event.client_order_id)
        if isinstance(event, Fill):
            self._account.saw_live_trade(event.instrument, event.trade_id)

    def _tick(self, epoch: int) -> None:
        """Give up on requests without an answer."""
        if epoch != self._epoch:
            return
        now_ns, turned_ns = self._agenda.now_ns, self._turned_ns
        self._turned_ns = now_ns
        if self.is_up and now_ns - turned_ns > STALL_NS:
            self.lose("the process stood still")
            return
        self._agenda.at(now_ns + _TICK_NS, self._tick, epoch)
        overdue = [n for n, (_, at) in self._pending.items() if now_ns - at > REQUEST_TIMEOUT_NS]
        for number in overdue:
            purpose, _ = self._pending.pop(number)
            self._late[number] = purpose
            self._emit(unanswered(purpose, now_ns))

    def _bring_up(self, epoch: int) -> None:
        """From an open connection to PrivateUp."""
        if epoch != self._epoch:
            return
        if self._rest_sent_ns > 0:
            self._settled_ns = max(self._settled_ns, self._rest_sent_ns + RECEIVE_WINDOW_NS)
        if self._settled_ns > self._agenda.now_ns:
            self._agenda.at(self._settled_ns, self._bring_up, epoch)
            return

        def emit(event: Event) -> None:
            if epoch == self._epoch:
                self._emit((event,))

        self._rest.start(
            self._reconciler.run(emit), lambda error: self._on_reconciled(epoch, error)
        )

    def _on_reconciled(self, epoch: int, error: VenueError | None) -> None:
        if epoch != self._epoch:
            return
        if error is not None:
            self.lose(str(error))
            return
        self.is_up = True
        self._emit_now(PrivateUp(self._agenda.now_ns, self._venue))

    async def _over_rest(self, command: Command) -> None:
        """As RestFallback: a question not before all that was lost on its way must have arrived."""
        if isinstance(command, QueryOrder):
            late_ns = self._settled_ns - self._agenda.now_ns
            await pause(max(0, late_ns) / 1e9)
        self._rest_sent_ns = now_ns = self._agenda.now_ns
        stamp_ns = self._service.stamp(command, now_ns)
        events, _ = await at_venue(lambda: self._service.serve(command, stamp_ns))
        for event in events:
            if isinstance(command, QueryOrder) and isinstance(event, OrderStatus):
                self._emit(await at_venue(partial(self._service.fills_of, event)))
            self._emit((event,))

    def _start_over_rest(self, command: Command) -> None:
        def ended(error: VenueError | None) -> None:
            if error is not None:
                self._emit(timed_out(command, self._agenda.now_ns))

        self._rest.start(self._over_rest(command), ended)

    def _unsent(self, command: Command, now_ns: int) -> Iterable[Event]:
        """A command that was not written."""
        if isinstance(command, QueryOrder):
            return timed_out(command, now_ns)
        why = RejectReason.RATE_LIMIT if self.is_up else RejectReason.OTHER
        return refused(command, why, 0, "not sent", now_ns)

    def _emit(self, events: Iterable[Event]) -> None:
        for event in events:
            self._emit_now(msgspec.structs.replace(event, ts_recv_ns=self._agenda.now_ns))
