"""The embedded exchange: Binance spot's protocol, server side, over the simulated exchange, on loopback.

`Sandbox` wires exchange, flow and servers, and runs them inside an asyncio program:

    async with Sandbox(SandboxOptions(seed=7)) as sandbox:
        ...  # sandbox.rest_url, sandbox.stream_url, sandbox.api_url
"""

import asyncio
import errno
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

import structlog
from aiohttp import web

from adapters.binance_spot.raw_tape import actions
from adapters.binance_spot.sandbox_account_queries import AccountQueries
from adapters.binance_spot.sandbox_api import ApiServer
from adapters.binance_spot.sandbox_auth import Authority
from adapters.binance_spot.sandbox_clock import ExchangeClock
from adapters.binance_spot.sandbox_connection import Connection
from adapters.binance_spot.sandbox_control import PATH as CONTROL_PATH
from adapters.binance_spot.sandbox_control import ControlServer, Target
from adapters.binance_spot.sandbox_faults import RequestFaults
from adapters.binance_spot.sandbox_feed import MarketFeed
from adapters.binance_spot.sandbox_hub import StreamHub
from adapters.binance_spot.sandbox_limits import RateLimits
from adapters.binance_spot.sandbox_listen_keys import ListenKeys
from adapters.binance_spot.sandbox_lookup import Lookup
from adapters.binance_spot.sandbox_market_queries import MarketQueries
from adapters.binance_spot.sandbox_operations import Operations
from adapters.binance_spot.sandbox_options import (
    SandboxOptions,
    check,
    endow,
    instruments_of,
    market_rules,
    tls_context,
)
from adapters.binance_spot.sandbox_pump import (
    TapePump,
    flush_regularly,
    keep_alive,
    pump_interactive,
    tick,
)
from adapters.binance_spot.sandbox_reports import Reports
from adapters.binance_spot.sandbox_rest import RestServer
from adapters.binance_spot.sandbox_router import EventRouter
from adapters.binance_spot.sandbox_streams import StreamServer
from adapters.binance_spot.sandbox_ticker_feed import TickerFeed
from adapters.binance_spot.sandbox_trading import Trading
from mmd.calibration.catalogue import find_preset
from mmd.core.ports import Clock
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import ConfigError
from mmd.exchange.exchange import Exchange
from mmd.exchange.flow_interactive import InteractiveFlow
from mmd.exchange.flow_tape import TapeFlow
from mmd.shell.clock import SystemClock

_log = structlog.get_logger(__name__)

_SHUTDOWN_S = 1.0
_SHUTDOWN_NOTICE_S = 0.05
"""How long clients may react to serverShutdown before they are closed."""


class Sandbox:
    """One embedded exchange; use it as an async context manager.

    Args:
        options: What to serve.
        clock: The machine's clock.
        start_ns: When generated markets start; now unless several are to start together.
        on_frame_sent: Called with (monotonic ns, stream, update or trade id) as a stream frame is written.
        on_request: Called with (monotonic ns, method) as a request has been read.

    Raises:
        ConfigError: An option is impossible, or the port is taken.
        TapeError: A recording cannot be read.
    """

    def __init__(
        self,
        options: SandboxOptions,
        *,
        clock: Clock | None = None,
        start_ns: int | None = None,
        on_frame_sent: Callable[[int, str, int], None] | None = None,
        on_request: Callable[[int, str], None] | None = None,
    ) -> None:
        check(options)
        self.options = options
        self.clock = ExchangeClock(SystemClock() if clock is None else clock, options.speed)
        instruments = instruments_of(options)
        self.instrument = instruments[0]
        self.exchange = Exchange(
            instruments,
            {c.account: {} for c in options.credentials},
            dictated=len(options.tapes) > 0,
            rules=[market_rules(options, i) for i in instruments],
            trade_groups={c.account: c.trade_group for c in options.credentials},
        )
        self.tape_flow: TapeFlow | None = None
        self.flows: list[InteractiveFlow] = []
        if options.tapes:
            tape = actions(options.tapes, self.instrument)
            self.tape_flow = TapeFlow(tape, self.exchange, self.exchange.markets[0])
        else:
            self._generate(self.clock.flow_ns() if start_ns is None else start_ns)
        endow(self.exchange, options)
        self.pump: TapePump | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: web.AppRunner | None = None
        self._port = options.port
        self._wire(on_frame_sent, on_request)

    def _generate(self, start_ns: int) -> None:
        """Make a flow for each market, and its opening book nobody's news."""
        options = self.options
        for market in self.exchange.markets:
            preset = find_preset(options.preset)
            flow = InteractiveFlow(
                preset, options.seed, self.exchange, market, start_ns, options.price_link
            )
            self.flows.append(flow)
            for side in market.book.sides:
                side.dirty.clear()

    def _wire(
        self,
        on_frame_sent: Callable[[int, str, int], None] | None,
        on_request: Callable[[int, str], None] | None,
    ) -> None:
        options, clock = self.options, self.clock
        lookup = Lookup(self.exchange, [Reports(m.instrument) for m in self.exchange.markets])
        limits = RateLimits(options.orders_per_10s, options.weight_per_minute)
        listen_keys = ListenKeys(clock.machine_ns)
        life_ns = round(options.connection_life_s * NANOS_PER_SECOND)
        faults = RequestFaults()
        self.hub = StreamHub(clock.machine_ns, self._on_subscribe, on_frame_sent)
        markets = [(m, lookup.numbers(m)) for m in self.exchange.markets]
        self._feeds = [MarketFeed(m, numbers, self.hub, clock) for m, numbers in markets]
        self._ticker_feed = TickerFeed(markets, self.hub, clock)
        self.router = EventRouter(lookup.reports, self._feeds, limits, clock, self.hub, listen_keys)
        operations = Operations(
            Trading(lookup, limits, self.router),
            MarketQueries(lookup, limits, clock),
            AccountQueries(lookup, limits, clock),
            limits,
            listen_keys if options.has_listen_keys else None,
        )
        authority = Authority(list(options.credentials))
        self._rest = RestServer(operations, authority, limits, clock, faults, on_request)
        self._api = ApiServer(
            operations, authority, limits, self.router, clock, faults, on_request, life_ns
        )
        self._streams = StreamServer(
            self.hub,
            clock,
            listen_keys,
            faults.handshakes,
            is_lossless=self._is_lossless,
            messages_per_s=options.messages_per_s,
            life_ns=life_ns,
        )
        token = options.faults_token
        self.control = (
            None
            if token is None
            else ControlServer(
                token,
                self.hub.faults,
                faults,
                lookup,
                clock,
                self._of,
                self.tell_shutdown,
                self.router.publish,
            )
        )

    @property
    def _is_lossless(self) -> bool:
        return len(self.options.tapes) > 0 and self.options.speed != 1.0

    @property
    def port(self) -> int:
        """The port in use; known after start where 0 was asked for."""
        return self._port

    @property
    def rest_url(self) -> str:
        """Address for REST requests, without /api."""
        return f"http{self._tls}://{self.options.host}:{self._port}"

    @property
    def stream_url(self) -> str:
        """Address for streams, without /ws or /stream."""
        return f"ws{self._tls}://{self.options.host}:{self._port}"

    @property
    def api_url(self) -> str:
        """Address of the WebSocket API."""
        return f"{self.stream_url}/ws-api/v3"

    @property
    def _tls(self) -> str:
        return "s" if self.options.certificate is not None else ""

    async def __aenter__(self) -> Self:
        """Listen and let time pass."""
        app = web.Application()
        app.add_routes(self._rest.routes())
        for path in ("/ws", "/ws/{names:.*}", "/stream", "/stream/"):
            app.router.add_get(path, self._streams.handle)
        for path in ("/ws-api/v3", "/ws-api/v3/"):
            app.router.add_get(path, self._api.handle)
        if self.control is not None:
            app.router.add_post(CONTROL_PATH, self.control.handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await self._runner.setup()
        site = web.TCPSite(
            self._runner,
            self.options.host,
            self.options.port,
            ssl_context=tls_context(self.options),
        )
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise _listen_error(self.options, error) from error
        self._port = self._runner.addresses[0][1]
        self._start_tasks()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Tell clients, stop time, close every connection, free the port."""
        self.tell_shutdown()
        if self._of("all"):
            await asyncio.sleep(_SHUTDOWN_NOTICE_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        async with asyncio.TaskGroup() as closing:
            for connection in self._of("all"):
                closing.create_task(_close(connection))
        if self._runner is not None:
            await self._runner.cleanup()

    async def run_to_end(self) -> None:
        """Return when the tape has been played and everything has been written; never without a tape.

        Raises: what a background task died of, e.g. TapeError.
        """
        waiting = None if self.pump is None else asyncio.create_task(self.pump.finished.wait())
        watched: set[asyncio.Task[Any]] = (
            {*self._tasks} if waiting is None else {*self._tasks, waiting}
        )
        try:
            while waiting is None or not waiting.done():
                done, watched = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
                for task in done - {waiting}:
                    task.result()
        finally:
            if waiting is not None:
                waiting.cancel()
        await self.hub.drain()

    def tell_shutdown(self) -> None:
        """Send serverShutdown to every connection."""
        now_ns = self.clock.now_ns()
        self.hub.announce(lambda unit: f'{{"e":"serverShutdown","E":{now_ns // unit}}}'.encode())
        self._api.announce({"event": {"e": "serverShutdown", "E": now_ns // 1_000_000}})

    def _start_tasks(self) -> None:
        jobs: list[Coroutine[Any, Any, None]] = [
            keep_alive(lambda: self._of("all"), self.clock),
            tick(self._ticker_feed, self.hub),
        ]
        if self.tape_flow is not None:
            feed = self._feeds[0]
            self.pump = TapePump(self.tape_flow, feed, self.router, self.hub, self.clock)
            jobs += [
                self.pump.run(is_lossless=self._is_lossless),
                flush_regularly(feed, self.hub, self.clock),
            ]
        jobs += [
            pump_interactive(flow, feed, self.router, self.clock)
            for flow, feed in zip(self.flows, self._feeds, strict=False)
        ]
        self._tasks = [asyncio.create_task(job) for job in jobs]
        for task in self._tasks:
            task.add_done_callback(_report_failure)

    def _on_subscribe(self, stream: str) -> None:
        if self.pump is not None:
            self.pump.on_subscribe(stream)

    def _of(self, target: Target) -> list[Connection]:
        """Open connections: of the streams, of the WebSocket API, or all."""
        found: list[Connection] = []
        if target != "api":
            found += self._streams.connections
        if target != "streams":
            found += self._api.connections
        return found


async def _close(connection: Connection) -> None:
    await connection.ws.close(code=1001)


def _report_failure(task: asyncio.Task[None]) -> None:
    """Say at once that time stands still; `run_to_end` raises the same error."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("exchange_stopped", error=str(error))


def _listen_error(options: SandboxOptions, error: OSError) -> ConfigError:
    where = f"{options.host}:{options.port}"
    if error.errno == errno.EADDRINUSE:
        return ConfigError(
            f"{where} is taken by another program; choose another --port, or 0 for a free one"
        )
    return ConfigError(
        f"cannot listen on {where}: {error.strerror or error}; check --host and --port"
    )
