"""A day rolls where the settings say."""

from mmd.core.trading_day import day_of

NS = 1_000_000_000


def test_the_day_rolls_at_its_start():
    """One nanosecond earlier it is still the day before; the start moves by the setting."""
    assert day_of(86_400 * NS, 0) == 1
    assert day_of(86_400 * NS - 1, 0) == 0
    assert day_of((86_400 + 3_600) * NS - 1, 3_600) == 0
    assert day_of((86_400 + 3_600) * NS, 3_600) == 1
