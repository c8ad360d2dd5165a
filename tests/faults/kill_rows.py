"""kill -9 by itself at each named step that a running daemon comes to, and what the next one finds."""

from pathlib import Path

from mmd.journal.dying_journal import VARIABLE
from mmd.journal.kill_points import KillPoint, Phase
from tests.faults.alone_rows import AloneFamily, Run, Told, now_ns
from tests.faults.process_rows import restarted
from tests.faults.rig import rig

FAMILY = AloneFamily("kill -9")
_STEPS = (
    "reconciled",
    "private_up",
    "feed_up",
    "place",
    "accepted",
    "fill",
    "ended",
    "decision",
    "market",
    "timer",
)
_PHASES = (Phase.BEFORE, Phase.WRITTEN, Phase.DONE)
POINTS = [KillPoint(step, phase) for step in _STEPS for phase in _PHASES]
COUNTS = {"place": 3, "decision": 200, "market": 300, "timer": 30}
"""At how many they have come by then; the first, where nothing is said."""


def _run(point: KillPoint) -> Run:
    async def run(folder: Path) -> Told:
        async with rig(folder) as made:
            count = COUNTS.get(point.step, 1)
            async with made.started(waits=False, **{VARIABLE: f"{point.name}:{count}"}) as daemon:
                while daemon.process.returncode is None:
                    made.hit()
                    await made.pause()
                injected_ns = now_ns()
                done = await daemon.ended()
                assert done.code == 1, done.err
                assert "killed by signal 9" in done.err, done.err
            return await restarted(made, injected_ns, "restarted, reconciled, quotes again")

    return run


for _point in POINTS:
    FAMILY.row(f"at {_point.name}")(_run(_point))
