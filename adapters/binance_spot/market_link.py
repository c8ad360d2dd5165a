"""The market-data side of a venue: its instruments divided among as many stream connections as they need."""

import asyncio
from collections.abc import Sequence

from numpy.random import Generator

from adapters.binance_spot.frame_fields import INSTRUMENTS_MAX
from adapters.binance_spot.rest_api import RestApi
from adapters.binance_spot.settings import BinanceSpotSettings
from adapters.binance_spot.stream_feed import StreamFeed
from adapters.binance_spot.stream_session import groups_of
from adapters.binance_spot.unknown_events import UnknownEvents
from mmd.core.instrument import Instrument
from mmd.core.ports import Clock, EventSink
from mmd.core.units import InstrumentId


class MarketLink:
    """Keeps every feed alive; what one of them suffers does not concern the others."""

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
        """Nothing is opened before `run`."""
        groups = groups_of(instruments, settings.streams_per_connection, INSTRUMENTS_MAX)
        feeds = [StreamFeed(venue, settings, group, api, clock, rng, unknown) for group in groups]
        self._feeds = feeds
        self._by_instrument = {
            i.id: feed for group, feed in zip(groups, feeds, strict=True) for i in group
        }

    async def run(self, sink: EventSink) -> None:
        """Feed the sink until cancelled. Raises: VenueError if a first connection could not be made."""
        async with asyncio.TaskGroup() as group:
            for feed in self._feeds:
                group.create_task(feed.run(sink))

    def resync(self, instrument: InstrumentId) -> None:
        """Start a book's snapshot procedure again."""
        feed = self._by_instrument.get(instrument)
        if feed is not None:
            feed.resync(instrument)
