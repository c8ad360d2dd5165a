"""Virtual time jumps from entry to entry and never back."""

from mmd.simulation.agenda import Agenda


def test_entries_happen_in_order_of_time_and_then_of_making():
    """Two entries of one moment keep the order in which they were made."""
    agenda, seen = Agenda(100), []
    agenda.at(300, seen.append, "late")
    agenda.at(200, seen.append, "first of two")
    agenda.at(200, seen.append, "second of two")
    agenda.run(1_000)
    assert seen == ["first of two", "second of two", "late"]
    assert agenda.now_ns == 1_000


def test_what_is_due_later_waits():
    """`run` stops at its end, and the next call goes on from there."""
    agenda, seen = Agenda(0), []
    agenda.at(10, seen.append, 10)
    agenda.at(20, seen.append, 20)
    agenda.run(15)
    assert seen == [10]
    agenda.run(25)
    assert seen == [10, 20]


def test_an_entry_for_the_past_is_now():
    """The clock never goes back."""
    agenda, times = Agenda(0), []
    agenda.at(50, lambda _: agenda.at(10, lambda _: times.append(agenda.now_ns)))
    agenda.run(60)
    assert times == [50]
