"""Prometheus families of the daemon's processes and of its journal."""

import time
from collections.abc import Iterator

from mmd.core.units import NANOS_PER_SECOND
from mmd.ops.family import Family, counter, gauge
from mmd.ops.histogram_metrics import histogram_family
from mmd.ops.process_use import ProcessState
from mmd.ops.state import State
from mmd.shell.clock import SystemClock

_OPS_STARTED_S = time.time()  # noqa: TID251 - of this process, for whoever counts its restarts


def process_metrics(state: State) -> Iterator[Family]:
    """Families of the daemon as a whole."""
    build = gauge("mmd_build_info", "1; what runs", labels=("version", "environment"))
    build.add_metric((state.version, state.environment), 1)
    yield build
    gauges = (
        ("mmd_ready", "1 while books are in sync and orders reconciled", float(state.ready)),
        ("mmd_uptime_seconds", "Time since the session began", state.uptime_s),
        (
            "mmd_engine_start_time_seconds",
            "When the session began, since 1970",
            round(state.taken_unix_s - state.uptime_s, 3),
        ),
        ("mmd_ops_start_time_seconds", "When this server began, since 1970", _OPS_STARTED_S),
        (
            "mmd_state_age_seconds",
            "Age of the engine's last picture; above a second it hangs",
            max(SystemClock().monotonic_ns() / NANOS_PER_SECOND - state.taken_monotonic_s, 0.0),
        ),
        ("mmd_journal_up", "1 while the journal can be written", float(state.journal_up)),
        (
            "mmd_journal_unsynced_bytes",
            "Journal that is not on the disk yet",
            state.journal_unsynced_bytes,
        ),
    )
    for name, text, value in gauges:
        yield gauge(name, text, value)
    yield counter("mmd_decisions", "Decisions taken", state.decisions)
    yield counter("mmd_journal_records", "Records appended", state.journal_records)
    yield counter("mmd_journal_bytes", "Bytes appended", state.journal_bytes)
    yield from _histograms(state)
    if state.process is not None:
        yield from _use(state.process)


def _histograms(state: State) -> Iterator[Family]:
    everything: tuple[str, ...] = ()
    yield histogram_family(
        "mmd_tick_to_order_seconds",
        "Bytes in to order bytes out",
        everything,
        [((), state.tick_to_order_us.histogram)],
    )
    yield histogram_family(
        "mmd_stage_seconds",
        "Time in each stage of the hot path",
        ("stage",),
        (((stage,), latency.histogram) for stage, latency in state.stages_us.items()),
    )
    yield histogram_family(
        "mmd_loop_lag_seconds",
        "Lateness of the event loop's timer",
        everything,
        [((), state.loop_lag_us.histogram)],
    )
    yield histogram_family(
        "mmd_journal_sync_seconds",
        "Bringing the journal to the disk",
        everything,
        [((), state.journal_sync)],
    )


def _use(process: ProcessState) -> Iterator[Family]:
    """What the engine process takes of its machine."""
    yield counter("mmd_engine_cpu_seconds", "Processor time of the engine process", process.cpu_s)
    gauges: tuple[tuple[str, str, int | None], ...] = (
        (
            "mmd_engine_memory_bytes",
            "Resident memory of the engine process",
            process.memory_bytes,
        ),
        ("mmd_engine_open_files", "Open files and sockets of it", process.open_files),
        ("mmd_engine_tasks", "Tasks of its event loop", process.tasks),
        (
            "mmd_journal_free_bytes",
            "Free space on the journal's disk",
            process.journal_free_bytes,
        ),
    )
    for name, text, value in gauges:
        if value is not None:
            yield gauge(name, text, value)
    yield histogram_family(
        "mmd_gc_pause_seconds",
        "Pauses of the engine for garbage collection",
        (),
        [((), process.collections)],
    )
