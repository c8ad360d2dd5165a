"""A day rolls where the settings say."""

from mmd.core.trading_day import begin_of, day_of

NS = 1_000_000_000


def test_the_day_rolls_at_its_start():
    """One nanosecond earlier it is still the day before; the start moves by the setting."""
    assert day_of(86_400 * NS, 0) == 1
    assert day_of(86_400 * NS - 1, 0) == 0
    assert day_of((86_400 + 3_600) * NS - 1, 3_600) == 0
    assert day_of((86_400 + 3_600) * NS, 3_600) == 1


def test_a_day_begins_at_its_first_nanosecond():
    """`begin_of` is where `day_of` changes."""
    for day, starts_s in ((0, 0), (20_000, 0), (20_000, 3_600), (1, 86_399)):
        begin_ns = begin_of(day, starts_s)
        assert day_of(begin_ns, starts_s) == day
        assert day_of(begin_ns - 1, starts_s) == day - 1
