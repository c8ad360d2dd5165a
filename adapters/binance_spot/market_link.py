"""The market-data side of a venue: the stream connection, and the snapshots that its books start from."""

import asyncio
from collections.abc import Sequence

import structlog
from numpy.random import Generator

from adapters.binance_spot.book_sync import BookSync
from adapters.binance_spot.market_codec import MarketCodec
from adapters.binance_spot.rest_api import RestApi
from adapters.binance_spot.settings import BinanceSpotSettings
from adapters.binance_spot.stream_session import check_control, stream_target
from mmd.core.events import FeedDown, FeedUp
from mmd.core.instrument import Instrument
from mmd.core.market.record import DIFF
from mmd.core.ports import Clock, EventSink
from mmd.core.units import InstrumentId
from mmd.errors import CodecError, MmdError, VenueError
from mmd.shell.backoff import Backoff
from mmd.shell.connect_error import HttpRefused
from mmd.shell.reconnect import keep_connected
from mmd.shell.websocket import WebSocket, WebSocketLimits

_SNAPSHOT_FIRST_WAIT_S = 0.25
_SNAPSHOT_LONGEST_WAIT_S = 10.0
_log = structlog.get_logger()


class _Snapshots:
    """One instrument's synchronisation, and the signal that it wants a snapshot."""

    def __init__(self, instrument: Instrument, codec: MarketCodec, sink: EventSink) -> None:
        self.instrument = instrument
        self.wanted = asyncio.Event()
        self.sync = BookSync(codec.market, sink.on_market, self.wanted.set)


class MarketLink:
    """Keeps one stream connection for all instruments and their books in step with it."""

    def __init__(
        self,
        venue: str,
        settings: BinanceSpotSettings,
        instruments: Sequence[Instrument],
        api: RestApi,
        clock: Clock,
        rng: Generator,
    ) -> None:
        """Nothing is opened before `run`. Raises: VenueError for too many instruments."""
        self._venue = venue
        self._settings = settings
        self._instruments = instruments
        self._api = api
        self._clock = clock
        self._rng = rng
        self._url = settings.stream_url + stream_target(instruments)
        self._codec = MarketCodec(instruments)
        self._decode = self._codec.decode
        self._market = self._codec.market
        self._sink: EventSink | None = None
        self._books: dict[InstrumentId, _Snapshots] = {}
        self._all_live = False

    async def run(self, sink: EventSink) -> None:
        """Feed the sink until cancelled.

        Raises:
            VenueError: the first connection could not be made.
        """
        self._sink = sink
        self._books = {i.id: _Snapshots(i, self._codec, sink) for i in self._instruments}
        async with asyncio.TaskGroup() as group:
            for book in self._books.values():
                group.create_task(self._fetch_snapshots(book))
            backoff = Backoff(self._rng)
            group.create_task(
                keep_connected(
                    self._live_once, backoff, self._clock, venue=self._venue, link="market_data"
                )
            )

    def resync(self, instrument: InstrumentId) -> None:
        """Start a book's snapshot procedure again."""
        book = self._books.get(instrument)
        if book is not None:
            book.sync.on_gap()
            self._note_live()

    async def _live_once(self) -> None:
        ws = await WebSocket.connect(
            self._url,
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
            await ws.wait_closed()
        finally:
            await ws.close()
        if ws.failure is not None and not isinstance(ws.failure, MmdError):
            raise ws.failure

    def _on_open(self, _: WebSocket) -> None:
        assert self._sink is not None
        _log.info("feed_up", venue=self._venue)
        now_ns = self._clock.monotonic_ns()
        for book in self._books.values():
            self._sink.on_event(FeedUp(now_ns, book.instrument.id))
            book.sync.on_connected()

    def _on_closed(self, reason: str) -> None:
        assert self._sink is not None
        _log.warning("feed_down", venue=self._venue, reason=reason)
        now_ns = self._clock.monotonic_ns()
        self._all_live = False
        for book in self._books.values():
            book.sync.on_disconnected()
            self._sink.on_event(FeedDown(now_ns, book.instrument.id, reason))

    def _on_frame(self, frame: bytes, ts_recv_ns: int) -> None:
        """The hot path: decode, then straight to the engine."""
        kind = self._decode(frame, ts_recv_ns)
        if kind == DIFF and not self._all_live:
            self._on_early_diff()
        elif kind != 0:
            self._sink.on_market(self._market)  # type: ignore[union-attr]
        else:
            check_control(frame)

    def _on_early_diff(self) -> None:
        """A diff while at least one book is not in step."""
        assert self._sink is not None
        sync = self._books[InstrumentId(int(self._market["instrument"][0]))].sync
        if sync.live:
            self._sink.on_market(self._market)
        else:
            sync.on_diff()
            self._note_live()

    def _note_live(self) -> None:
        self._all_live = all(book.sync.live for book in self._books.values())

    async def _fetch_snapshots(self, book: _Snapshots) -> None:
        """Answer one book's requests, with a growing wait after each one that did not help."""
        backoff = Backoff(self._rng, _SNAPSHOT_FIRST_WAIT_S, _SNAPSHOT_LONGEST_WAIT_S)
        while True:
            await book.wanted.wait()
            book.wanted.clear()
            while book.sync.wanted:
                wait_s = await self._fetch_snapshot(book)
                if book.sync.wanted:
                    await asyncio.sleep(backoff.next_s(at_least_s=wait_s))
            backoff.reset()

    async def _fetch_snapshot(self, book: _Snapshots) -> float:
        """Fetch and hand over once; returns the seconds that the server asked to wait."""
        request, instrument = book.sync.wanted, book.instrument
        try:
            body = await self._api.depth(instrument.symbol, self._settings.snapshot_levels)
            self._codec.decode_snapshot(body, instrument.id, self._clock.monotonic_ns())
        except (VenueError, CodecError) as error:
            _log.warning(
                "snapshot_failed", venue=self._venue, symbol=instrument.symbol, error=str(error)
            )
            return error.retry_after_s if isinstance(error, HttpRefused) else 0.0
        book.sync.on_snapshot(request)
        self._note_live()
        return 0.0
