"""One instrument's book synchronisation with the REST snapshots that it asks for."""

import asyncio

import structlog
from numpy.random import Generator

from adapters.binance_spot.book_sync import BookSync
from adapters.binance_spot.market_codec import MarketCodec
from adapters.binance_spot.rest_api import RestApi
from mmd.core.instrument import Instrument
from mmd.core.ports import Clock, EventSink
from mmd.errors import CodecError, VenueError
from mmd.shell.backoff import Backoff
from mmd.shell.connect_error import HttpRefusedError

_FIRST_WAIT_S = 0.25
_LONGEST_WAIT_S = 10.0
_log = structlog.get_logger()


class BookSnapshots:
    """Fetches a snapshot whenever `sync` wants one, until it helps."""

    def __init__(
        self,
        instrument: Instrument,
        codec: MarketCodec,
        api: RestApi,
        levels: int,
        clock: Clock,
        rng: Generator,
    ) -> None:
        """`levels` a side are asked for. Nothing is fetched before `run`."""
        self.instrument = instrument
        self._codec = codec
        self._api = api
        self._levels = levels
        self._clock = clock
        self._backoff = Backoff(rng, _FIRST_WAIT_S, _LONGEST_WAIT_S)
        self._wanted = asyncio.Event()
        self._sync: BookSync | None = None

    @property
    def sync(self) -> BookSync:
        """The procedure; only once `start` was called."""
        assert self._sync is not None, "expected start() before anything else"
        return self._sync

    def start(self, sink: EventSink) -> None:
        """Say where released messages go."""
        self._sync = BookSync(self._codec.market, sink.on_market, self._wanted.set)

    async def run(self) -> None:
        """Answer requests for ever, with a growing wait after each answer that did not help."""
        sync = self.sync
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while sync.wanted:
                wait_s = await self._fetch(sync)
                if sync.wanted:
                    await asyncio.sleep(self._backoff.next_s(at_least_s=wait_s))
            self._backoff.reset()

    async def _fetch(self, sync: BookSync) -> float:
        """Fetch and hand over once; returns the seconds that the server asked to wait."""
        request, instrument = sync.wanted, self.instrument
        try:
            body = await self._api.depth(instrument.symbol, self._levels)
            self._codec.decode_snapshot(body, instrument.id, self._clock.monotonic_ns())
        except (VenueError, CodecError) as error:
            _log.warning("snapshot_failed", symbol=instrument.symbol, error=str(error))
            return error.retry_after_s if isinstance(error, HttpRefusedError) else 0.0
        sync.on_snapshot(request)
        return 0.0
