"""The private side of a venue: the WebSocket API connection, brought up, reconciled, watched, replaced."""

import asyncio
import contextlib
from collections.abc import Iterable

import structlog
from numpy.random import Generator

from adapters.binance_spot.api_session import IN_FLIGHT_MAX, ApiSession, PrivateCodec
from adapters.binance_spot.order_replies import refused, timed_out
from adapters.binance_spot.reconcile import Reconciler
from adapters.binance_spot.rest_fallback import RestFallback
from adapters.binance_spot.settings import BinanceSpotSettings
from adapters.binance_spot.venue_clock import VenueClock
from mmd.core.commands import Command, PlaceOrder, QueryOrder, ReplaceOrder
from mmd.core.events import (
    CancelRejected,
    Event,
    OrderRejected,
    PrivateDown,
    PrivateUp,
    RejectReason,
)
from mmd.core.ports import Clock, EventSink
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import MmdError
from mmd.shell.backoff import Backoff
from mmd.shell.reconnect import keep_connected, while_open
from mmd.shell.websocket import WebSocket, WebSocketLimits

_TICK_S = 0.1
_LOOK_S = 0.02
_NEW_ORDERS = (PlaceOrder, ReplaceOrder)
_NANOS_PER_MS = 1_000_000
_log = structlog.get_logger()


class OrderLink:
    """Sends commands and reports their fate; while it is down, `fallback` takes some, the rest is refused unsent."""

    def __init__(
        self,
        venue: str,
        settings: BinanceSpotSettings,
        codec: PrivateCodec,
        reconciler: Reconciler,
        fallback: RestFallback,
        venue_clock: VenueClock,
        clock: Clock,
        rng: Generator,
    ) -> None:
        """Nothing is opened before `run`."""
        self._venue = venue
        self._settings = settings
        self._codec = codec
        self._reconciler = reconciler
        self._fallback = fallback
        self._venue_clock = venue_clock
        self._clock = clock
        self._backoff = Backoff(rng)
        self._timeout_ns = int(settings.request_timeout_s * NANOS_PER_SECOND)
        self._sink: EventSink | None = None
        self._session: ApiSession | None = None
        self._subscribed = asyncio.Event()
        self._leave = asyncio.Event()
        self._up = False
        self._settled_ns = 0
        self._turned_ns = 0
        """When the loop was last seen to turn."""
        self._stall_ns = int(settings.stall_s * NANOS_PER_SECOND)
        self._recv_window_ns = settings.recv_window_ms * _NANOS_PER_MS
        if settings.settles_at_start:  # what a process that died just now had sent may still arrive
            self._settled_ns = clock.monotonic_ns() + self._recv_window_ns
        reconciler.straggle_s = self._recv_window_ns / NANOS_PER_SECOND
        self.clock_refused = asyncio.Event()
        """Set when the venue refused a request's timestamp: the clock wants measuring."""
        self.trading_refused = asyncio.Event()
        """Set when an order was refused because its instrument is not trading: the rules want reading."""

    def expect_stragglers(self, sent_ns: int) -> None:
        """Say when a process before this one sent an order last: until it is settled, none of ours is placed."""
        self._settled_ns = sent_ns + self._recv_window_ns
        self._reconciler.straggle_s = 0.0

    async def run(self, sink: EventSink) -> None:
        """Keep the connection until cancelled. Raises: VenueError if the first one cannot be made."""
        self._sink = sink
        async with asyncio.TaskGroup() as group:
            group.create_task(self._fallback.run(self._emit))
            keys = {"venue": self._venue, "link": "orders"}
            group.create_task(keep_connected(self._live_once, self._backoff, self._clock, **keys))

    def send(self, command: Command) -> None:
        """Write a command now, or report soon that it was not sent.

        A process that was stopped in the middle of a decision must not go on with orders as old as that.
        """
        session, now_ns = self._session, self._clock.monotonic_ns()
        if session is not None and now_ns - self._turned_ns > self._stall_ns:
            self._on_stall(command)
        elif session is not None and self._up and session.ready and now_ns >= session.retry_ns:
            session.send(command, now_ns)
        elif (session is None or now_ns >= session.retry_ns) and self._fallback.takes(command):
            self._fallback.put(command, self._settled_ns)
        else:  # later, because the caller may be in the middle of deciding
            asyncio.get_running_loop().call_soon(self._refuse, command)

    def _on_stall(self, command: Command) -> None:
        """Only what takes risk away is still wanted; the tick that is due makes a new connection."""
        if self._fallback.takes(command) and not isinstance(command, _NEW_ORDERS):
            self._fallback.put(command, self._settled_ns)
        else:
            asyncio.get_running_loop().call_soon(self._refuse, command)

    async def _live_once(self) -> None:
        ws = await WebSocket.connect(
            self._settings.api_url,
            self._on_frame,
            self._on_closed,
            self._clock,
            on_open=self._on_open,
            limits=WebSocketLimits(
                open_timeout_s=self._settings.connect_timeout_s,
                silence_timeout_s=self._settings.silence_timeout_s,
            ),
        )
        try:
            await while_open(ws, self._bring_up())
            await self._until_due()
            if ws.is_open:
                await self._empty()
        finally:
            await ws.close()
        if ws.failure is not None and not isinstance(ws.failure, MmdError):
            raise ws.failure

    async def _until_due(self) -> None:
        """Return when the connection is gone, old, or about to be closed by the server."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.connection_lifetime_s):
                await self._leave.wait()

    async def _empty(self) -> None:
        """Send nothing more and wait for what is in flight, so that no fate becomes unknown."""
        self._go_down("left before the venue closes it")
        for _ in range(int(self._settings.request_timeout_s / _LOOK_S)):
            if self._session is None or self._session.in_flight == 0:
                return
            await asyncio.sleep(_LOOK_S)

    async def _bring_up(self) -> None:
        """From an open connection to PrivateUp."""
        await self._subscribed.wait()
        # A request lost with the last connection, or with the last process, may still arrive until its
        # recvWindow is over; only then do lists of orders say the last word.
        over_rest_ns = self._fallback.last_sent_ns
        if over_rest_ns > 0:
            self._settled_ns = max(self._settled_ns, over_rest_ns + self._recv_window_ns)
        late_s = (self._settled_ns - self._clock.monotonic_ns()) / NANOS_PER_SECOND
        if late_s > 0.0:
            await asyncio.sleep(late_s)
        await self._reconciler.run(self._emit)
        self._up = True
        _log.info("private_up", venue=self._venue)
        self._emit(PrivateUp(self._clock.monotonic_ns(), self._venue))

    def _on_open(self, ws: WebSocket) -> None:
        self._subscribed.clear()
        self._leave.clear()
        self._session = ApiSession(
            self._codec,
            ws.send,
            self._emit,
            self._venue_clock.now_ms,
            self._timeout_ns,
        )
        self._session.offset_ms = self._venue_clock.offset_ms
        self._turned_ns = self._clock.monotonic_ns()
        self._session.start(self._turned_ns)
        asyncio.get_running_loop().call_later(_TICK_S, self._tick, ws, self._session)

    def _on_frame(self, payload: bytes, ts_recv_ns: int) -> None:
        session = self._session
        assert session is not None
        session.on_frame(payload, ts_recv_ns)
        if not self._up and session.subscribed:
            self._subscribed.set()

    def _on_closed(self, reason: str) -> None:
        session, self._session = self._session, None
        self._leave.set()
        self._codec.account.in_sync = False
        self._go_down(reason)
        last_sent_ns = session.lost(self._clock.monotonic_ns()) if session is not None else 0
        if last_sent_ns > 0:
            self._settled_ns = last_sent_ns + self._recv_window_ns

    def _go_down(self, reason: str) -> None:
        if self._up:
            self._up = False
            _log.warning("private_down", venue=self._venue, reason=reason)
            self._emit(PrivateDown(self._clock.monotonic_ns(), self._venue, reason))

    def _tick(self, ws: WebSocket, session: ApiSession) -> None:
        """Time out requests, ten times a second, for as long as this connection is the current one."""
        if session is not self._session:
            return
        now_ns, turned_ns = self._clock.monotonic_ns(), self._turned_ns
        self._turned_ns = now_ns
        if self._up and now_ns - turned_ns > self._stall_ns:
            ws.abort(f"the process stood still for {(now_ns - turned_ns) / NANOS_PER_SECOND:.1f} s")
            return
        try:
            session.expire(now_ns)
        except MmdError as error:
            ws.abort(str(error), error)
            return
        if session.shutdown_announced:
            self._leave.set()
        asyncio.get_running_loop().call_later(_TICK_S, self._tick, ws, session)

    def _refuse(self, command: Command) -> None:
        """A command that was not written: an order was never placed, a question has no answer."""
        now_ns = self._clock.monotonic_ns()
        events: Iterable[Event]
        if isinstance(command, QueryOrder):
            events = timed_out(command, now_ns)
        elif self._up:
            text = f"not sent: the venue asked to wait, or {IN_FLIGHT_MAX} requests are unanswered"
            events = refused(command, RejectReason.RATE_LIMIT, 0, text, now_ns)
        else:
            text = "not sent: order entry is not connected"
            events = refused(command, RejectReason.OTHER, 0, text, now_ns)
        for event in events:
            self._emit(event)

    def _emit(self, event: Event) -> None:
        assert self._sink is not None
        if isinstance(event, OrderRejected | CancelRejected):
            if event.reason is RejectReason.CLOCK:
                self.clock_refused.set()
            elif event.reason is RejectReason.NOT_TRADING:
                self.trading_refused.set()
        self._sink.on_event(event)
