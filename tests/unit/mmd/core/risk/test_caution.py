"""Watchers that make us cautious: they raise at once, and give up only after a time of health."""

import pytest

from mmd.core.risk.caution import AdverseStreak, Caution, PositionDrift
from mmd.core.risk.levels import RiskLevel, RiskLevels
from mmd.core.risk.reasons import LevelReason

S = 1_000_000_000


def test_caution_lasts_until_it_has_been_well_for_the_hold():
    """A relapse starts the time of health anew."""
    levels = RiskLevels()
    clock = Caution(levels, LevelReason.CLOCK_OFFSET, 10 * S)
    assert not clock.on_time(1 * S, is_bad=False)
    assert clock.on_time(2 * S, is_bad=True)
    assert (levels.level, levels.reasons) == (RiskLevel.CAUTIOUS, (LevelReason.CLOCK_OFFSET,))
    clock.on_time(11 * S, is_bad=True)
    clock.on_time(20 * S, is_bad=False)
    assert levels.level is RiskLevel.CAUTIOUS
    clock.on_time(21 * S, is_bad=False)
    assert levels.level is RiskLevel.NORMAL


def test_adverse_fills_in_a_row_first_caution_then_reduce():
    """At the limit and at twice the limit, not before."""
    levels = RiskLevels()
    adverse = AdverseStreak(levels, streak_max=3, hold_ns=10 * S)
    seen = []
    for streak in range(7):
        adverse.on_streak(streak, streak * S)
        seen.append(levels.level.name)
    assert seen == ["NORMAL"] * 3 + ["CAUTIOUS"] * 3 + ["REDUCE_ONLY"]
    assert levels.reasons == (LevelReason.ADVERSE_STREAK,)


def test_a_streak_that_does_not_grow_is_over_after_the_hold():
    """At REDUCE_ONLY there may be no fill to end it; it is then to be counted from 0."""
    levels = RiskLevels()
    adverse = AdverseStreak(levels, streak_max=3, hold_ns=10 * S)
    adverse.on_streak(6, 1 * S)
    assert not adverse.on_streak(6, 10 * S)
    assert levels.level is RiskLevel.REDUCE_ONLY
    assert adverse.on_streak(6, 11 * S)
    assert levels.level is RiskLevel.NORMAL
    assert not adverse.on_streak(1, 12 * S)
    assert levels.level is RiskLevel.NORMAL


def test_a_streak_limit_of_0_is_off():
    """Nothing is raised, however long the row."""
    levels = RiskLevels()
    assert not AdverseStreak(levels, 0, S).on_streak(1_000, 5 * S)
    assert levels.level is RiskLevel.NORMAL


@pytest.mark.parametrize("sign", [1, -1])
def test_drift_of_a_reconciliation_counts_at_once_and_is_cleared_by_the_next(sign):
    """At the tolerance not yet; either way."""
    levels = RiskLevels()
    drift = PositionDrift(levels)
    assert not drift.on_reconciled(sign * 5, 5, 1)
    assert drift.on_reconciled(sign * 6, 5, 2)
    assert (levels.level, levels.reasons) == (
        RiskLevel.REDUCE_ONLY,
        (LevelReason.POSITION_DRIFT,),
    )
    drift.on_reconciled(0, 5, 3)
    assert levels.level is RiskLevel.NORMAL


def test_drift_of_a_balance_counts_only_when_it_lasts():
    """Its fill may come behind it; a balance never clears what a reconciliation raised."""
    levels = RiskLevels()
    drift = PositionDrift(levels, settle_ns=2 * S)
    drift.on_time(9, 5, 1 * S)
    drift.on_time(0, 5, 2 * S)
    drift.on_time(9, 5, 3 * S)
    assert not drift.on_time(9, 5, 5 * S - 1)
    assert drift.on_time(9, 5, 5 * S)
    drift.on_time(0, 5, 6 * S)
    assert levels.level is RiskLevel.REDUCE_ONLY
