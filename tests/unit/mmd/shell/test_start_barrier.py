"""The first quote waits for the last venue: nothing else does."""

from mmd.core.events import PrivateDown, PrivateUp, Timer
from mmd.shell.start_barrier import StartBarrier


def test_the_first_reports_come_together() -> None:
    """Each venue's PrivateUp is held back until the last one's; all other events pass at once."""
    told: list[object] = []
    barrier = StartBarrier(["one", "two"], told.append)
    up_one, up_two = PrivateUp(1, "one"), PrivateUp(3, "two")
    barrier.on_event(up_one)
    barrier.on_event(Timer(2))
    assert told == [Timer(2)]
    barrier.on_event(up_two)
    assert told == [Timer(2), up_one, up_two]
    barrier.on_event(again := PrivateUp(4, "one"))
    assert told[-1] is again


def test_who_went_down_meanwhile_is_not_told_to_be_up() -> None:
    """It has taken back its left-overs, and reports again when it is back."""
    told: list[object] = []
    barrier = StartBarrier(["one", "two"], told.append)
    down, up_two, back = PrivateDown(2, "one", "reset"), PrivateUp(3, "two"), PrivateUp(4, "one")
    barrier.on_event(PrivateUp(1, "one"))
    for event in (down, up_two, back):
        barrier.on_event(event)
    assert told == [down, up_two, back]


def test_a_venue_that_trades_alone_waits_for_nobody() -> None:
    """The others only observe."""
    told: list[object] = []
    StartBarrier(["one"], told.append).on_event(PrivateUp(1, "one"))
    assert told == [PrivateUp(1, "one")]
