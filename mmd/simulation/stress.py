"""Stress tests: the daemon's engine in each bad market, for several seeds, held against its bounds."""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import msgspec

from mmd.calibration.catalogue import find_preset
from mmd.config import Settings, load
from mmd.exchange.stress_presets import STRESS
from mmd.journal.writer import JournalWriter
from mmd.simulation.invariants import InvariantError
from mmd.simulation.result import StressResult, stress_result
from mmd.simulation.scenario import Scenario, ScenarioSettings, scenario_spec

PRESETS = tuple(STRESS)
EXPECTED_WITHDRAWALS: dict[str, frozenset[str]] = {
    "flash_crash": frozenset({"VOLATILITY", "RISK"}),
    "feed_outage": frozenset({"BOOK_STALE"}),
}
"""Where quotes must have been withdrawn at least once, for one of these reasons."""
DEFAULTS: dict[str, object] = {"risk.on_loss": "flatten", "hedge.route": "same"}
"""A stress test ends a loss by closing the position (halted, it would go on with the market), and hedges."""
_NO_VENUE: dict[str, object] = {"venues.simulated.adapter": "binance_spot"}
"""Settings demand a venue; a simulated one needs none of an adapter's settings."""
_SEGMENT_BYTES = 64 << 20
_SYNC_NS = 10**9


class StressRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to run."""

    preset: str
    seed: int
    assumed: ScenarioSettings = ScenarioSettings()
    seconds: float = 600.0
    config: Path | None = None
    overrides: dict[str, object] = {}
    """Settings by dotted key, as given on the command line."""
    journal: Path | None = None
    """A folder in which each run gets one of its own."""


def load_settings(request: StressRequest) -> Settings:
    """The daemon's settings for a request. Raises: ConfigError."""
    overrides = DEFAULTS | request.overrides
    return load(request.config, overrides if request.config else _NO_VENUE | overrides)


def run_stress(request: StressRequest) -> StressResult:
    """Run one; a broken invariant ends it and stands in the result.

    Raises:
        ConfigError: The settings or the preset are wrong.
        JournalError: The journal cannot be written.
    """
    settings, preset = load_settings(request), find_preset(request.preset)
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    broken = ""
    with ExitStack() as stack:
        journal = None
        if request.journal is not None:
            folder = request.journal / f"{Path(request.preset).stem}-{request.seed}"
            spec = scenario_spec(settings, preset, request.seed, request.assumed)
            journal = stack.enter_context(
                JournalWriter(folder, spec, segment_bytes=_SEGMENT_BYTES, sync_ns=_SYNC_NS)
            )
        at = Scenario(settings, preset, request.seed, request.assumed, journal)
        try:
            at.world.run(request.seconds)
        except InvariantError as error:
            broken = str(error)
    return stress_result(
        at,
        request.preset,
        request.seed,
        expected=EXPECTED_WITHDRAWALS.get(request.preset, frozenset()),
        broken=broken,
        wall_s=time.perf_counter() - wall_s,
        cpu_s=time.process_time() - cpu_s,
    )


def run_all(
    requests: Sequence[StressRequest],
    jobs: int,
    on_done: Callable[[StressResult], None] | None = None,
) -> list[StressResult]:
    """Run every request, `jobs` at a time; results come in the order of the requests."""
    if jobs == 1 or len(requests) == 1:
        return [_told(run_stress(request), on_done) for request in requests]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(requests)), mp_context=context) as pool:
        futures = [pool.submit(run_stress, request) for request in requests]
        try:
            return [_told(future.result(), on_done) for future in futures]
        finally:
            pool.shutdown(cancel_futures=True)


def _told(result: StressResult, on_done: Callable[[StressResult], None] | None) -> StressResult:
    if on_done is not None:
        on_done(result)
    return result
