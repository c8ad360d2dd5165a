"""Settings of risk control: blackouts in people's words, and the engine's form of the rest."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from mmd.config_risk import BlackoutSection, RiskSection
from mmd.core.blackouts import DAY_S, WEEK_S, Blackout

MONDAY_S = 1_767_571_200
"""2026-01-05 00:00 UTC."""


@pytest.mark.parametrize(
    ("fields", "span"),
    [
        ({"start": "2026-01-05T01:00:00Z", "duration_s": 60}, (MONDAY_S + 3_600, 60, 0)),
        (
            {"start": "2026-01-05T02:00:00+01:00", "end": "2026-01-05T01:00:30Z"},
            (MONDAY_S + 3_600, 30, 0),
        ),
        ({"every": "day", "start": "23:30", "end": "00:30"}, (23 * 3_600 + 1_800, 3_600, DAY_S)),
    ],
)
def test_a_blackout_in_unix_seconds(fields, span):
    """Once with its zone, daily over midnight; with an end or a duration."""
    made = BlackoutSection(**fields).spec()
    assert (made.start_s, made.duration_s, made.period_s) == span


@pytest.mark.parametrize(("day", "offset"), [("monday", 0), ("thursday", 3), ("sunday", 6)])
def test_a_weekly_blackout_falls_on_its_day(day, offset):
    """In every week."""
    made = BlackoutSection(every=day, start="12:00", duration_s=60).spec()
    noon_s = MONDAY_S + offset * DAY_S + 12 * 3_600
    for week in range(3):
        assert made.edges_s(noon_s + week * WEEK_S) == (True, noon_s + week * WEEK_S + 60)
        assert not made.edges_s(noon_s + week * WEEK_S + DAY_S)[0]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"start": "12:00", "duration_s": 60}, "expected a date and time"),
        ({"every": "day", "start": "2026-01-05T01:00:00Z", "duration_s": 60}, "else HH:MM"),
        ({"every": "day", "start": "12:00"}, "one of duration_s and end"),
        ({"every": "day", "start": "12:00", "duration_s": 6, "end": "12:30"}, "one of duration_s"),
        ({"every": "day", "start": "12:00", "end": "12:00"}, "at least a second"),
        ({"every": "day", "start": "12:00", "duration_s": DAY_S}, "comes again"),
        ({"start": "2026-01-05T01:00:00Z", "end": "2026-01-05T00:00:00Z"}, "at least a second"),
        ({"start": "2026-01-05T01:00:00Z", "end": "2026-01-05T02:00:00"}, "its zone"),
        ({"start": "2026-13-05T01:00:00Z", "duration_s": 1}, "month"),
        ({"every": "noon", "start": "12:00", "duration_s": 1}, "'monday'"),
    ],
)
def test_what_is_no_span_is_refused(fields, says):
    """With what was expected."""
    with pytest.raises(ValidationError, match=says):
        BlackoutSection(**fields)


def test_the_engines_form():
    """Nanoseconds, seconds of the day, atoms of nothing lost."""
    spec = RiskSection(
        clock_offset_ms_max=7,
        feed_latency_ms_max=8,
        caution_hold_ms=9,
        private_down_ms=10,
        backoff_ms_max=11,
        adverse_horizon_s="0.1",
        day_starts="22:30",
        exposure_gross_max=Decimal("12.5"),
        blackouts=[{"every": "day", "start": "00:01", "duration_s": 5, "reason": "roll"}],
    ).spec()
    assert (spec.clock_offset_ns_max, spec.feed_latency_ns_max) == (7_000_000, 8_000_000)
    assert (spec.caution_hold_ns, spec.private_down_ns) == (9_000_000, 10_000_000)
    assert spec.backoff_ns_max == 11_000_000
    assert (spec.adverse_horizon_ns, spec.day_starts_s) == (100_000_000, 81_000)
    assert (spec.exposure_gross_max, spec.venue_net_max) == (Decimal("12.5"), None)
    assert spec.blackouts == (Blackout(start_s=60, duration_s=5, period_s=DAY_S, reason="roll"),)


def test_venues_have_budgets_of_their_own_and_may_differ() -> None:
    """What is not said of a venue is as everywhere."""
    section = RiskSection(orders_per_10s=50, venues={"embedded": {"orders_per_day": 9}})
    spec = section.spec()
    assert spec.budgets_by_venue
    (own,) = spec.venue_budgets
    assert (own.venue, own.orders_per_10s, own.orders_per_day) == ("embedded", 50, 9)
    assert own.messages_per_minute == spec.messages_per_minute
