"""The journal on disk: round trips, rotation, torn tails, corruption."""

from pathlib import Path

import pytest

from mmd.core.commands import CancelAll, PlaceOrder
from mmd.core.events import Decision, OperatorAction, OperatorCommand, Timer
from mmd.core.market.record import DIFF, MARKET, pack, packed_view
from mmd.core.units import InstrumentId, Side, TimeInForce, client_order_id
from mmd.errors import JournalError
from mmd.jit.kernel import bind, new
from mmd.journal.format import HEAD, Kind, command_decoder, event_decoder
from mmd.journal.reader import latest_session, read_spec, records
from mmd.journal.writer import JournalWriter
from tests.session import session_spec

ZERO = InstrumentId(0)
EVENTS = [Timer(1), Decision(2, 1), OperatorCommand(3, OperatorAction.HALT, "test")]
COMMANDS = [
    PlaceOrder(ZERO, client_order_id(7, 1), Side.SELL, 10_001, 50, TimeInForce.POST_ONLY),
    CancelAll(ZERO),
]


def write(folder: Path, *, close: bool = True, times: int = 1) -> JournalWriter:
    writer = JournalWriter(folder, session_spec(), segment_bytes=1, sync_ns=10_000_000)
    for _ in range(times):
        for event in EVENTS:
            writer.event(event)
        for command in COMMANDS:
            writer.command(command)
    if close:
        writer.close()
    return writer


def segment(folder: Path, number: int = 1) -> Path:
    return folder / f"{number:06d}.mmdj"


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    """Header, events and commands, in order."""
    folder = tmp_path / "s"
    write(folder)
    found = list(records(folder))
    assert [r.kind for r in found] == [Kind.HEADER, *[Kind.EVENT] * 3, *[Kind.COMMAND] * 2]
    assert [event_decoder.decode(r.body) for r in found[1:4]] == EVENTS
    assert [command_decoder.decode(r.body) for r in found[4:]] == COMMANDS
    assert read_spec(folder) == session_spec()
    assert latest_session(tmp_path) == folder


def test_market_records_keep_their_packed_bytes(tmp_path: Path) -> None:
    """A market record is journalled as what `pack` made of it."""
    market = new(MARKET)
    market["kind"], market["last"], market["n"] = DIFF, 42, (1, 0)
    market["px"][0, 0, 0], market["sz"][0, 0, 0] = 10_000, 5
    packed = bytes(packed_view(market)[: bind(pack, market)(market)])
    with JournalWriter(tmp_path / "s", session_spec(), segment_bytes=1, sync_ns=10**7) as writer:
        writer.market(market)
    assert list(records(tmp_path / "s"))[1].body == packed


def test_segments_roll_and_each_starts_with_the_header(tmp_path: Path) -> None:
    """More than a segment holds goes on in the next, without a hole in the sequence."""
    folder = tmp_path / "s"
    write(folder, times=20_000)
    assert segment(folder, 2).exists()
    found = list(records(folder))
    assert [r.sequence for r in found] == list(range(1, len(found) + 1))
    heads = [r for r in found if r.kind is Kind.HEADER]
    assert len(heads) == len(list(folder.iterdir()))
    assert len(found) - len(heads) == 20_000 * 5


def test_a_killed_session_reads_up_to_its_last_record(tmp_path: Path) -> None:
    """Zero fill behind the last record is no error: the process died before it could cut it off."""
    folder = tmp_path / "s"
    writer = write(folder, close=False)
    assert len(list(records(folder))) == 6
    writer.close()


@pytest.mark.parametrize("kept", [1, HEAD.size - 1, HEAD.size, HEAD.size + 2])
def test_a_torn_last_record_is_dropped(tmp_path: Path, kept: int) -> None:
    """A record whose write never finished ends the journal; all before it stands."""
    folder = tmp_path / "s"
    write(folder)
    last = list(records(folder))[-1]
    data = segment(folder).read_bytes()
    segment(folder).write_bytes(data[: last.offset + kept])
    assert len(list(records(folder))) == 5


def test_a_corrupt_middle_is_refused_with_its_offset(tmp_path: Path) -> None:
    """One flipped bit before valid records is an error that says where, and the file stays."""
    folder = tmp_path / "s"
    write(folder)
    victim = list(records(folder))[2]
    data = bytearray(segment(folder).read_bytes())
    data[victim.offset + HEAD.size] ^= 1
    segment(folder).write_bytes(data)
    with pytest.raises(JournalError, match=f"offset {victim.offset}"):
        list(records(folder))
    assert segment(folder).read_bytes() == data


def test_a_zeroed_middle_is_refused(tmp_path: Path) -> None:
    """A hole of zeros before valid records is no end of the journal."""
    folder = tmp_path / "s"
    write(folder)
    found = list(records(folder))
    data = bytearray(segment(folder).read_bytes())
    data[found[2].offset : found[3].offset] = bytes(found[3].offset - found[2].offset)
    segment(folder).write_bytes(data)
    with pytest.raises(JournalError, match="hole"):
        list(records(folder))


def test_a_missing_segment_is_refused(tmp_path: Path) -> None:
    """Sequences must run on from segment to segment."""
    folder = tmp_path / "s"
    write(folder, times=40_000)
    segment(folder, 2).unlink()
    with pytest.raises(JournalError, match="missing"):
        list(records(folder))


def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    """Space is taken at the start of a segment, so the error comes then."""
    with pytest.raises(JournalError, match="free disk space"):
        JournalWriter(tmp_path / "s", session_spec(), segment_bytes=1 << 60, sync_ns=10**7)


def test_no_journal_is_one_clear_line(tmp_path: Path) -> None:
    """An empty folder, or none."""
    with pytest.raises(JournalError, match="holds no session"):
        latest_session(tmp_path)
    with pytest.raises(JournalError, match="holds no journal"):
        list(records(tmp_path))
