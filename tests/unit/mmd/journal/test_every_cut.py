"""A recorded journal cut and damaged at every byte of its last records: what is whole is read, and nothing else is."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from mmd.core.commands import PlaceOrder
from mmd.core.events import OrderAccepted
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import JournalError
from mmd.journal.format import HEAD, Kind, Record, command_decoder, event_decoder
from mmd.journal.reader import latest_session, read_spec, records, sessions_in
from mmd.journal.recovery import day_state, inventory_targets, last_new_order
from tests.replays import replayed
from tests.simulated_worlds import record_session

LAST = 3
"""Records of which every byte is tried."""
_FILL = bytes(4096)
"""What stands behind the last record of a process that was killed."""
_NAME = "000001.mmdj"


class Journal(NamedTuple):
    """A session's only segment and what is in it."""

    data: bytes
    records: list[Record]

    def end(self, count: int) -> int:
        """Where the first so many records end."""
        last = self.records[count - 1]
        return last.offset + HEAD.size + len(last.body)

    def to(self, count: int) -> "Journal":
        """The first so many records."""
        return Journal(self.data[: self.end(count)], self.records[:count])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    """A maker's session in a simulated market, with orders."""
    session = record_session(tmp_path_factory.mktemp("recorded"), seconds=0.5)
    return Journal((session / _NAME).read_bytes(), list(records(session)))


def is_order(record: Record) -> bool:
    """A new order's intent."""
    return record.kind is Kind.COMMAND and isinstance(
        command_decoder.decode(record.body), PlaceOrder
    )


def is_accepted(record: Record) -> bool:
    """The venue's word that an order of ours works."""
    return record.kind is Kind.EVENT and isinstance(
        event_decoder.decode(record.body), OrderAccepted
    )


def is_market(record: Record) -> bool:
    """A frame of market data."""
    return record.kind is Kind.MARKET


ENDS: dict[str, Callable[[Record], bool]] = {
    "order": is_order,
    "accepted": is_accepted,
    "market": is_market,
}


@pytest.fixture(scope="module", params=ENDS)
def journal(request: pytest.FixtureRequest, recorded: Journal) -> Journal:
    """The session up to the last order, acceptance or frame."""
    count = max(n for n, record in enumerate(recorded.records, 1) if ENDS[request.param](record))
    assert count > 10
    return recorded.to(count)


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """An empty session folder."""
    folder = tmp_path / "journal" / "s"
    folder.mkdir(parents=True)
    return folder


def last_bytes(journal: Journal) -> Iterator[tuple[int, int]]:
    """Every byte of the last records, and how many records are whole before it."""
    for count in range(len(journal.records) - LAST, len(journal.records)):
        for at in range(journal.records[count].offset, journal.end(count + 1)):
            yield at, count


def recovered(folder: Path) -> tuple[object, ...]:
    """All that the next process takes from a session."""
    spec = read_spec(folder)
    later_ns = spec.started_unix_ns + 60 * NANOS_PER_SECOND
    return inventory_targets(folder), last_new_order(folder), day_state([folder], later_ns, 0)


def test_a_journal_cut_at_any_byte_is_its_longest_whole_prefix(
    journal: Journal, session: Path
) -> None:
    """Cut off there, or followed by zero fill; recovery finds what it finds in the prefix, which replays."""
    expected: dict[int, tuple[object, ...]] = {}
    for count in range(len(journal.records) - LAST, len(journal.records) + 1):
        (session / _NAME).write_bytes(journal.to(count).data)
        expected[count] = recovered(session)
        assert replayed(session).divergence is None
    for at, whole in last_bytes(journal):
        for fill in (b"", _FILL):
            (session / _NAME).write_bytes(journal.data[:at] + fill)
            # a cut that takes only zeros away, which the fill puts back, takes nothing away
            is_same = fill and not any(journal.data[at : journal.end(whole + 1)])
            count = whole + bool(is_same)
            assert list(records(session)) == journal.records[:count], at
        assert recovered(session) == expected[count], at


@pytest.mark.parametrize("mask", [0x01, 0xFF])
def test_a_damaged_byte_ends_the_journal_or_is_refused(
    journal: Journal, session: Path, mask: int
) -> None:
    """In the last record: as if it had not been finished. Before that: the offset is told, nothing is dropped in silence."""
    last = len(journal.records) - 1
    for at, whole in last_bytes(journal):
        data = bytearray(journal.data + _FILL)
        data[at] ^= mask
        (session / _NAME).write_bytes(data)
        found: list[Record] = []
        if whole == last:
            found.extend(records(session))
        else:
            offset = journal.records[whole].offset
            with pytest.raises(JournalError, match=f"offset {offset}: .* restore"):
                found.extend(records(session))
        assert found == journal.records[:whole], at
        assert (session / _NAME).read_bytes() == data, "evidence stays"


def test_a_damaged_record_larger_than_a_page_does_not_hide_what_follows(
    recorded: Journal, session: Path
) -> None:
    """Every byte of the head in front of a long record, the length too."""
    long = max(range(1, 40), key=lambda n: len(recorded.records[n].body))
    data = recorded.to(long + 2).data
    for at in range(recorded.records[long].offset, recorded.records[long].offset + HEAD.size):
        (session / _NAME).write_bytes(data[:at] + bytes((data[at] ^ 0xFF,)) + data[at + 1 :])
        with pytest.raises(JournalError, match="others follow"):
            list(records(session))


def test_a_process_killed_before_its_first_record_leaves_no_session(
    recorded: Journal, session: Path
) -> None:
    """Whatever of the header was written: it did nothing, and the one before it is the latest."""
    before = session.parent / "a"
    before.mkdir()
    (before / _NAME).write_bytes(recorded.data)
    header = recorded.end(1)
    for at in (0, 1, 3, *range(4, header, 97), header - 1):
        for fill in (b"", _FILL):
            (session / _NAME).write_bytes(recorded.data[:at] + fill)
            assert latest_session(session.parent) == before, at
    (session / _NAME).write_bytes(recorded.data[:header])
    assert sessions_in(session.parent) == [before, session]


def test_a_zeroed_header_before_records_is_refused(recorded: Journal, session: Path) -> None:
    """That is no process that did nothing."""
    header = recorded.end(1)
    (session / _NAME).write_bytes(bytes(header) + recorded.data[header:])
    assert latest_session(session.parent) == session
    with pytest.raises(JournalError, match="hole"):
        read_spec(session)
