"""One run of the daemon: start in order, trade, stop in reverse order with every quote confirmed gone."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import structlog
import uvloop

from mmd import app
from mmd.config import Settings
from mmd.core.engine import Engine
from mmd.core.events import OperatorAction, Reconciled
from mmd.core.instrument import Instrument
from mmd.core.ports import Venue
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import MmdError
from mmd.guardian.keeper import LeaseKeeper
from mmd.journal.folder_lock import folder_lock
from mmd.ops.audit import BookAudit
from mmd.ops.break_even import report_break_even
from mmd.ops.engine_side import EngineSide
from mmd.ops.picture import picture_of
from mmd.ops.process_use import ProcessUse
from mmd.ops.settings_reload import SettingsReload
from mmd.ops.status_line import status_line
from mmd.ops.summary import RunFacts, Summary, breaches, level_when_stopped, summarise
from mmd.shell.clock import SystemClock
from mmd.shell.conflation import ConflationWatch
from mmd.shell.crossvenue_log import CrossVenueLog
from mmd.shell.driver import Driver
from mmd.shell.exchange_process import ExchangeProcess
from mmd.shell.quiet_gc import quiet_collections
from mmd.shell.quote_log import QuoteLog
from mmd.shell.supervisor import supervise
from mmd.shell.venue_group import member
from mmd.shell.warmup import CompileProgress, compile_progress
from mmd.venue_fields import embedded_addresses
from models.live import LiveModels

STATUS_PERIOD_S = 10.0
STOP_TIMEOUT_S = 5.0
_POLL_S = 0.02
_log = structlog.get_logger()


class RunOptions:
    """What a command line asks of one run, beside the settings."""

    def __init__(
        self,
        *,
        duration_s: float | None = None,
        book_audit: Path | None = None,
        shared: Path | None = None,
        load: Callable[[], Settings] | None = None,
        on_address: Callable[[str], None] | None = None,
    ) -> None:
        """`shared` is the folder of a parent that runs ops beside us; None: serve HTTP ourselves.

        `load` reads the settings anew, for a reload; None: they stay as they are. `on_address` is told where our page is.
        """
        self.on_address = on_address
        self.load = load
        self.duration_s = duration_s
        self.book_audit = book_audit
        self.shared = shared


def run_daemon(settings: Settings, options: RunOptions) -> Summary:
    """Run the daemon until its duration, a signal or a fault ends it.

    Raises:
        MmdError: With what was expected, what was found and what to do.
        KeyboardInterrupt: A signal came before there was anything to stop in order.
    """
    app.check(settings)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(Daemon(settings, options).run())
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


class Daemon:
    """One run: start in order, trade, stop in reverse order with every quote confirmed gone."""

    def __init__(self, settings: Settings, options: RunOptions) -> None:
        self._settings = settings
        self._options = options
        self._clock = SystemClock()
        self._started_ns = self._clock.monotonic_ns()
        self._until = asyncio.Event()
        self._is_trading = False
        self._broken: asyncio.Future[None] | None = None
        """Fails when a callback of the event loop does."""
        self._open_orders_left = 0
        self._addresses: list[str] = []
        self._exchange: ExchangeProcess | None = None
        self._models: LiveModels | None = None
        self._keeper: LeaseKeeper | None = None

    async def run(self) -> Summary:
        """Everything from the first connection to the last line of the summary."""
        loop = asyncio.get_running_loop()
        main = asyncio.current_task()
        assert main is not None, "a coroutine runs in a task"
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal, main)
        if self._options.shared is not None:  # our parent's end closes our standard input
            loop.add_reader(sys.stdin, self._on_parent_gone, main)
        self._broken = loop.create_future()
        loop.set_exception_handler(self._on_loop_error)
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(folder_lock(self._settings.journal.folder))
            addresses = self._addresses = await self._start_exchange(stack)
            venue = app.make_venue(self._settings, addresses, self._clock)
            stack.push_async_callback(venue.close)
            with compile_progress() as compiled:
                spec = app.session_spec(self._settings, await venue.load(), self._clock)
                app.tell_of_earlier_session(self._settings, venue, spec.instruments, self._clock)
                self._models = LiveModels(
                    spec,
                    promotes=self._settings.models.trials.promote == "auto",
                    backend=self._settings.models.backend,
                    busy_share_max=self._settings.models.busy_share_max,
                )
                self._models.preload()
                engine = Engine(spec, self._models.shelf)
            return await self._trade(venue, engine, compiled, stack)

    def _on_signal(self, main: asyncio.Task[Summary]) -> None:
        """Stop in order once there are quotes to pull; before that just leave."""
        self._until.set()
        if not self._is_trading:
            main.cancel()

    def _on_parent_gone(self, main: asyncio.Task[Summary]) -> None:
        asyncio.get_running_loop().remove_reader(sys.stdin)
        _log.warning("parent_gone")
        self._on_signal(main)

    def _on_loop_error(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback that fails (the engine's decision is one) is a fault of the daemon, never just a log line."""
        error = context.get("exception")
        _log.error("loop_error", message=context.get("message"), exc_info=error)
        if error is not None and "handle" in context and not self._fault.done():
            self._fault.set_exception(error)

    @property
    def _fault(self) -> asyncio.Future[None]:
        assert self._broken is not None, "not running"
        return self._broken

    async def _start_exchange(self, stack: contextlib.AsyncExitStack) -> list[str]:
        """Start the embedded exchange if it is wanted; returns the address of each venue there."""
        if not self._settings.starts_exchange:
            return embedded_addresses(self._settings)
        arguments = app.exchange_arguments(self._settings)
        self._exchange = ExchangeProcess(arguments, len(self._settings.venues))
        stack.push_async_callback(self._exchange.stop)
        return await self._exchange.start()

    async def _trade(
        self,
        venue: Venue,
        engine: Engine,
        compiled: CompileProgress,
        stack: contextlib.AsyncExitStack,
    ) -> Summary:
        """Everything between the engine's construction and the summary."""
        journal = app.open_journal(self._settings, engine.spec)
        stack.callback(journal.close)
        driver = Driver(engine, journal, self._clock)
        began_ns = self._clock.monotonic_ns()
        if self._options.book_audit is not None:
            audit = stack.enter_context(BookAudit(self._options.book_audit, engine))
            driver.on_market_applied = audit.on_market_applied

        use = ProcessUse(journal.folder)
        stack.enter_context(use.watching())

        beside = partial(self._beside, venue)
        picture = picture_of(engine, driver, journal, self._clock, use, beside)
        side = EngineSide(
            self._settings.http,
            self._settings.journal.folder,
            self._options.shared,
            driver,
            picture,
            self._clock,
            SettingsReload(self._settings, self._options.load or (lambda: self._settings), driver),
        )
        address = await side.start(stack)
        self._announce(engine, address, str(journal.folder))
        self._is_trading = True
        self._keeper = app.lease_keeper(
            self._settings, self._options.shared, engine.spec, venue, self._addresses, driver
        )
        if self._models is not None:
            self._models.place(engine, driver, self._clock)
        driver.start([venue])
        stack.push_async_callback(driver.finish)
        shelf = None if self._models is None else self._models.shelf
        warm = app.rehearsal(self._settings, driver, self._clock, shelf)
        if warm is not None:
            warm.start()
            stack.callback(warm.stop)
        with quiet_collections(asyncio.get_running_loop()):
            await self._supervise(venue, driver, side)
        facts = self._run_facts(engine, compiled, began_ns, journal.folder)
        return summarise(picture.whole(), facts)

    def _beside(self, venue: Venue) -> dict[str, Any]:
        """What is shown of those around the engine."""
        view = None if self._keeper is None else self._keeper.view
        return {"guardian": view, "unknown_events": dict(venue.unknown_events)}

    def _announce(self, engine: Engine, address: str, journal: str) -> None:
        """The session, for logs, and where its page is, for people."""
        if self._options.on_address is not None:
            self._options.on_address(address)
        session, names = f"{engine.spec.session:08x}", [i.symbol for i in engine.instruments]
        _log.info("started", session=session, dashboard=address, instruments=names, journal=journal)

    def _run_facts(
        self, engine: Engine, compiled: CompileProgress, began_ns: int, journal: Path
    ) -> RunFacts:
        """What the summary says of the run that no State holds."""
        return RunFacts(
            duration_s=(self._clock.monotonic_ns() - began_ns) / NANOS_PER_SECOND,
            startup_s=self._startup_s(engine) - compiled.seconds,
            compile_s=compiled.seconds,
            risk_level=level_when_stopped(engine.levels).name,
            breaches=breaches(engine.levels),
            open_orders_left=self._open_orders_left,
            journal=str(journal),
        )

    async def _supervise(self, venue: Venue, driver: Driver, side: EngineSide) -> None:
        """Trade until the end is wanted, then pull every quote before anything is torn down."""
        ended = asyncio.Event()
        parts: dict[str, Coroutine[Any, Any, None]] = {
            venue.name: venue.run(driver),
            "status": self._report_status(driver),
            "quote log": QuoteLog(driver.engine).run(),
            "break_even": report_break_even(driver.engine.makers),
            "lifetime": self._lifetime(venue, driver, ended),
            "loop": self._watch_loop(),
            "publisher": side.publish(),
        }
        if self._models is not None:
            watch_s = self._settings.models.watch_ms / 1e3
            parts["models"] = self._models.run(driver.engine, driver, self._clock, watch_s)
        if self._keeper is not None:
            parts["lease"] = self._keeper.run()
        if driver.engine.crossvenue is not None:
            parts["crossvenue log"] = CrossVenueLog(driver.engine.crossvenue).run()
        if self._exchange is not None:
            parts["exchange"] = self._outlive(self._exchange, driver)
        await supervise(parts, ended, lambda part: self._pull_quotes(part, venue, driver))
        if self._keeper is not None and self._open_orders_left == 0:
            await self._keeper.release()

    async def _watch_loop(self) -> None:
        await self._fault

    async def _pull_quotes(self, part: str, venue: Venue, driver: Driver) -> None:
        """After a fault: by the engine's own cancels, and by the venue's list in case that those cannot go out."""
        try:
            driver.operate(OperatorAction.STOP, f"fault in {part}")
        except Exception as error:  # noqa: BLE001 - the engine may be what is broken
            _log.error("stop_failed", exc_info=error)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await venue.cancel_ours()
        except (TimeoutError, MmdError) as error:
            _log.error("quotes_maybe_left", error=str(error) or f"no answer in {STOP_TIMEOUT_S} s")

    async def _outlive(self, exchange: ExchangeProcess, driver: Driver) -> None:
        """When the exchange has ended, and all that it sent was applied, so does the run."""
        await exchange.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_TIMEOUT_S):
                while any(maker.view.is_up for maker in driver.engine.makers):  # noqa: ASYNC110 - the engine is pure: it signals nothing
                    await asyncio.sleep(_POLL_S)
        self._until.set()

    def _startup_s(self, engine: Engine) -> float:
        """Process start to first order; 0 where none was sent."""
        if engine.first_order_ns == 0:
            return 0.0
        return (engine.first_order_ns - self._started_ns) / NANOS_PER_SECOND

    async def _lifetime(self, venue: Venue, driver: Driver, ended: asyncio.Event) -> None:
        """Wait for the end of the run, then see every quote gone and the books of both sides agree."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._until.wait(), self._options.duration_s)
        driver.operate(OperatorAction.STOP, "end of run")
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._confirm_flat_book(venue, driver)
        except (TimeoutError, MmdError) as error:
            _log.error(
                "stop_not_confirmed",
                error=str(error) or f"no confirmation within {STOP_TIMEOUT_S} s",
            )
            self._open_orders_left = driver.engine.orders_open
        ended.set()

    async def _confirm_flat_book(self, venue: Venue, driver: Driver) -> None:
        """Until the venue itself reports none of our orders and holdings equal to ours."""
        if not all(maker.ledger.pnl for maker in driver.engine.makers):
            return  # nothing was ever sent
        while driver.engine.orders_open > 0:  # noqa: ASYNC110
            await asyncio.sleep(_POLL_S)
        left = await venue.open_orders_ours()
        self._open_orders_left = len(left)
        if left:
            _log.error("orders_left", client_order_ids=[f"{o.client_order_id:x}" for o in left])
            await venue.cancel_ours()
            self._open_orders_left = len(await venue.open_orders_ours())
        for instrument in driver.engine.instruments:
            await self._compare_holdings(venue, driver, instrument)

    async def _compare_holdings(self, venue: Venue, driver: Driver, instrument: Instrument) -> None:
        """Our position against the venue's; a fill still on its way gets the time left to arrive."""
        while True:
            held = await member(venue, instrument.venue).balances()
            free, locked = held.get(instrument.base, (0, 0))
            now_ns = self._clock.monotonic_ns()
            driver.on_event(Reconciled(now_ns, instrument.venue, instrument.id, free + locked))
            if driver.engine.makers[instrument.id].ledger.drift_atoms == 0:
                return
            await asyncio.sleep(5 * _POLL_S)

    async def _report_status(self, driver: Driver) -> None:
        """A line every ten seconds for whoever watches the terminal."""
        conflation = ConflationWatch(driver)
        while True:
            await asyncio.sleep(STATUS_PERIOD_S)
            conflation.look()
            for maker in driver.engine.makers:
                _log.info("status", **status_line(maker))
