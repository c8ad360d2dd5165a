"""One backtest from a request that can be sent to another process."""

import gc
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec

from mmd.analytics.session import Session
from mmd.backtest.result import BacktestResult, backtest_result
from mmd.backtest.runner import BacktestRunner
from mmd.backtest.session import backtest_instrument, backtest_spec, starting_balances
from mmd.backtest.settings import BacktestSettings
from mmd.config import Settings, load
from mmd.errors import TapeError
from mmd.journal.writer import JournalWriter
from mmd.tape.reader import Tape, open_tape
from models.serving import champions_for

_NO_VENUE: dict[str, object] = {"venues": {"tape": {"adapter": "tape"}}}
"""Settings need a venue by name; a backtest's is the tape."""


class BacktestRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to run."""

    tape: Path
    settings: BacktestSettings = BacktestSettings()
    config: Path | None = None
    overrides: dict[str, object] = {}
    """Settings by dotted key, as given on the command line."""
    swept: dict[str, str] = {}
    """More of them, to be told in the result."""
    journal: Path | None = None
    """A folder to be made; a session with a journal runs every decision through the engine."""
    is_watched: bool = False
    """Whether a session for a report is kept."""


def run_backtest(
    request: BacktestRequest, on_progress: Callable[[BacktestRunner], None] | None = None
) -> BacktestResult:
    """Run a backtest and check it. Raises: as `run_watched`."""
    return run_watched(request, on_progress)[0]


def run_watched(
    request: BacktestRequest, on_progress: Callable[[BacktestRunner], None] | None = None
) -> tuple[BacktestResult, Session | None]:
    """Run a backtest and check it; with the session that a report is made of, if the request wants it.

    Raises:
        ConfigError: A setting is wrong.
        TapeError: The tape cannot be read or played.
        JournalError: The journal cannot be written.
        MmdError: The result fails its checks.
    """
    tape = open_tape(request.tape)
    settings = load_settings(request)
    if request.journal is not None:
        return _journalled(tape, request, settings, on_progress)
    return _run(prepare(tape, request, settings), request, on_progress)


def load_settings(request: BacktestRequest) -> Settings:
    """The daemon's settings for a request. Raises: ConfigError."""
    overrides = request.overrides | request.swept
    return load(request.config, overrides if request.config else _NO_VENUE | overrides)


def prepare(
    tape: Tape, request: BacktestRequest, settings: Settings, journal: JournalWriter | None = None
) -> BacktestRunner:
    """Everything made and compiled, nothing played yet. Raises: ConfigError, TapeError."""
    assumed = request.settings
    instrument = backtest_instrument(tape, assumed)
    spec = backtest_spec(settings, instrument, _start_ns(tape, assumed), assumed.seed)
    position_max: Decimal = settings.risk.position_notional_max
    return BacktestRunner(
        tape,
        spec,
        assumed,
        starting_balances(tape, instrument, assumed.balances, position_max),
        journal,
        is_watched=request.is_watched,
        models=champions_for(spec, instrument) if spec.models.enabled else None,
    )


def _start_ns(tape: Tape, assumed: BacktestSettings) -> int:
    """When the session begins: with the first row that is played. Raises: TapeError if there is none."""
    rows = next(tape.batches(assumed.start_ns, assumed.end_ns), None)
    if rows is None:
        raise TapeError(f"{tape.path}: expected frames in the range to be played, found none")
    stated = rows["ts_event_ns"] if assumed.by_event else rows["ts_recv_ns"]
    known = stated[stated > 0]
    return int(known[0]) if len(known) else 1


def _journalled(
    tape: Tape,
    request: BacktestRequest,
    settings: Settings,
    on_progress: Callable[[BacktestRunner], None] | None,
) -> tuple[BacktestResult, Session | None]:
    assert request.journal is not None, "only where a journal is wanted"
    assumed = request.settings
    spec = backtest_spec(
        settings, backtest_instrument(tape, assumed), _start_ns(tape, assumed), assumed.seed
    )
    section = settings.journal
    with JournalWriter(
        request.journal,
        spec,
        segment_bytes=section.segment_mib << 20,
        sync_ns=section.sync_ms * 1_000_000,
    ) as journal:
        return _run(prepare(tape, request, settings, journal), request, on_progress)


def _run(
    runner: BacktestRunner,
    request: BacktestRequest,
    on_progress: Callable[[BacktestRunner], None] | None,
) -> tuple[BacktestResult, Session | None]:
    runner.on_progress = on_progress
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    gc.freeze()  # what was made so far stays: no collection need look at it again
    try:
        runner.run()
    finally:
        gc.unfreeze()
    result = backtest_result(
        runner,
        wall_s=time.perf_counter() - wall_s,
        cpu_s=time.process_time() - cpu_s,
        overrides=request.swept,
    )
    known_by = request.journal or request.tape
    return result, None if runner.watch is None else runner.watch.session(known_by)
