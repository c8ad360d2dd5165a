"""One stream connection for a group of instruments, replaced before it ends so that no book goes blind.

    open -> due (its age, or the server's notice) -> a second one beside it -> in step -> the first is closed

A connection that is lost without notice takes the books down until the next one is open.
"""

import asyncio
import contextlib
from collections.abc import Sequence

import structlog
from numpy.random import Generator

from adapters.binance_spot.book_snapshots import BookSnapshots
from adapters.binance_spot.market_codec import MarketCodec
from adapters.binance_spot.rest_api import RestApi
from adapters.binance_spot.settings import BinanceSpotSettings
from adapters.binance_spot.stream_overlap import StreamOverlap
from adapters.binance_spot.stream_session import read_control, stream_target
from adapters.binance_spot.unknown_events import UnknownEvents
from mmd.core.events import FeedDown, FeedUp
from mmd.core.instrument import Instrument
from mmd.core.market.record import DIFF
from mmd.core.ports import Clock, EventSink
from mmd.core.units import NANOS_PER_SECOND, InstrumentId
from mmd.errors import CodecError, MmdError, VenueError, VenueUnreachableError
from mmd.shell.backoff import Backoff
from mmd.shell.connect_error import HttpRefusedError
from mmd.shell.reconnect import keep_connected
from mmd.shell.websocket import WebSocket, WebSocketLimits

_LOOK_S = 0.02
_SETTLED_S = 5.0
"""An instrument without a diff for this long on the new connection counts as joined."""
_TAIL_S = 5.0
"""So long after the old connection is gone the new one's messages are checked for repetitions."""
_SPREAD = 0.05
"""Connections of the same age are replaced spread over this part of it."""
_log = structlog.get_logger()


class _Connection:
    """A connection and the signal that it is over, or ought to be."""

    def __init__(self) -> None:
        self.ws: WebSocket | None = None
        self.wake = asyncio.Event()

    @property
    def is_open(self) -> bool:
        return self.ws is not None and self.ws.is_open

    async def due(self, lifetime_s: float) -> bool:
        """Wait until it should be replaced; False where it is gone already."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(lifetime_s):
                await self.wake.wait()
        return self.is_open

    async def close(self) -> None:
        if self.ws is not None:
            await self.ws.close()


class StreamFeed:
    """Feeds the sink with the market data of its instruments."""

    def __init__(
        self,
        venue: str,
        settings: BinanceSpotSettings,
        instruments: Sequence[Instrument],
        api: RestApi,
        clock: Clock,
        rng: Generator,
        unknown: UnknownEvents,
    ) -> None:
        """Nothing is opened before `run`. Raises: VenueError for too many instruments."""
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._url = settings.stream_url + stream_target(instruments)
        self._codec = MarketCodec(instruments)
        self._decode = self._codec.decode
        self._market = self._codec.market
        self._books = {
            i.id: BookSnapshots(i, self._codec, api, settings.snapshot_levels, clock, rng)
            for i in instruments
        }
        self._sink: EventSink | None = None
        self._leader = _Connection()
        self._successor: _Connection | None = None
        self._overlap: StreamOverlap | None = None
        self._all_live = False
        self._unknown = unknown
        self._log_keys = {"venue": venue, "first": instruments[0].symbol, "count": len(instruments)}

    async def run(self, sink: EventSink) -> None:
        """Feed the sink until cancelled. Raises: VenueError if the first connection cannot be made."""
        self._sink = sink
        async with asyncio.TaskGroup() as group:
            for book in self._books.values():
                book.start(sink)
                group.create_task(book.run())
            backoff = Backoff(self._rng)
            keys = {**self._log_keys, "link": "market_data"}
            group.create_task(keep_connected(self._live_once, backoff, self._clock, **keys))

    def resync(self, instrument: InstrumentId) -> None:
        """Start a book's snapshot procedure again."""
        self._books[instrument].sync.on_gap()
        self._all_live = False

    async def _live_once(self) -> None:
        """From a first connection to the loss of its last successor."""
        self._leader, backoff = _Connection(), Backoff(self._rng)
        try:
            await self._open(self._leader)
            lifetime_s = self._settings.connection_lifetime_s
            while await self._leader.due(lifetime_s * (1.0 - _SPREAD * self._rng.random())):
                try:
                    await self._replace()
                except (VenueError, CodecError) as error:
                    _log.warning("feed_replace_failed", error=str(error), **self._log_keys)
                    asked_s = error.retry_after_s if isinstance(error, HttpRefusedError) else 0.0
                    await asyncio.sleep(backoff.next_s(at_least_s=asked_s))
        finally:
            await self._leader.close()
        _raise_bug(self._leader)

    async def _open(self, connection: _Connection) -> None:
        await WebSocket.connect(
            self._url,
            self._on_frame,
            lambda reason: self._on_closed(connection, reason),
            self._clock,
            on_open=lambda ws: self._on_open(connection, ws),
            limits=WebSocketLimits(
                open_timeout_s=self._settings.connect_timeout_s,
                silence_timeout_s=self._settings.silence_timeout_s,
            ),
        )

    async def _replace(self) -> None:
        """Put a new connection in the leader's place. Raises: VenueError, and then the leader stays."""
        old, new = self._leader, _Connection()
        assert old.ws is not None, "expected an open leader"
        overlap = self._overlap = StreamOverlap(self._market, self._books, self._deliver)
        self._successor, old.ws.on_message = new, self._on_old_frame
        _log.info("feed_replace", **self._log_keys)
        try:
            await self._open(new)
            await self._until_in_step(overlap)
        finally:
            self._successor = None
            if new.is_open or not old.is_open:
                self._leader = new
                await old.close()
            else:
                self._end_overlap(overlap)
        _raise_bug(old)
        if self._leader is old:
            raise VenueUnreachableError("the new connection was lost before it could take over")
        if self._overlap is overlap:
            self._restart_torn(overlap)
            asyncio.get_running_loop().call_later(_TAIL_S, self._end_overlap, overlap)

    async def _until_in_step(self, overlap: StreamOverlap) -> None:
        """Return when the old connection may go, or one of the two is gone."""
        began_ns, old, new = self._clock.monotonic_ns(), self._leader, self._successor
        assert new is not None, "expected a successor"
        while old.is_open and new.is_open:
            age_s = (self._clock.monotonic_ns() - began_ns) / NANOS_PER_SECOND
            if overlap.in_step(settled=age_s > _SETTLED_S):
                return
            await asyncio.sleep(_LOOK_S)

    def _restart_torn(self, overlap: StreamOverlap) -> None:
        """Books that the old connection left before the new one could continue them start again."""
        assert self._sink is not None
        for instrument in overlap.torn():
            now_ns = self._clock.monotonic_ns()
            self._sink.on_event(FeedDown(now_ns, instrument, "lost before its replacement"))
            self._sink.on_event(FeedUp(now_ns, instrument))
            self._books[instrument].sync.on_connected()
            self._all_live = False

    def _end_overlap(self, overlap: StreamOverlap) -> None:
        """Back to the hot path; a call from an overlap that is over already does nothing."""
        if overlap is self._overlap:
            self._overlap = None
            if self._leader.ws is not None:
                self._leader.ws.on_message = self._on_frame

    def _on_open(self, connection: _Connection, ws: WebSocket) -> None:
        connection.ws = ws
        if connection is self._successor and self._leader.is_open:
            ws.on_message = self._on_new_frame
            return
        assert self._sink is not None
        self._overlap = None
        _log.info("feed_up", **self._log_keys)
        for instrument, book in self._books.items():
            self._sink.on_event(FeedUp(self._clock.monotonic_ns(), instrument))
            book.sync.on_connected()

    def _on_closed(self, connection: _Connection, reason: str) -> None:
        connection.wake.set()
        if self._leader.is_open or (self._successor is not None and self._successor.is_open):
            _log.info("feed_connection_gone", reason=reason, **self._log_keys)
            return
        assert self._sink is not None
        _log.warning("feed_down", reason=reason, **self._log_keys)
        now_ns = self._clock.monotonic_ns()
        self._all_live = False
        for instrument, book in self._books.items():
            book.sync.on_disconnected()
            self._sink.on_event(FeedDown(now_ns, instrument, reason))

    def _on_frame(self, frame: bytes, ts_recv_ns: int) -> None:
        """The hot path: decode, then straight to the engine."""
        kind = self._decode(frame, ts_recv_ns)
        if kind == DIFF and not self._all_live:
            self._on_early_diff()
        elif kind != 0:
            self._sink.on_market(self._market)  # type: ignore[union-attr]
        else:
            self._on_control(self._leader, frame)

    def _on_old_frame(self, frame: bytes, ts_recv_ns: int) -> None:
        kind = self._decode(frame, ts_recv_ns)
        if kind == 0:
            self._on_control(self._leader, frame)
            return
        assert self._overlap is not None, "two roles without an overlap"
        self._overlap.from_old(kind)

    def _on_new_frame(self, frame: bytes, ts_recv_ns: int) -> None:
        kind = self._decode(frame, ts_recv_ns)
        if kind == 0:
            self._on_control(self._successor or self._leader, frame)
            return
        assert self._overlap is not None, "two roles without an overlap"
        self._overlap.from_new(kind)

    def _on_control(self, connection: _Connection, frame: bytes) -> None:
        """What is said besides market data; new kinds of events are told once and passed over.

        A message that was missed shows as a gap in the book's ids.
        """
        control = read_control(frame)
        if control.announces_shutdown:
            _log.warning("feed_server_shutdown", **self._log_keys)
            connection.wake.set()
        elif control.unknown:
            self._unknown.saw(control.unknown, "market_data")

    def _deliver(self, kind: int) -> None:
        """Pass on what is in the record."""
        if kind == DIFF and not self._all_live:
            self._on_early_diff()
        else:
            self._sink.on_market(self._market)  # type: ignore[union-attr]

    def _on_early_diff(self) -> None:
        """A diff while at least one book is not known to be in step."""
        assert self._sink is not None
        sync = self._books[InstrumentId(int(self._market["instrument"][0]))].sync
        if sync.live:
            self._sink.on_market(self._market)
        else:
            sync.on_diff()
        self._all_live = all(book.sync.live for book in self._books.values())


def _raise_bug(connection: _Connection) -> None:
    """An exception that ended a connection and is no expected failure must not pass for a network fault."""
    failure = connection.ws.failure if connection.ws is not None else None
    if failure is not None and not isinstance(failure, MmdError):
        raise failure
