"""Market data that comes faster than the limit makes cautious, for a time beyond its end."""

import pytest

from mmd.core.risk.levels import RiskLevel, RiskLevels
from mmd.core.risk.message_storm import MessageStorm
from mmd.core.risk.reasons import LevelReason
from tests.session import risk

S = 1_000_000_000


def watched(per_s_max: int = 100, hold_s: int = 5) -> tuple[MessageStorm, RiskLevels]:
    levels = RiskLevels()
    spec = risk(feed_messages_per_s_max=per_s_max, caution_hold_ms=1_000 * hold_s)
    return MessageStorm(levels.of(0), spec), levels


@pytest.mark.parametrize(
    ("came", "elapsed_s", "level"),
    [(100, 1, "NORMAL"), (101, 1, "CAUTIOUS"), (300, 3, "NORMAL"), (301, 3, "CAUTIOUS")],
)
def test_more_than_the_limit_a_second_is_a_storm(came: int, elapsed_s: int, level: str) -> None:
    """Over the time that has passed: a step may come late."""
    storm, levels = watched()
    storm.on_step(10**6, S)
    storm.on_step(10**6 + came, (1 + elapsed_s) * S)
    assert levels.level.name == level
    assert storm.per_s == came / elapsed_s


def test_the_first_look_says_nothing() -> None:
    """What came before it came in nobody knows what time."""
    storm, levels = watched()
    assert not storm.on_step(10**6, S)
    assert (levels.level, storm.per_s) == (RiskLevel.NORMAL, 0.0)


def test_caution_ends_after_a_time_without_a_storm() -> None:
    """Each second of storm begins it anew."""
    storm, levels = watched(hold_s=5)
    seen, messages = [], 0
    for second, came in enumerate((0, 50, 500, 50, 500, 50, 50, 50, 50, 50), start=1):
        messages += came
        storm.on_step(messages, second * S)
        seen.append(levels.level.name)
    assert seen == ["NORMAL"] * 2 + ["CAUTIOUS"] * 7 + ["NORMAL"]
    assert [change.reason for change in levels.history] == [LevelReason.MESSAGE_STORM, None]


def test_without_a_limit_there_is_no_storm() -> None:
    """As in sessions recorded before there was one."""
    storm, levels = watched(per_s_max=0)
    for second in range(1, 4):
        storm.on_step(second * 10**9, second * S)
    assert levels.level is RiskLevel.NORMAL


def test_steps_taken_elsewhere_are_followed() -> None:
    """The next one counts from the last of them."""
    storm, levels = watched()
    storm.on_step(0, S)
    storm.follow(900, 10 * S)
    storm.on_step(950, 11 * S)
    assert (levels.level, storm.per_s) == (RiskLevel.NORMAL, 50.0)
