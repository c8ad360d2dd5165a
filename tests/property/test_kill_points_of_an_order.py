"""A few points of the crash table: `make crash-table` has all of them, and twenty seeds."""

from mmd.journal.kill_points import KillPoint, Phase
from tests.crash_table.simulated import run_seed

POINTS = [
    KillPoint("place", Phase.WRITTEN),
    KillPoint("accepted", Phase.TORN),
    KillPoint("cancel", Phase.DONE),
    KillPoint("reconciled", Phase.DONE),
]


def test_nothing_is_lost_at_a_few_points() -> None:
    """Every invariant holds through four crashes, and after them everything comes to rest."""
    killed = run_seed(3, POINTS, seconds=30.0)
    assert killed.broken == ""
    assert killed.crashes == sum(killed.reached.values()) >= 3
    assert killed.orders > 20
    assert killed.checks_at_rest > 20
