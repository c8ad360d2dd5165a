"""`mmd journal`: a recorded session for people and programs."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mmd.cli.main import app
from mmd.errors import JournalError
from mmd.journal.reader import records
from mmd.journal.writer import JournalWriter
from tests.driver_bench import DriverBench
from tests.ops_state import obey_all
from tests.session import session_spec


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A journal folder with one session: six orders, one fill."""
    with JournalWriter(
        tmp_path / "20260101T000000-1", session_spec(), segment_bytes=1, sync_ns=10**7
    ) as journal:
        bench = DriverBench(journal=journal)
        bench.start()
        bench.driver.stop()
        bench.bring_up()
        obey_all(bench)
        bench.fill(next(iter(bench.open)))
    return tmp_path


def mmd(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["journal", *map(str, arguments)])


async def test_show_prints_one_object_a_record(folder: Path) -> None:
    """The header first; market records by their head."""
    rows = [json.loads(line) for line in mmd("show", folder).stdout.splitlines()]
    session = folder / "20260101T000000-1"
    assert [row["sequence"] for row in rows] == [r.sequence for r in records(session)]
    assert rows[0]["kind"] == "Header"
    assert rows[0]["instruments"][0]["symbol"] == "MMDUSDT"
    market = next(row for row in rows if row["kind"] == "Snapshot")
    assert (market["bids"], market["asks"], market["last"]) == (30, 30, 101)
    assert {"FeedUp", "Reconciled", "Decision", "PlaceOrder", "OrderAccepted", "Fill"} <= {
        r["kind"] for r in rows
    }


async def test_show_selects_and_stops(folder: Path) -> None:
    """By kind, and after so many."""
    rows = [
        json.loads(line)
        for line in mmd("show", folder, "--kind", "PlaceOrder", "--limit", "2").stdout.splitlines()
    ]
    assert [row["kind"] for row in rows] == ["PlaceOrder"] * 2
    assert mmd("show", folder, "--kind", "NoSuchKind").stdout == ""


async def test_verify_counts(folder: Path) -> None:
    """For people and as JSON; the session's own folder works as well as its parent."""
    session = folder / "20260101T000000-1"
    found = json.loads(mmd("verify", session, "--json").stdout)
    assert found["records"] == len(list(records(session)))
    assert found["kinds"]["PlaceOrder"] == 6
    assert found["session"] == session.name
    assert f"{found['records']} records verify" in mmd("verify", folder).stdout


async def test_replay_says_equal(folder: Path) -> None:
    """With how many commands were compared."""
    assert "byte-equal commands" in mmd("replay", folder).stdout
    found = json.loads(mmd("replay", folder, "--json").stdout)
    assert (found["equal"], found["commands"]) == (True, 6)


async def test_what_does_not_verify_is_a_journal_error(folder: Path) -> None:
    """With segment and offset; the commands before it are not claimed to be fine."""
    session = folder / "20260101T000000-1"
    victim = list(records(session))[3]
    segment = session / victim.segment
    data = bytearray(segment.read_bytes())
    data[victim.offset + 20] ^= 1
    segment.write_bytes(data)
    for command in ("show", "verify", "replay"):
        done = mmd(command, folder)
        assert isinstance(done.exception, JournalError)
        assert f"offset {victim.offset}" in str(done.exception)


def test_no_session_is_a_journal_error(tmp_path: Path) -> None:
    """It says what to do."""
    error = mmd("verify", tmp_path).exception
    assert isinstance(error, JournalError)
    assert "run `mmd run` first" in str(error)
