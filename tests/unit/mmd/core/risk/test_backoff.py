"""Refusals without trial lengthen the wait at their venue, and at no other."""

from mmd.core.risk.backoff import BACKOFF_NS_MIN, Backoff

MS = 1_000_000


def waits(backoff: Backoff, now_ns: int, times: int) -> list[int]:
    """How long each wait is where the first request after each is turned away again."""
    lengths = []
    for _ in range(times):
        backoff.on_turned_away(0, now_ns)
        began_ns = now_ns
        while backoff.is_waiting(0, now_ns):
            now_ns += MS
        lengths.append((now_ns - began_ns) // MS)
    return lengths


def test_the_wait_doubles_up_to_the_longest() -> None:
    """From 50 ms to the setting."""
    assert BACKOFF_NS_MIN == 50 * MS
    assert waits(Backoff(300 * MS), 7, 5) == [50, 100, 200, 300, 300]


def test_refusals_of_one_decision_are_one() -> None:
    """What was on its way together is turned away together."""
    backoff = Backoff(1_000 * MS)
    for late_ns in range(4):
        backoff.on_turned_away(0, late_ns)
    assert backoff.is_waiting(0, BACKOFF_NS_MIN - 1)
    assert not backoff.is_waiting(0, BACKOFF_NS_MIN)


def test_after_a_quiet_while_it_begins_anew() -> None:
    """A refusal of long ago says nothing of this one."""
    backoff = Backoff(1_000 * MS)
    assert waits(backoff, 0, 3) == [50, 100, 200]
    assert waits(backoff, 10_000 * MS, 1) == [50]


def test_venues_wait_for_themselves_and_none_where_it_is_off() -> None:
    """0 is how sessions without the setting behave."""
    backoff = Backoff(1_000 * MS)
    backoff.on_turned_away(1, 0)
    assert backoff.is_waiting(1, 1)
    assert not backoff.is_waiting(0, 1)
    off = Backoff(0)
    off.on_turned_away(0, 0)
    assert not off.is_waiting(0, 0)
