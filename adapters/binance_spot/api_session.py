"""One WebSocket API connection as a state machine: the user-data subscription, and requests in flight.

    NEW -> (logging on ->) subscribing -> LIVE -> (lost: every request in flight has an unknown fate)

No I/O: bytes leave through `write`, facts through `emit`. An exception from `on_frame` or `expire` means that
the connection is of no more use. Answers to requests that timed out are remembered for a while, because a
late answer settles an order better than a query.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

import msgspec

from adapters.binance_spot.account_state import AccountState
from adapters.binance_spot.order_codec import OrderEncoder
from adapters.binance_spot.order_ids import decode_id
from adapters.binance_spot.order_replies import ReplyDecoder, timed_out
from adapters.binance_spot.rate_usage import RateUsageReports
from adapters.binance_spot.rejects import TOO_MANY_REQUESTS, venue_error
from adapters.binance_spot.unknown_events import UnknownEvents
from adapters.binance_spot.user_data import UserDataDecoder
from adapters.binance_spot.wire import (
    AccountInfo,
    ApiError,
    ApiFrame,
    BalanceUpdate,
    EventStreamTerminated,
    ExecutionReport,
    ExternalLockUpdate,
    ListStatus,
    MyTrade,
    OrderReport,
    OutboundAccountPosition,
    ServerShutdown,
    UserEvent,
    decode,
    unknown_event,
)
from mmd.core.commands import CancelAll, CancelOrder, Command, QueryOrder
from mmd.core.events import Event, OrderStatus, RequestTimedOut
from mmd.errors import CodecError, VenueUnreachableError

IN_FLIGHT_MAX = 1_024
_LATE_MAX = 256
_NANOS_PER_MS = 1_000_000
_TURNED_AWAY = (429, 418)


@dataclass(frozen=True, slots=True)
class PrivateCodec:
    """What a session encodes and decodes with, shared by all connections of an account."""

    encoder: OrderEncoder
    replies: ReplyDecoder
    user_data: UserDataDecoder
    account: AccountState
    usage: RateUsageReports
    unknown: UnknownEvents


@dataclass(frozen=True, slots=True)
class LogOn:
    """The request that makes the connection ours, for keys that can."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """The request for user data."""


@dataclass(frozen=True, slots=True)
class BalanceQuery:
    """A request for all balances, after a change that was reported as a difference."""


@dataclass(frozen=True, slots=True)
class OwnCancels:
    """A request for the open orders of an instrument, ours among which are to be cancelled."""

    command: CancelAll


@dataclass(frozen=True, slots=True)
class TradesOf:
    """A request for the fills of an order whose status said that it has some."""

    status: OrderStatus


Purpose = Command | LogOn | Subscription | BalanceQuery | OwnCancels | TradesOf


class ApiSession:
    """The life of one connection; a new connection gets a new session."""

    def __init__(
        self,
        codec: PrivateCodec,
        write: Callable[[bytes], None],
        emit: Callable[[Event], None],
        venue_ms: Callable[[], int],
        timeout_ns: int,
    ) -> None:
        """`venue_ms` is the venue's clock, for signing; `timeout_ns` bounds each request."""
        self._codec = codec
        self._write = write
        self._emit = emit
        self._venue_ms = venue_ms
        self._timeout_ns = timeout_ns
        self._next_id = 1
        self._pending: dict[int, tuple[Purpose, int]] = {}
        self._late: dict[int, Purpose] = {}
        self.subscribed = False
        """User data flows."""
        self.retry_ns = 0
        """Before this time the venue wants no request, having been asked too much."""
        self.shutdown_announced = False
        """The server will close this connection: better to leave before."""
        self.offset_ms = 0.0
        """Last measured venue clock minus ours, for messages to people."""

    @property
    def ready(self) -> bool:
        """Whether commands may be sent."""
        return self.subscribed and len(self._pending) < IN_FLIGHT_MAX

    @property
    def in_flight(self) -> int:
        """Requests without an answer."""
        return len(self._pending)

    def start(self, now_ns: int) -> None:
        """The connection is open: log on where the key can, and ask for user data."""
        encoder = self._codec.encoder
        if encoder.logs_on:
            self._request(LogOn(), encoder.log_on(self._next_id, self._venue_ms()), now_ns)
        else:
            self._subscribe(now_ns)

    def send(self, command: Command, now_ns: int) -> None:
        """Write a command now; only while `ready`.

        A CancelAll where orders of strangers are working becomes one cancel for each of ours, because the
        venue's own would take theirs too.
        """
        encoder, ms = self._codec.encoder, self._venue_ms()
        if isinstance(command, CancelAll) and self._codec.account.foreign_open[command.instrument]:
            query = encoder.open_orders(command.instrument, self._next_id, ms)
            self._request(OwnCancels(command), query, now_ns)
        else:
            self._request(command, encoder.encode(command, self._next_id, ms), now_ns)

    def on_frame(self, payload: bytes, now_ns: int) -> None:
        """Take in an answer or an event; an event of a kind that is new is counted and passed over.

        Raises:
            CodecError: not what the documents allow.
            AuthError: log-on or subscription was refused for key, signature or clock, or the key was revoked.
            VenueError: log-on or subscription was refused, or ended.
        """
        try:
            frame = decode(payload, ApiFrame, "WebSocket API")
        except CodecError:
            name = unknown_event(payload)
            if not name:
                raise
            self._codec.unknown.saw(name, "orders")
            return
        if frame.event is not None:
            self._on_event(frame.event, now_ns)
            return
        for usage in self._codec.usage.from_answer(frame.rate_limits, now_ns):
            self._emit(usage)
        if frame.status in _TURNED_AWAY and frame.error is not None:
            self._on_turned_away(frame.error, now_ns)
        purpose = self._settle(frame)
        if purpose is not None:
            self._on_answer(purpose, frame, now_ns)

    def expire(self, now_ns: int) -> None:
        """Give up on requests older than the time-out. Raises: VenueUnreachableError for log-on and subscription."""
        while self._pending:
            request_id, (purpose, sent_ns) = next(iter(self._pending.items()))
            if now_ns - sent_ns <= self._timeout_ns:
                return
            del self._pending[request_id]
            self._late[request_id] = purpose
            if len(self._late) > _LATE_MAX:
                del self._late[next(iter(self._late))]
            self._unanswered(purpose, now_ns)

    def lost(self, now_ns: int) -> int:
        """The connection is gone. Returns when the last request was sent whose fate is now unknown, or 0."""
        self.subscribed = False
        pending, self._pending = list(self._pending.values()), {}
        for purpose, _ in pending:
            if not isinstance(purpose, LogOn | Subscription):
                self._unanswered(purpose, now_ns)
        return max((sent_ns for _, sent_ns in pending), default=0)

    def _subscribe(self, now_ns: int) -> None:
        frame = self._codec.encoder.subscribe(self._next_id, self._venue_ms())
        self._request(Subscription(), frame, now_ns)

    def _on_turned_away(self, error: ApiError, now_ns: int) -> None:
        """Keep quiet for as long as the venue asks; too many orders are no reason, cancels still go."""
        if error.code == TOO_MANY_REQUESTS and error.data is not None and error.data.retry_after:
            wait_ms = error.data.retry_after - self._venue_ms()
            self.retry_ns = max(self.retry_ns, now_ns + wait_ms * _NANOS_PER_MS)

    def _request(self, purpose: Purpose, frame: bytes, now_ns: int) -> None:
        self._pending[self._next_id] = purpose, now_ns
        self._next_id += 1
        self._write(frame)

    def _settle(self, frame: ApiFrame) -> Purpose | None:
        """The request that a frame answers; None for one that was given up long ago."""
        request_id = frame.id
        if request_id is None and frame.error is not None:  # about the session, e.g. a key revoked
            what = "WebSocket API session"
            raise venue_error(frame.error.code, frame.error.msg, what, self.offset_ms)
        if not isinstance(request_id, int) or not 0 < request_id < self._next_id:
            raise CodecError(f"WebSocket API: answer to a request {request_id!r} that was not sent")
        entry = self._pending.pop(request_id, None)
        return entry[0] if entry is not None else self._late.pop(request_id, None)

    def _on_answer(self, purpose: Purpose, frame: ApiFrame, now_ns: int) -> None:
        match purpose:
            case LogOn():
                self._check(frame, "session log-on")
                self._subscribe(now_ns)
            case Subscription():
                self._check(frame, "user-data subscription")
                self.subscribed = True
            case BalanceQuery():
                self._on_balances(frame, now_ns)
            case OwnCancels():
                self._cancel_own(purpose.command, frame, now_ns)
            case TradesOf():
                self._on_trades(purpose.status, frame, now_ns)
            case QueryOrder():
                self._on_status(purpose, frame, now_ns)
            case _:
                for event in self._codec.replies.events(purpose, frame, now_ns):
                    self._emit(event)

    def _on_event(self, event: UserEvent, now_ns: int) -> None:
        match event:
            case ExecutionReport():
                for fact in self._codec.user_data.execution(event, now_ns):
                    self._emit(fact)
            case OutboundAccountPosition():
                for fact in self._codec.user_data.balances(event, now_ns):
                    self._emit(fact)
            case BalanceUpdate() | ExternalLockUpdate():  # a difference only: ask for the sum
                encoder = self._codec.encoder
                self._request(
                    BalanceQuery(), encoder.account(self._next_id, self._venue_ms()), now_ns
                )
            case ListStatus():  # the list's orders report themselves
                pass
            case EventStreamTerminated():
                raise VenueUnreachableError("the venue ended the user-data subscription")
            case ServerShutdown():
                self.shutdown_announced = True
            case _:
                assert_never(event)

    def _check(self, frame: ApiFrame, what: str) -> None:
        if frame.error is not None:
            raise venue_error(frame.error.code, frame.error.msg, what, self.offset_ms)

    def _on_balances(self, frame: ApiFrame, now_ns: int) -> None:
        if frame.error is not None:
            return  # the account position that comes with the change says the same
        info = decode(frame.result, AccountInfo, "account.status")
        if info.update_time < self._codec.account.updated_ms:
            return
        for entry in info.balances:
            self._emit(self._codec.user_data.balance(entry, now_ns))

    def _cancel_own(self, command: CancelAll, frame: ApiFrame, now_ns: int) -> None:
        if frame.error is not None:
            for event in self._codec.replies.events(command, frame, now_ns):
                self._emit(event)
            return
        for report in decode(frame.result, tuple[OrderReport, ...], "openOrders.status"):
            order_id = decode_id(report.client_order_id)
            if order_id is not None:
                self.send(CancelOrder(command.instrument, order_id), now_ns)

    def _on_status(self, query: QueryOrder, frame: ApiFrame, now_ns: int) -> None:
        """An order with fills is reported after those fills, some of which may have been missed."""
        for event in self._codec.replies.events(query, frame, now_ns):
            if isinstance(event, OrderStatus) and event.filled_lots > 0:
                trades = self._codec.encoder.trades_of(
                    event.instrument, event.venue_order_id, self._next_id, self._venue_ms()
                )
                self._request(TradesOf(event), trades, now_ns)
            else:
                self._emit(event)

    def _on_trades(self, status: OrderStatus, frame: ApiFrame, now_ns: int) -> None:
        if frame.error is not None:
            self._unanswered(TradesOf(status), now_ns)
            return
        for trade in decode(frame.result, tuple[MyTrade, ...], "myTrades"):
            fill = self._codec.user_data.trade(
                status.instrument, status.client_order_id, trade, now_ns
            )
            self._emit(fill)
        self._emit(msgspec.structs.replace(status, ts_recv_ns=now_ns))

    def _unanswered(self, purpose: Purpose, now_ns: int) -> None:
        match purpose:
            case LogOn() | Subscription():
                raise VenueUnreachableError("no answer to the user-data subscription in time")
            case BalanceQuery():
                pass
            case TradesOf(status=status):
                self._emit(RequestTimedOut(now_ns, status.instrument, status.client_order_id))
            case OwnCancels(command=command):
                for event in timed_out(command, now_ns):
                    self._emit(event)
            case _:
                for event in timed_out(purpose, now_ns):
                    self._emit(event)
