"""A process that stands still does nothing, and then everything in the order in which it fell due."""

from mmd.simulation.agenda import Agenda
from mmd.simulation.process_time import ProcessTime


def test_what_falls_due_meanwhile_waits_in_order() -> None:
    """The rest of the world goes on."""
    agenda = Agenda(0)
    time, done = ProcessTime(agenda), []

    def do(what: str) -> None:
        done.append((agenda.now_ns, what))

    agenda.at(10, lambda _: time.stop(100))
    time.at(5, do, "before")
    time.at(30, do, "second")
    time.at(20, do, "first")
    agenda.at(25, do, "elsewhere")
    time.at(150, do, "after")
    agenda.run(50)
    assert time.is_stopped
    agenda.run(200)
    assert done == [
        (5, "before"),
        (25, "elsewhere"),
        (100, "first"),
        (100, "second"),
        (150, "after"),
    ]
    assert time.now_ns == 200
    assert not time.is_stopped
