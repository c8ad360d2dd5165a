"""Alarms widen and shrink first, stop learning last, and calm returns step by step."""

from mmd.core.learned.drift_response import RESPONSES, DriftLevel, DriftWatch


def test_levels_only_get_more_careful() -> None:
    """Within what models may ask for: spread at most 1.5 times, size at least 0.7."""
    levels = [RESPONSES[level] for level in DriftLevel]
    assert [r.spread for r in levels] == sorted(r.spread for r in levels)
    assert [r.size for r in levels] == sorted((r.size for r in levels), reverse=True)
    assert levels[0] == RESPONSES[DriftLevel.CALM]
    assert levels[-1].spread <= 1.5
    assert levels[-1].size >= 0.7
    assert RESPONSES[DriftLevel.CAUTIOUS].learns
    assert not levels[-1].learns


def test_up_with_alarms_down_with_time() -> None:
    """One level each; alarms close together count once."""
    watch = DriftWatch(hold_ns=100, spacing_ns=10)
    assert watch.alarm(1_000)
    assert not watch.alarm(1_005)
    assert watch.level == DriftLevel.CAUTIOUS
    assert watch.alarm(1_020)
    assert watch.alarm(1_040)
    assert not watch.alarm(1_060)
    assert (watch.level, watch.alarms) == (DriftLevel.DISTRUSTFUL, 5)
    assert not watch.pass_time(1_159)
    assert watch.pass_time(1_160)
    assert watch.level == DriftLevel.DEFENSIVE
    assert not watch.pass_time(1_259)
    assert watch.pass_time(1_260)
    assert watch.pass_time(1_360)
    assert watch.level == DriftLevel.CALM
    assert not watch.pass_time(9_999)
