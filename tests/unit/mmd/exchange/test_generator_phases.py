"""Phases: when they hold, repeat and bring news."""

import pytest

from mmd.exchange.generator_phases import NEUTRAL, Phase, PhaseSchedule

CRASH = Phase(start_s=60.0, length_s=8.0, every_s=180.0, markets=5.0, jump_bps=-100.0)
LATER = Phase(start_s=64.0, length_s=20.0, limits=0.5)


@pytest.mark.parametrize(
    ("elapsed_s", "expected"),
    [(0.0, NEUTRAL), (60.0, CRASH), (67.9, CRASH), (68.0, LATER), (84.0, NEUTRAL), (241.0, CRASH)],
)
def test_the_first_listed_phase_holds_and_repeats(elapsed_s: float, expected: Phase) -> None:
    """Overlaps go to the first one; a phase without a period comes once."""
    assert PhaseSchedule((CRASH, LATER)).at(elapsed_s) is expected


def test_news_comes_once_at_each_start() -> None:
    """Summed over a grid of steps that covers three starts."""
    schedule = PhaseSchedule((CRASH, LATER))
    assert sum(schedule.jump_bps(k / 20, 0.05) for k in range(20 * 480)) == -300.0


def test_bounds_cover_every_phase_and_the_time_between() -> None:
    """Candidates must come as fast as the wildest moment needs."""
    schedule = PhaseSchedule((CRASH, LATER))
    assert (schedule.markets_max, schedule.limits_max, schedule.cancels_max) == (5.0, 1.0, 1.0)
