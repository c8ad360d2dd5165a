"""Lets time pass at the embedded exchange: plays the flow when it is due and flushes the feeds."""

import asyncio
from collections.abc import Callable

import structlog

from adapters.binance_spot.sandbox_clock import ExchangeClock
from adapters.binance_spot.sandbox_connection import Connection
from adapters.binance_spot.sandbox_feed import FLUSH_NS, MarketFeed
from adapters.binance_spot.sandbox_hub import StreamHub
from adapters.binance_spot.sandbox_router import EventRouter
from adapters.binance_spot.sandbox_ticker_feed import TickerFeed
from mmd.exchange.flow_interactive import InteractiveFlow
from mmd.exchange.flow_tape import TapeFlow
from mmd.exchange.tape_actions import TapeDiff, TapeSnapshot

_BACKLOG_WAIT = 256 * 1024
_ACTIONS_PER_TURN = 16
_WAIT_S = 0.001
_log = structlog.get_logger(__name__)


async def pump_interactive(
    flow: InteractiveFlow, feed: MarketFeed, router: EventRouter, clock: ExchangeClock
) -> None:
    """Generate background flow in exchange time, for ever."""
    flush_ns = clock.flow_ns() + FLUSH_NS
    while True:
        due_ns = min(flow.next_ns, flush_ns)
        await asyncio.sleep(max(0.0, clock.seconds_until(due_ns)))
        now_ns = clock.flow_ns()
        while flow.next_ns <= now_ns:
            events = flow.step()
            feed.is_silent = flow.is_feed_silent
            if events:
                router.publish(events)
        feed.top()
        if now_ns >= flush_ns:
            feed.flush()
            flush_ns += FLUSH_NS * (1 + (now_ns - flush_ns) // FLUSH_NS)


class TapePump:
    """Serves a recording: each diff as one event at its time, as fast as the clock runs.

    Faster than real time the recording waits for its readers, so that nobody loses anything.
    """

    def __init__(
        self,
        flow: TapeFlow,
        feed: MarketFeed,
        router: EventRouter,
        hub: StreamHub,
        clock: ExchangeClock,
    ) -> None:
        self.started = asyncio.Event()
        self.finished = asyncio.Event()
        self.actions = 0
        self._flow = flow
        self._feed = feed
        self._router = router
        self._hub = hub
        self._clock = clock

    def on_subscribe(self, stream: str) -> None:
        """The recording starts with its first depth listener."""
        if "@depth" in stream:
            self.started.set()

    async def run(self, *, is_lossless: bool) -> None:
        """Play the whole recording, then set `finished`."""
        if not self._flow.has_snapshot:
            _log.warning("tape_without_snapshot", book="starts empty")
        await self.started.wait()
        # Clients subscribe first and ask for a snapshot next; let the subscription's answer out before.
        await asyncio.sleep(0)
        shift_ns = self._clock.flow_ns() - self._flow.ts_ns
        while (action := self._flow.next_action()) is not None:
            due_ns = max(self._flow.ts_ns, action.ts_ns) + shift_ns
            await self._wait_until(due_ns, is_lossless=is_lossless)
            events = self._flow.play(action, max(due_ns, self._clock.flow_ns()))
            self.actions += 1
            if isinstance(action, TapeDiff | TapeSnapshot):
                self._feed.flush()
            self._router.publish(events)
        self._feed.flush()
        self._hub.flush()
        _log.info(
            "tape_finished",
            actions=self.actions,
            gaps=self._flow.gaps,
            levels_uncrossed=self._flow.levels_uncrossed,
        )
        self.finished.set()

    async def _wait_until(self, due_ns: int, *, is_lossless: bool) -> None:
        delay_s = self._clock.seconds_until(due_ns) if self._clock.waits else 0.0
        self._clock.reach(due_ns)
        if delay_s <= 0.0 and self.actions % _ACTIONS_PER_TURN != 0:
            return
        self._hub.flush()
        await asyncio.sleep(max(0.0, delay_s))
        if is_lossless and self._hub.backlog() > _BACKLOG_WAIT:
            await self._hub.drain()


async def flush_regularly(feed: MarketFeed, hub: StreamHub, clock: ExchangeClock) -> None:
    """While a recording plays: send what accounts changed between its diffs, every 100 ms."""
    while True:
        await asyncio.sleep(max(_WAIT_S, clock.seconds_until(clock.flow_ns() + FLUSH_NS)))
        feed.flush()
        hub.flush()


async def tick(ticker_feed: TickerFeed, hub: StreamHub) -> None:
    """Send the slow streams once a second, of the machine's time."""
    while True:
        await asyncio.sleep(1.0)
        ticker_feed.second()
        hub.flush()


async def keep_alive(connections: Callable[[], list[Connection]], clock: ExchangeClock) -> None:
    """Ping every client when due and cut the dead, once a second."""
    while True:
        await asyncio.sleep(1.0)
        for connection in connections():
            connection.keep_alive(clock.machine_ns())
