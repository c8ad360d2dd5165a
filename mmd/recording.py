"""One run of the recorder: a venue's market data to tapes, by the daemon's own venue and engine, which never quotes.

The engine keeps the books, so that a gap or a mismatch asks the venue for a new snapshot as it does live.
"""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NamedTuple

import structlog
import uvloop

from mmd import app
from mmd.config import Settings
from mmd.core.commands import Command
from mmd.core.engine import Engine
from mmd.core.events import Decision, Event, FeedDown
from mmd.errors import ConfigError
from mmd.jit.kernel import Rec
from mmd.shell.clock import SystemClock
from mmd.shell.driver import Driver
from mmd.shell.exchange_process import ExchangeProcess
from mmd.shell.supervisor import supervise
from mmd.shell.warmup import compile_progress
from mmd.tape.format import TapeHeader
from mmd.tape.recorder import Recorder, Rotation
from mmd.venue_fields import embedded_addresses

STATUS_PERIOD_S = 5.0
_DRAIN_S = 1.0
"""How long the last frames of an exchange that has ended may take to arrive."""
_log = structlog.get_logger()


class RecordOptions(NamedTuple):
    """What a command line asks of one recording."""

    folder: Path
    command: str
    rotation: Rotation = Rotation()
    flush_s: float = 1.0
    """At most so much is lost when the machine dies."""
    duration_s: float | None = None


class Recorded(NamedTuple):
    """What a recording wrote, by symbol."""

    frames: dict[str, int]
    rows: dict[str, int]
    recovered: list[tuple[Path, int]]


def run_recording(settings: Settings, options: RecordOptions) -> Recorded:
    """Record until the duration, a signal or a fault ends it; what was recorded is whole in any case.

    Raises:
        MmdError: With what was expected, what was found and what to do.
    """
    if settings.quoting.enabled:
        raise ConfigError("quoting.enabled: expected false for a recording, found true")
    if len(settings.venues) != 1:
        raise ConfigError(
            f"venues: expected one for a recording, whose tapes are named by symbol, found "
            f"{', '.join(settings.venues)}"
        )
    app.check(settings)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(record(settings, options))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


async def record(settings: Settings, options: RecordOptions) -> Recorded:
    """Connect, record, and finish every segment."""
    clock = SystemClock()
    until = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        _stop_on_signals(until, stack)
        exchange = await _start_exchange(settings, stack)
        if exchange is None:
            addresses = embedded_addresses(settings)
        else:
            addresses = await exchange.start()
        venue = app.make_venue(settings, addresses, clock)
        stack.push_async_callback(venue.close)
        with compile_progress():
            engine = Engine(app.session_spec(settings, await venue.load(), clock))
            recorder = _recorder(engine, options, clock)
        sink = _Sink(Driver(engine, _NoJournal(), clock), recorder)
        try:
            sink.driver.start([venue])
            stack.callback(sink.driver.stop)
            parts: dict[str, Coroutine[Any, Any, None]] = {
                venue.name: venue.run(sink),
                "flush": _flush(recorder, options.flush_s),
                "status": _report(engine, recorder),
                "lifetime": _lifetime(until, options.duration_s),
            }
            if exchange is not None:
                parts["exchange"] = _outlive(exchange, until)
            await supervise(parts, until, _nothing_to_pull)
        finally:
            await asyncio.to_thread(recorder.close)
    symbols = {int(i.id): i.symbol for i in engine.instruments}
    return Recorded(
        {symbols[i]: n for i, n in recorder.frames.items()},
        {symbols[i]: n for i, n in recorder.rows.items()},
        recorder.recovered,
    )


class _Sink:
    """What the venue reports: onto the tape, then to the engine."""

    def __init__(self, driver: Driver, recorder: Recorder) -> None:
        self.driver = driver
        self._recorder = recorder

    def on_market(self, market: Rec) -> None:
        """One record, valid during the call."""
        self._recorder.on_market(market)
        self.driver.on_market(market)

    def on_event(self, event: Event) -> None:
        """Any other event; a lost feed leaves a hole."""
        if isinstance(event, FeedDown):
            self._recorder.mark_gap(event.instrument)
        self.driver.on_event(event)


class _NoJournal:
    """A recording sends no orders, so it has nothing to account for; the tape is its record."""

    pen = None

    def market(self, market: Rec) -> None:
        """Not kept."""

    def event(self, event: Event) -> None:
        """Not kept."""

    def command(self, command: Command, decision: Decision | None = None) -> None:
        """Not kept."""


def _recorder(engine: Engine, options: RecordOptions, clock: SystemClock) -> Recorder:
    headers = {
        int(i.id): TapeHeader(instrument=i, source="record", command=options.command)
        for i in engine.instruments
    }
    shift_ns = clock.unix_ns() - clock.monotonic_ns()
    recorder = Recorder(options.folder, headers, options.rotation, unix_less_monotonic_ns=shift_ns)
    for path, rows in recorder.recovered:
        _log.warning("segment_recovered", path=str(path), rows=rows)
    return recorder


def _stop_on_signals(until: asyncio.Event, stack: contextlib.AsyncExitStack) -> None:
    loop, main = asyncio.get_running_loop(), asyncio.current_task()
    assert main is not None, "a coroutine runs in a task"

    def stop() -> None:
        if until.is_set():  # the second time: do not wait for anything
            main.cancel()
        until.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
        stack.callback(loop.remove_signal_handler, number)


async def _start_exchange(
    settings: Settings, stack: contextlib.AsyncExitStack
) -> ExchangeProcess | None:
    """The embedded exchange, where settings want one started; not started yet."""
    if not settings.starts_exchange:
        return None
    exchange = ExchangeProcess(app.exchange_arguments(settings))
    stack.push_async_callback(exchange.stop)
    return exchange


async def _flush(recorder: Recorder, period_s: float) -> None:
    while True:
        await asyncio.sleep(period_s)
        recorder.flush()


async def _report(engine: Engine, recorder: Recorder) -> None:
    """A line now and again for whoever watches the terminal."""
    before = dict(recorder.frames)
    while True:
        await asyncio.sleep(STATUS_PERIOD_S)
        for instrument in engine.instruments:
            i = int(instrument.id)
            rate = (recorder.frames[i] - before[i]) / STATUS_PERIOD_S
            _log.info(
                "recording",
                instrument=instrument.symbol,
                frames_per_s=round(rate, 1),
                frames=recorder.frames[i],
                rows=recorder.rows[i],
                synced=engine.makers[i].view.is_synced,
            )
        before = dict(recorder.frames)


async def _lifetime(until: asyncio.Event, duration_s: float | None) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(until.wait(), duration_s)
    until.set()


async def _outlive(exchange: ExchangeProcess, until: asyncio.Event) -> None:
    """When the exchange has ended, and what it sent has arrived, so does the recording."""
    await exchange.wait()
    await asyncio.sleep(_DRAIN_S)
    until.set()


async def _nothing_to_pull(_: str) -> None:
    """A recorder has no quotes."""
