"""Every kill point in simulated worlds: each seed is a world whose daemon dies at one point after the other."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from mmd.core.units import NANOS_PER_SECOND
from mmd.journal.kill_points import KillPoint, Phase
from mmd.simulation.fault import FaultKind, draw_faults
from mmd.simulation.invariants import InvariantError
from mmd.simulation.kill_plan import KillPlan
from mmd.simulation.memory_journal import MemoryJournal
from mmd.simulation.simulate import SimulateRequest, load_settings, quiet_log
from mmd.simulation.trial import Trial
from mmd.simulation.worlds import Topology, connections, topology

_P = Phase
POINTS: Final = (
    *(
        KillPoint(step, phase)
        for step in ("place", "cancel", "accepted", "fill", "ended")
        for phase in _P
    ),
    *(KillPoint("amend", phase) for phase in (_P.TORN, _P.WRITTEN, _P.DONE)),
    *(KillPoint("reconciled", phase) for phase in _P),
    *(KillPoint("private_up", phase) for phase in (_P.BEFORE, _P.DONE)),
    *(KillPoint("feed_up", phase) for phase in (_P.TORN, _P.DONE)),
    *(KillPoint(step, _P.DONE) for step in ("private_down", "feed_down", "timed_out", "rejected")),
    *(KillPoint("query", phase) for phase in (_P.WRITTEN, _P.DONE)),
    *(KillPoint("status", phase) for phase in (_P.TORN, _P.DONE)),
    KillPoint("cancel_refused", _P.WRITTEN),
    KillPoint("decision", _P.WRITTEN),
    KillPoint("market", _P.TORN),
    KillPoint("timer", _P.BEFORE),
    KillPoint("roll", _P.BEFORE),
)
"""Where a daemon is killed."""
_RARE: Final = (
    FaultKind.REQUEST_LOST,
    FaultKind.ANSWER_LOST,
    FaultKind.ENTRY_DOWN,
    FaultKind.FEED_DOWN,
    FaultKind.REJECT,
    FaultKind.STREAM_LATE,
)
"""Faults that bring about the rarer steps."""
_LOOK_NS: Final = NANOS_PER_SECOND // 4
_DOWN_LOOKS: Final = 5
_PATIENCE_LOOKS: Final = 48
_SEGMENT_BYTES: Final = 96 << 10
_ARMED_AFTER: Final = 150
SECONDS: Final = 330.0


class Killed(NamedTuple):
    """What came of one seed."""

    seed: int
    reached: Counter[KillPoint]
    skipped: tuple[KillPoint, ...]
    crashes: int
    orders: int
    fills: int
    checks_at_rest: int
    broken: str
    """Empty where every invariant held, and everything came to rest."""


def seeds(count: int) -> list[int]:
    """Seeds of worlds with one daemon at one venue."""
    return [s for s in range(1, 3 * count + 1) if topology(s) == Topology(1, 1)]


def run_seed(seed: int, points: Sequence[KillPoint] = POINTS, seconds: float = SECONDS) -> Killed:
    """One world, through all points in an order of its own."""
    quiet_log()
    plan = KillPlan(random.Random(seed).sample(list(points), len(points)), _ARMED_AFTER)
    is_open = False
    trial = Trial(
        load_settings(SimulateRequest(seed=seed, seconds=seconds)),
        seed,
        draw_faults(seed, seconds, _RARE, connections(seed)),
        on_started=lambda _: plan.on_start(),
        journal_of=lambda spec: MemoryJournal(
            spec,
            dies_at=lambda step: plan(step) if is_open else None,
            segment_bytes=_SEGMENT_BYTES,
        ),
    )
    is_open = True
    (process,) = trial.processes
    looks_down = 0

    def look(_: object) -> None:
        """Bring a dead daemon back after a while; give up on points that do not come."""
        nonlocal looks_down
        trial.world.agenda.at(trial.world.agenda.now_ns + _LOOK_NS, look)
        looks_down = looks_down + 1 if process.trader is None else 0
        if looks_down >= _DOWN_LOOKS:
            trial.restart(process)
        elif process.trader is not None:
            plan.on_time(_PATIENCE_LOOKS)

    look(None)
    broken = ""
    try:
        trial.run(seconds)
    except InvariantError as error:
        broken = f"{error.rule}: {error}"
    watched = process.invariants
    return Killed(
        seed,
        plan.reached,
        tuple(plan.skipped),
        process.crashes,
        watched.orders_sent,
        watched.fills,
        watched.checks_at_rest,
        broken,
    )
