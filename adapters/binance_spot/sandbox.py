"""The embedded exchange: Binance spot's protocol, server side, over the simulated exchange, on loopback.

`Sandbox` wires exchange, flow and servers, and runs them inside an asyncio program:

    async with Sandbox(SandboxOptions(seed=7)) as sandbox:
        ...  # sandbox.rest_url, sandbox.stream_url, sandbox.api_url
"""

import asyncio
import errno
from collections.abc import Callable, Coroutine
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import structlog
from aiohttp import web

from adapters.binance_spot.raw_tape import actions, infer_instrument
from adapters.binance_spot.sandbox_api import ApiServer
from adapters.binance_spot.sandbox_auth import Authority, Credential
from adapters.binance_spot.sandbox_clock import ExchangeClock
from adapters.binance_spot.sandbox_connection import Connection
from adapters.binance_spot.sandbox_feed import MarketFeed
from adapters.binance_spot.sandbox_hub import StreamHub
from adapters.binance_spot.sandbox_limits import RateLimits
from adapters.binance_spot.sandbox_operations import Operations
from adapters.binance_spot.sandbox_pump import (
    TapePump,
    flush_regularly,
    keep_alive,
    pump_interactive,
)
from adapters.binance_spot.sandbox_queries import Queries
from adapters.binance_spot.sandbox_reports import Reports
from adapters.binance_spot.sandbox_rest import RestServer
from adapters.binance_spot.sandbox_router import EventRouter
from adapters.binance_spot.sandbox_streams import StreamServer
from adapters.binance_spot.sandbox_trading import Trading
from mmd.core.instrument import Instrument
from mmd.core.ports import Clock
from mmd.core.units import ATOMS_PER_UNIT
from mmd.errors import ConfigError
from mmd.exchange.default_instrument import synthetic_instrument
from mmd.exchange.exchange import Exchange
from mmd.exchange.flow_interactive import InteractiveFlow
from mmd.exchange.flow_tape import TapeFlow
from mmd.exchange.presets import PRESETS
from mmd.shell.clock import SystemClock

_log = structlog.get_logger(__name__)

VENUE = "binance_spot"
ORDERS_PER_10S = 1000
"""Default order budget; the venue's own is 100, which a maker on two sides meets at ten requotes a second."""
_SHUTDOWN_S = 1.0


class SandboxOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What to serve. Without tapes the market is generated from the seed and the preset.

    speed is how many times faster than real time a tape is served, None as fast as readers take it.
    Balances are in units of the asset; base defaults to the same worth as quote.
    """

    host: str = "127.0.0.1"
    port: int = 0
    tapes: tuple[Path, ...] = ()
    speed: float | None = 1.0
    seed: int = 7
    preset: str = "default"
    symbol: str = "MMDUSDT"
    base_balance: Decimal | None = None
    quote_balance: Decimal = Decimal(1_000_000)
    maker_fee_bps: float = 1.0
    taker_fee_bps: float = 1.0
    orders_per_10s: int = ORDERS_PER_10S
    credentials: tuple[Credential, ...] = (Credential(),)


class Sandbox:
    """One embedded exchange; use it as an async context manager.

    Args:
        options: What to serve.
        clock: The machine's clock.
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
        on_frame_sent: Callable[[int, str, int], None] | None = None,
        on_request: Callable[[int, str], None] | None = None,
    ) -> None:
        _check(options)
        self.options = options
        self.clock = ExchangeClock(SystemClock() if clock is None else clock, options.speed)
        self.instrument = _instrument(options)
        self.exchange = Exchange(
            [self.instrument],
            {c.account: {} for c in options.credentials},
            dictated=len(options.tapes) > 0,
        )
        market = self.exchange.markets[0]
        self.flow: TapeFlow | InteractiveFlow
        if options.tapes:
            self.flow = TapeFlow(actions(options.tapes, self.instrument), self.exchange, market)
        else:
            preset = PRESETS[options.preset]
            now_ns = self.clock.now_ns()
            self.flow = InteractiveFlow(preset, options.seed, self.exchange, market, now_ns)
            for side in market.book.sides:
                side.dirty.clear()
        _endow(self.exchange, options)
        self.pump: TapePump | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: web.AppRunner | None = None
        self._port = options.port
        self._wire(on_frame_sent, on_request)

    def _wire(
        self,
        on_frame_sent: Callable[[int, str, int], None] | None,
        on_request: Callable[[int, str], None] | None,
    ) -> None:
        market = self.exchange.markets[0]
        reports = [Reports(self.instrument)]
        limits = RateLimits(self.options.orders_per_10s)
        self.hub = StreamHub(self.clock.machine_ns, self._on_subscribe, on_frame_sent)
        self._feed = MarketFeed(market, reports[0].numbers, self.hub, self.clock)
        self.router = EventRouter(reports, [self._feed], limits, self.clock)
        trading = Trading(self.exchange, reports, limits, self.router)
        operations = Operations(
            trading, Queries(self.exchange, reports, limits, self.clock), limits
        )
        authority = Authority(list(self.options.credentials))
        self._rest = RestServer(operations, authority, limits, self.clock, on_request)
        self._api = ApiServer(operations, authority, limits, self.router, self.clock, on_request)
        self._streams = StreamServer(self.hub, self.clock, is_lossless=self._is_lossless)

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
        return f"http://{self.options.host}:{self._port}"

    @property
    def stream_url(self) -> str:
        """Address for streams, without /ws or /stream."""
        return f"ws://{self.options.host}:{self._port}"

    @property
    def api_url(self) -> str:
        """Address of the WebSocket API."""
        return f"ws://{self.options.host}:{self._port}/ws-api/v3"

    async def __aenter__(self) -> Self:
        """Listen and let time pass."""
        app = web.Application()
        app.add_routes(self._rest.routes())
        for path in ("/ws", "/ws/{names:.*}", "/stream", "/stream/"):
            app.router.add_get(path, self._streams.handle)
        for path in ("/ws-api/v3", "/ws-api/v3/"):
            app.router.add_get(path, self._api.handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.options.host, self.options.port)
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
        """Stop time, drop every client, free the port."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        async with asyncio.TaskGroup() as closing:
            for connection in self._connections():
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

    def _start_tasks(self) -> None:
        jobs: list[Coroutine[Any, Any, None]] = [keep_alive(self._connections, self.clock)]
        if isinstance(self.flow, TapeFlow):
            self.pump = TapePump(self.flow, self._feed, self.router, self.hub, self.clock)
            jobs += [
                self.pump.run(is_lossless=self._is_lossless),
                flush_regularly(self._feed, self.hub, self.clock),
            ]
        else:
            jobs.append(pump_interactive(self.flow, self._feed, self.router, self.clock))
        self._tasks = [asyncio.create_task(job) for job in jobs]
        for task in self._tasks:
            task.add_done_callback(_report_failure)

    def _on_subscribe(self, stream: str) -> None:
        if self.pump is not None:
            self.pump.on_subscribe(stream)

    def _connections(self) -> list[Connection]:
        return [*self._streams.connections, *self._api.connections]


async def _close(connection: Connection) -> None:
    await connection.ws.close(code=1001)


def _check(options: SandboxOptions) -> None:
    if options.preset not in PRESETS:
        raise ConfigError(
            f"preset: expected one of {', '.join(sorted(PRESETS))}, found '{options.preset}'"
        )
    if options.speed is not None and not options.speed > 0.0:
        raise ConfigError(f"speed: expected a number above 0 or 'max', found {options.speed}")
    if options.speed != 1.0 and not options.tapes:
        raise ConfigError("speed: only a tape can be served faster or slower; add --tape FILE")
    if not options.tapes and not options.symbol.endswith("USDT"):
        raise ConfigError(f"symbol: expected one that ends in USDT, found '{options.symbol}'")


def _instrument(options: SandboxOptions) -> Instrument:
    if not options.tapes:
        return synthetic_instrument(
            options.symbol, VENUE, options.maker_fee_bps, options.taker_fee_bps
        )
    inferred = infer_instrument(options.tapes, VENUE)
    return msgspec.structs.replace(
        inferred, maker_fee_bps=options.maker_fee_bps, taker_fee_bps=options.taker_fee_bps
    )


def _endow(exchange: Exchange, options: SandboxOptions) -> None:
    """Give every account its starting balances; base by the opening mid where no amount was asked for."""
    market = exchange.markets[0]
    base = options.base_balance
    if base is None:
        # A recording without a snapshot opens without prices: as many units of base as of quote.
        ticks = market.reference_ticks(0)
        price = market.instrument.price(ticks) if ticks > 0 else Decimal(1)
        base = options.quote_balance / price
    for account in exchange.accounts.values():
        account.receive(market.instrument.base, int(base * ATOMS_PER_UNIT))
        account.receive(market.instrument.quote, int(options.quote_balance * ATOMS_PER_UNIT))
        account.locked = dict.fromkeys(account.free, 0)


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
