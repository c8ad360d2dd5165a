"""A process that kills itself at a step: before its record, with it, or before the next."""

from pathlib import Path

import pytest

from mmd.core.commands import PlaceOrder
from mmd.core.events import Decision, Timer
from mmd.core.units import ClientOrderId, Side, TimeInForce
from mmd.errors import ConfigError
from mmd.journal.dying_journal import arm
from mmd.journal.format import Kind, event_decoder
from mmd.journal.reader import records
from mmd.journal.writer import JournalWriter
from tests.engine_bench import ZERO
from tests.session import session_spec


class DeadError(Exception):
    """In place of a kill."""


def die() -> None:
    raise DeadError


@pytest.mark.parametrize(
    ("point", "survived"),
    [
        ("timer:before:2", [Timer(1), Decision(2, 1)]),
        ("timer:written:2", [Timer(1), Decision(2, 1), Timer(3)]),
        ("timer:done:2", [Timer(1), Decision(2, 1), Timer(3)]),
        ("decision:before", [Timer(1)]),
    ],
)
def test_it_dies_where_it_was_told_to(point: str, survived: list, tmp_path: Path) -> None:
    """What the journal holds then is what the phase says."""
    folder = tmp_path / "s"
    journal = JournalWriter(folder, session_spec(), segment_bytes=1, sync_ns=10**9)
    arm(journal, point, die)
    written = iter((Timer(1), Decision(2, 1), Timer(3), Decision(4, 2)))
    with pytest.raises(DeadError):
        list(map(journal.event, written))
    journal.close()
    found = [event_decoder.decode(r.body) for r in records(folder) if r.kind is Kind.EVENT]
    assert found == survived


@pytest.mark.parametrize(
    ("point", "events", "commands"),
    [("decision:written", 1, 0), ("place:before", 1, 0), ("place:written", 1, 1)],
)
def test_an_order_that_brings_its_decision_is_two_steps(
    point: str, events: int, commands: int, tmp_path: Path
) -> None:
    """The driver hands both over at once; whatever decides for it puts nothing on record by itself."""
    folder = tmp_path / "s"
    journal = JournalWriter(folder, session_spec(), segment_bytes=1, sync_ns=10**9)
    arm(journal, point, die)
    order = PlaceOrder(ZERO, ClientOrderId(7), Side.BUY, 100, 5, TimeInForce.POST_ONLY)
    with pytest.raises(DeadError):
        journal.command(order, Decision(2, 1))
    journal.close()
    kinds = [r.kind for r in records(folder)]
    assert (kinds.count(Kind.EVENT), kinds.count(Kind.COMMAND)) == (events, commands)


@pytest.mark.parametrize("point", ["place:torn", "roll:done", "nonsense"])
def test_points_that_only_a_simulation_reaches_are_refused(point: str, tmp_path: Path) -> None:
    """Half a record is none that a process can write by itself."""
    journal = JournalWriter(tmp_path / "s", session_spec(), segment_bytes=1, sync_ns=10**9)
    with journal, pytest.raises(ConfigError, match="expected"):
        arm(journal, point, die)
