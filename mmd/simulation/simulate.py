"""Seeds of whole systems with faults: run, judged, and shrunk to the fewest faults and the shortest time on failure."""

import hashlib
import multiprocessing
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Final

import msgspec
import structlog

from mmd.config import Settings, load
from mmd.core.units import NANOS_PER_SECOND
from mmd.simulation.fault import Fault, FaultKind, draw_faults
from mmd.simulation.invariants import InvariantError
from mmd.simulation.provenance import code_digest
from mmd.simulation.shrink import fewest
from mmd.simulation.trial import Process, Trial
from mmd.simulation.worlds import MarketPace, connections

ALL_FAULTS: Final = tuple(FaultKind)
DEFAULTS: Final[dict[str, object]] = {"risk.on_loss": "flatten", "hedge.route": "same"}
"""As in a stress test."""
SHRINK_RUNS_MAX: Final = 60
_NO_VENUE: Final[dict[str, object]] = {"venues.simulated.adapter": "binance_spot"}
_ERROR: Final = 40
Sabotage = Callable[[Process], None]


class SimulateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One seed's run."""

    seed: int
    seconds: float
    pace: MarketPace = MarketPace.USUAL
    kinds: tuple[FaultKind, ...] = ALL_FAULTS
    only: tuple[int, ...] | None = None
    """Numbers of the faults to keep; None: all that are drawn."""
    config: Path | None = None
    overrides: dict[str, object] = {}


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What the results of several seeds must share to be added up."""

    code: str
    """See `mmd.simulation.provenance`."""
    settings: str
    """A digest of the settings and of the faults that were asked for."""
    pace: MarketPace
    seconds: float

    def describe(self) -> str:
        """In a few words, for a person."""
        return f"code {self.code}, settings {self.settings}, {self.pace} pace, {self.seconds:g} s a seed"


class SimulateResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one seed."""

    seed: int
    conditions: Conditions
    simulated_s: float
    wall_s: float
    events: int
    orders: int
    fills: int
    crashes: int
    checks: int
    checks_at_rest: int
    guarded: int
    """How often a guardian confirmed that a venue held none of its daemon's orders."""
    worst_case_ratio_max: float
    cpu_s: float
    faults: dict[str, int]
    """How many began, by kind."""
    levels: tuple[str, ...]
    """The risk level of each daemon at the end."""
    rule: str = ""
    """What was broken; empty where all held."""
    broken: str = ""
    at_s: float = 0.0


class Reproduction(msgspec.Struct, frozen=True, kw_only=True):
    """The smallest run that was found to fail in the same way."""

    result: SimulateResult
    faults: tuple[Fault, ...]
    runs: int
    """How many runs it took to find it."""
    command: str
    """What to type to see it again."""


def quiet_log() -> None:
    """Say nothing of what the adapters say of faults: there are thousands."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(_ERROR))


def load_settings(request: SimulateRequest) -> Settings:
    """The daemon's settings for a request. Raises: ConfigError."""
    overrides = DEFAULTS | request.overrides
    return load(request.config, overrides if request.config else _NO_VENUE | overrides)


def conditions_of(request: SimulateRequest) -> Conditions:
    """What is the same for every seed of a run. Raises: ConfigError."""
    config = b"" if request.config is None else request.config.read_bytes()
    asked = msgspec.json.encode((request.overrides, request.kinds, request.only), order="sorted")
    return Conditions(
        code=code_digest(),
        settings=hashlib.sha256(config + b"\0" + asked).hexdigest()[:8],
        pace=request.pace,
        seconds=request.seconds,
    )


def faults_of(request: SimulateRequest) -> list[Fault]:
    """The faults of a run."""
    drawn = draw_faults(request.seed, request.seconds, request.kinds, connections(request.seed))
    return [f for f in drawn if request.only is None or f.number in request.only]


def run_seed(request: SimulateRequest, sabotage: Sabotage | None = None) -> SimulateResult:
    """Run one seed; what breaks ends it and stands in the result.

    Args:
        request: what to run.
        sabotage: called with each process before it connects; tests plant bugs by it.

    Raises:
        ConfigError: The settings are wrong.
    """
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    trial = Trial(
        load_settings(request), request.seed, faults_of(request), sabotage, pace=request.pace
    )
    rule = broken = ""
    try:
        trial.run(request.seconds)
    except InvariantError as error:
        rule, broken = error.rule, str(error)
    except Exception as error:  # noqa: BLE001 - a fault of the engine is what is looked for
        rule, broken = type(error).__name__, f"{type(error).__name__}: {error}"
    watched = [process.invariants for process in trial.processes]
    simulated_s = trial.world.elapsed_s
    return SimulateResult(
        seed=request.seed,
        conditions=conditions_of(request),
        simulated_s=simulated_s,
        wall_s=time.perf_counter() - began_s,
        events=trial.events,
        orders=sum(w.orders_sent for w in watched),
        fills=sum(w.fills for w in watched),
        crashes=sum(p.crashes for p in trial.processes),
        checks=sum(w.checks for w in watched),
        checks_at_rest=sum(w.checks_at_rest for w in watched),
        guarded=sum(w.guarded for w in watched),
        cpu_s=time.process_time() - began_cpu_s,
        worst_case_ratio_max=max(w.worst_case_ratio_max for w in watched),
        faults={kind.value: n for kind, n in trial.kinds.items()},
        levels=tuple(
            "" if p.trader is None else p.trader.engine.levels.level.name for p in trial.processes
        ),
        rule=rule,
        broken=broken,
        at_s=simulated_s if broken else 0.0,
    )


def run_seeds(
    requests: Iterable[SimulateRequest], jobs: int
) -> Generator[SimulateResult, None, None]:
    """Run one request after the other, `jobs` at a time; results come as they are done."""
    quiet_log()
    if jobs == 1:
        yield from map(run_seed, requests)
        return
    context = multiprocessing.get_context("spawn")
    waiting = iter(requests)
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=quiet_log) as pool:
        running: set[Future[SimulateResult]] = set()
        try:
            while True:
                while len(running) < jobs and (request := next(waiting, None)) is not None:
                    running.add(pool.submit(run_seed, request))
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            pool.shutdown(cancel_futures=True)


def shrink(
    request: SimulateRequest,
    failed: SimulateResult,
    sabotage: Sabotage | None = None,
    on_run: Callable[[int], None] | None = None,
) -> Reproduction:
    """Find the fewest faults, then the shortest time, that break the same rule."""
    runs = 0
    smallest, shortest = failed, request

    def fails(kept: tuple[Fault, ...], seconds: float) -> bool:
        nonlocal runs, smallest, shortest
        runs += 1
        if on_run is not None:
            on_run(runs)
        smaller = msgspec.structs.replace(
            request, only=tuple(f.number for f in kept), seconds=seconds
        )
        result = run_seed(smaller, sabotage)
        if result.rule != failed.rule:
            return False
        smallest, shortest = result, smaller
        return True

    happened = tuple(f for f in faults_of(request) if f.at_ns < failed.at_s * NANOS_PER_SECOND)
    kept = fewest(happened, lambda some: fails(some, request.seconds), SHRINK_RUNS_MAX)
    seconds = float(int(smallest.at_s) + 1)
    if seconds < request.seconds:
        fails(kept, seconds)
    return Reproduction(result=smallest, faults=kept, runs=runs, command=command_of(shortest))


def command_of(request: SimulateRequest) -> str:
    """The command line of one run."""
    words = [f"mmd simulate --first-seed {request.seed} --seeds 1 --seconds {request.seconds:g}"]
    if request.pace is not MarketPace.USUAL:
        words.append(f"--pace {request.pace}")
    if request.kinds != ALL_FAULTS:
        words.append(f"--faults {','.join(request.kinds)}")
    if request.only is not None:
        words.append(f"--only {','.join(map(str, request.only)) or 'none'}")
    if request.config is not None:
        words.append(f"--config {request.config}")
    words += [f"--set {key}={value}" for key, value in request.overrides.items()]
    return " ".join(words)
