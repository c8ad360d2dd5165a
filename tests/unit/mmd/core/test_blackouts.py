"""Blackouts hold exactly in their spans, and their edges are where one looks next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.blackouts import DAY_S, WEEK_S, Blackout, BlackoutCalendar
from mmd.errors import ConfigError

S = 1_000_000_000


@pytest.mark.parametrize(
    ("period_s", "unix_s", "edges"),
    [
        (0, 99, (False, 100)),
        (0, 100, (True, 110)),
        (0, 109, (True, 110)),
        (0, 110, (False, None)),
        (DAY_S, 99, (False, 100)),
        (DAY_S, DAY_S + 105, (True, DAY_S + 110)),
        (DAY_S, DAY_S + 110, (False, 2 * DAY_S + 100)),
        (WEEK_S, DAY_S + 105, (False, WEEK_S + 100)),
        (WEEK_S, WEEK_S + 100, (True, WEEK_S + 110)),
    ],
)
def test_a_span_holds_from_its_start_to_before_its_end(period_s, unix_s, edges):
    """Once, daily and weekly, at their edges."""
    assert Blackout(start_s=100, duration_s=10, period_s=period_s).edges_s(unix_s) == edges


@given(st.integers(0, 10 * DAY_S), st.integers(1, DAY_S - 1), st.integers(0, 20 * DAY_S))
def test_nothing_changes_before_the_next_edge(start_s, duration_s, unix_s):
    """And it does change there."""
    daily = Blackout(start_s=start_s, duration_s=duration_s, period_s=DAY_S)
    holds, changes_s = daily.edges_s(unix_s)
    assert unix_s < changes_s <= unix_s + DAY_S
    assert daily.edges_s(changes_s - 1)[0] == holds
    assert daily.edges_s(changes_s)[0] != holds


@pytest.mark.parametrize("wrong", [{"duration_s": 0}, {"duration_s": DAY_S, "period_s": DAY_S}])
def test_a_span_that_is_empty_or_never_ends_is_refused(wrong):
    """It could not be entered, or not be left."""
    with pytest.raises(ConfigError, match="lunch"):
        Blackout(start_s=0, reason="lunch", **wrong)


def test_the_calendar_turns_unix_time_into_engine_time():
    """The first of overlapping spans is shown; between edges nothing needs to be looked at."""
    first = Blackout(start_s=100, duration_s=10, reason="a")
    second = Blackout(start_s=105, duration_s=20, reason="b")
    calendar = BlackoutCalendar((first, second), unix_less_engine_ns=40 * S)
    seen = []
    while calendar.next_ns < 2**62:
        at_ns = calendar.next_ns
        calendar.advance(at_ns)
        seen.append((at_ns // S, calendar.active and calendar.active.reason))
    assert seen == [(0, None), (60, "a"), (65, "a"), (70, "b"), (85, None)]


def test_without_blackouts_the_calendar_is_never_due():
    """The hot path compares with it on every decision."""
    assert BlackoutCalendar((), 0).next_ns == 2**63 - 1
