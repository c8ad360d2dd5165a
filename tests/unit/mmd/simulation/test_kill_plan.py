"""A process dies at the step whose turn it is, and its journal then holds what the phase says."""

from pathlib import Path

import pytest

from mmd.core.events import Decision, Timer
from mmd.journal.kill_points import KillPoint, Phase
from mmd.journal.reader import records
from mmd.simulation.kill_plan import KillPlan
from mmd.simulation.memory_journal import KilledError, MemoryJournal
from tests.session import session_spec

TIMER_EVENT = Timer(5)


@pytest.mark.parametrize(
    ("phase", "written"),
    [(Phase.BEFORE, 0), (Phase.TORN, 0), (Phase.WRITTEN, 1), (Phase.DONE, 1)],
)
def test_each_phase(phase: Phase, written: int, tmp_path: Path) -> None:
    """The record is there from WRITTEN on; with DONE the process lives until it would write the next."""
    plan = KillPlan([KillPoint("timer", phase)], armed_after=0)
    journal = MemoryJournal(session_spec(), dies_at=plan)
    journal.event(Decision(1, 1))
    if phase is Phase.DONE:
        journal.event(TIMER_EVENT)
    with pytest.raises(KilledError):
        journal.event(TIMER_EVENT if phase is not Phase.DONE else Decision(6, 2))
    assert journal.is_dead
    assert plan.is_done
    journal.save(tmp_path / "session")
    found = list(records(tmp_path / "session"))
    assert len(found) == 2 + written, "header, decision, and the step"


def test_points_wait_their_turn_and_make_way() -> None:
    """Not before so many records; one that does not come is left out after a while."""
    points = [KillPoint("fill", Phase.BEFORE), KillPoint("timer", Phase.BEFORE)]
    plan = KillPlan(points, armed_after=2)
    assert [plan("timer") for _ in range(5)] == [None] * 5, "it is the fill's turn"
    for _ in range(4):
        plan.on_time(3)
    assert plan.skipped == points[:1]
    assert plan("timer") == 0.0
    plan = KillPlan(points[1:], armed_after=2)
    plan.on_start()
    assert [plan("timer") for _ in range(3)] == [None, None, 0.0]
