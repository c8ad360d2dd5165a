"""The composition root: the only place that wires venues, engine, journal, driver and servers together."""

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from time import strftime

import structlog
import uvloop

from adapters.registry import VenueAdapter, build_venue
from mmd.config import Settings
from mmd.core.engine import Engine
from mmd.core.events import OperatorAction, Reconciled
from mmd.core.instrument import Instrument
from mmd.core.spec import SCHEMA, SessionSpec
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import ConfigError, JournalError, MmdError
from mmd.journal.reader import latest_session
from mmd.journal.recovery import inventory_targets
from mmd.journal.writer import JournalWriter
from mmd.ops.audit import BookAudit
from mmd.ops.http import HttpServer
from mmd.ops.state import State, snapshot
from mmd.ops.summary import RunFacts, Summary, summarise
from mmd.shell.clock import SystemClock
from mmd.shell.driver import Driver
from mmd.shell.exchange_process import ExchangeProcess
from mmd.shell.quiet_gc import quiet_collections
from mmd.shell.supervisor import supervise
from mmd.shell.warmup import compile_progress

STATUS_PERIOD_S = 10.0
STOP_TIMEOUT_S = 5.0
_POLL_S = 0.02
_SESSION_EPOCH_S = 1_577_836_800
"""2020-01-01: sessions are numbered by the second in which they began."""
_log = structlog.get_logger()


class RunOptions:
    """What a command line asks of one run, beside the settings."""

    def __init__(self, *, duration_s: float | None = None, book_audit: Path | None = None) -> None:
        self.duration_s = duration_s
        self.book_audit = book_audit


def run_daemon(settings: Settings, options: RunOptions) -> Summary:
    """Run the daemon until its duration, a signal or a fault ends it.

    Raises:
        MmdError: With what was expected, what was found and what to do.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(Daemon(settings, options).run())


class Daemon:
    """One run: start in order, trade, stop in reverse order with every quote confirmed gone."""

    def __init__(self, settings: Settings, options: RunOptions) -> None:
        self._settings = settings
        self._options = options
        self._clock = SystemClock()
        self._started_ns = self._clock.monotonic_ns()
        self._until = asyncio.Event()
        self._open_orders_left = 0

    async def run(self) -> Summary:
        """Everything from the first connection to the last line of the summary."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._until.set)
        async with contextlib.AsyncExitStack() as stack:
            address = await self._start_exchange(stack)
            venue = build_venue(self._settings, address, self._clock)
            stack.push_async_callback(venue.close)
            return await self._trade(venue, await venue.load(), stack)

    async def _start_exchange(self, stack: contextlib.AsyncExitStack) -> str | None:
        """Start the embedded exchange if it is wanted; returns its address where there is one."""
        embedded = self._settings.embedded
        if self._settings.environment != "embedded":
            return None
        if not embedded.autostart:
            return f"http://{embedded.host}:{embedded.port}"
        process = ExchangeProcess(_exchange_arguments(self._settings))
        stack.push_async_callback(process.stop)
        return await process.start()

    async def _trade(self, venue: VenueAdapter, instruments: Sequence[Instrument], stack: contextlib.AsyncExitStack) -> Summary:
        spec = self._session_spec(instruments)
        with compile_progress() as compiled:
            engine = Engine(spec)
            journal = _open_journal(self._settings, spec)
            stack.callback(journal.close)
            driver = Driver(engine, journal, self._clock)
        self._clock_start = self._clock.monotonic_ns()
        if self._options.book_audit is not None:
            audit = stack.enter_context(BookAudit(self._options.book_audit, engine))
            driver.on_market_applied = audit.on_market_applied
        http = HttpServer(self._settings.http.host, self._settings.http.port, lambda: snapshot(engine, driver, journal, self._clock))
        await http.start()
        stack.push_async_callback(http.stop)
        _log.info("started", session=f"{spec.session:08x}", dashboard=http.address, instruments=[i.symbol for i in instruments], journal=str(journal.folder))
        driver.start([venue])
        stack.callback(driver.stop)
        with quiet_collections(asyncio.get_running_loop()):
            await self._supervise(venue, driver)
        state = snapshot(engine, driver, journal, self._clock)
        facts = RunFacts(
            duration_s=(self._clock.monotonic_ns() - self._clock_start) / 1e9,
            startup_s=self._startup_s(engine, compiled.seconds),
            compile_s=compiled.seconds,
            breaches=engine.gate.breaches,
            open_orders_left=self._open_orders_left,
            journal=str(journal.folder),
        )
        return summarise(state, facts)

    async def _supervise(self, venue: VenueAdapter, driver: Driver) -> None:
        """Trade until the end is wanted, then pull every quote before anything is torn down."""
        ended = asyncio.Event()
        parts = {
            venue.name: venue.run(driver),
            "status": self._report_status(driver),
            "lifetime": self._lifetime(venue, driver, ended),
        }
        await supervise(parts, ended, lambda part: driver.operate(OperatorAction.STOP, f"fault in {part}"))

    async def _lifetime(self, venue: VenueAdapter, driver: Driver, ended: asyncio.Event) -> None:
        """Wait for the end of the run, then see every quote gone and the books of both sides agree."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._until.wait(), self._options.duration_s)
        driver.operate(OperatorAction.STOP, "end of run")
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._confirm_flat_book(venue, driver)
        except (TimeoutError, MmdError) as error:
            _log.error("stop_not_confirmed", error=str(error) or f"no confirmation within {STOP_TIMEOUT_S} s")
            self._open_orders_left = driver.engine.orders_open
        ended.set()

    async def _confirm_flat_book(self, venue: VenueAdapter, driver: Driver) -> None:
        """Until the venue itself reports none of our orders and holdings equal to ours."""
        if not driver.engine.quoting_enabled or not driver.engine.reconciled_once:
            return
        while driver.engine.orders_open > 0:
            await asyncio.sleep(_POLL_S)
        left = await venue.open_orders_ours()
        self._open_orders_left = len(left)
        if left:
            _log.error("orders_left", client_order_ids=left)
            await venue.cancel_all_ours()
            self._open_orders_left = len(await venue.open_orders_ours())
        for instrument in driver.engine.instruments:
            await self._compare_holdings(venue, driver, instrument)

    async def _compare_holdings(self, venue: VenueAdapter, driver: Driver, instrument: Instrument) -> None:
        """Our position against the venue's; a fill still on its way gets the time left to arrive."""
        while True:
            free, locked = (await venue.balances()).get(instrument.base, (0, 0))
            now_ns = self._clock.monotonic_ns()
            driver.on_event(Reconciled(now_ns, instrument.venue, instrument.id, free + locked))
            if driver.engine.makers[instrument.id].position_drift_atoms == 0:
                return
            await asyncio.sleep(5 * _POLL_S)

    async def _report_status(self, driver: Driver) -> None:
        """A line every ten seconds for whoever watches the terminal."""
        while True:
            await asyncio.sleep(STATUS_PERIOD_S)
            for maker in driver.engine.makers:
                _log.info("status", **status_line(maker))

    def _session_spec(self, instruments: Sequence[Instrument]) -> SessionSpec:
        now_ns = self._clock.unix_ns()
        targets = _carried_targets(self._settings)
        return SessionSpec(
            schema=SCHEMA,
            version=version("mmd"),
            session=now_ns // NANOS_PER_SECOND - _SESSION_EPOCH_S,
            environment=self._settings.environment,
            started_unix_ns=now_ns,
            started_monotonic_ns=self._clock.monotonic_ns(),
            seed=self._settings.seed,
            instruments=tuple(instruments),
            target_atoms=tuple(targets.get((i.venue, i.symbol)) for i in instruments),
            quoting=self._settings.quoting.spec(),
            risk=self._settings.risk.spec(),
        )


def _carried_targets(settings: Settings) -> dict[tuple[str, str], int]:
    """Inventory targets of the previous session; the embedded exchange is new each time and has none."""
    if settings.environment == "embedded" or not settings.journal.folder.exists():
        return {}
    try:
        return inventory_targets(latest_session(settings.journal.folder))
    except JournalError as error:
        raise JournalError(f"{error}; to start without the previous session's position set journal.folder to a new folder") from error


def _open_journal(settings: Settings, spec: SessionSpec) -> JournalWriter:
    section = settings.journal
    folder = section.folder / f"{strftime('%Y%m%dT%H%M%S')}-{spec.session:08x}"
    return JournalWriter(folder, spec, segment_bytes=section.segment_mib << 20, sync_ns=section.sync_ms * 1_000_000)


def _exchange_arguments(settings: Settings) -> list[str]:
    """The command line of the embedded exchange."""
    embedded = settings.embedded
    arguments = ["--host", embedded.host, "--port", str(embedded.port), "--seed", str(settings.seed), "--preset", embedded.preset, "--speed", embedded.speed]
    for tape in embedded.tape:
        arguments += ["--tape", str(tape)]
    if embedded.speed != "1" and settings.quoting.enabled:
        raise ConfigError("embedded.speed: a tape that is not served in real time can only be observed; set quoting.enabled=false (or --observe)")
    return arguments
