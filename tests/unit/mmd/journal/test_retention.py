"""Closed segments are compressed and stay readable; old sessions go, those that a restart needs stay."""

from pathlib import Path

import pytest

from mmd.errors import JournalError
from mmd.journal.format import COMPRESSED
from mmd.journal.reader import records, segments, session_at, size_on_disk
from mmd.journal.retention import tidy
from mmd.journal.writer import JournalWriter
from tests.order_events import fill
from tests.session import session_spec

_DAY_NS = 86_400 * 10**9
_NOW_NS = 100 * _DAY_NS
_FILLS = 40_000


def _session(
    folder: Path, name: str, *, day: int, environment: str = "embedded", n: int = 1
) -> Path:
    """A session of n fills that ended in order, in segments of a mebibyte."""
    spec = session_spec(started_unix_ns=day * _DAY_NS, environment=environment)
    with JournalWriter(folder / name, spec, segment_bytes=1, sync_ns=10**7) as journal:
        for trade_id in range(n):
            journal.event(fill(1, trade_id, 1))
    return folder / name


def test_closed_segments_are_compressed_and_read_as_before(tmp_path: Path) -> None:
    """All but the one that may be written to; the second time there is nothing to do."""
    old = _session(tmp_path, "1", day=98, n=_FILLS)
    live = _session(tmp_path, "2", day=99, n=_FILLS)
    before = {s: list(records(s)) for s in (old, live)}
    size = size_on_disk(old) + size_on_disk(live)
    done = tidy(tmp_path, _NOW_NS, compress=True)
    plain = [p for s in (old, live) for p in segments(s) if not p.name.endswith(COMPRESSED)]
    assert plain == [segments(live)[-1]]
    assert done.compressed == len(segments(old)) + len(segments(live)) - 1 >= 3
    assert size - done.saved_bytes == size_on_disk(old) + size_on_disk(live) < size / 2
    for session, was in before.items():
        now = list(records(session))
        assert [r[:3] for r in now] == [r[:3] for r in was]
    assert all(p.stat().st_mode & 0o777 == 0o600 for p in segments(old))
    assert session_at(old) == old
    assert tidy(tmp_path, _NOW_NS, compress=True).compressed == 0


def test_a_crash_between_compressing_and_removing_loses_nothing(tmp_path: Path) -> None:
    """Both forms of a segment, or half a file of another name, are there: the plain one is read."""
    session = _session(tmp_path, "1", day=98, n=_FILLS)
    _session(tmp_path, "2", day=99)
    first = segments(session)[0]
    content, was = first.read_bytes(), list(records(session))
    tidy(tmp_path, _NOW_NS, compress=True)
    first.write_bytes(content)
    (session / f"000001{COMPRESSED}.partial").write_bytes(b"half")
    assert segments(session)[0] == first
    assert [r[:3] for r in records(session)] == [r[:3] for r in was]
    assert tidy(tmp_path, _NOW_NS, compress=True).compressed == 1
    assert not first.exists()


def test_a_damaged_compressed_segment_is_refused(tmp_path: Path) -> None:
    """With its name: the checksum of the frame sees a single bit."""
    session = _session(tmp_path, "1", day=98)
    _session(tmp_path, "2", day=99)
    tidy(tmp_path, _NOW_NS, compress=True)
    (path,) = segments(session)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(JournalError, match=path.name):
        list(records(session))


def test_old_sessions_go_but_the_newest_of_each_environment(tmp_path: Path) -> None:
    """By age; a dry run only says so."""
    for name, day, environment in (("1", 10, "live"), ("2", 20, "live"), ("3", 30, "sandbox")):
        _session(tmp_path, name, day=day, environment=environment)
    _session(tmp_path, "4", day=97, environment="embedded")
    _session(tmp_path, "5", day=99, environment="embedded")
    told = tidy(tmp_path, _NOW_NS, compress=True, keep_days=30, is_dry_run=True)
    assert (told.removed, told.compressed) == (["1"], 0)
    assert (tmp_path / "1").exists()
    done = tidy(tmp_path, _NOW_NS, compress=False, keep_days=30)
    assert done.removed == told.removed
    assert done.freed_bytes == told.freed_bytes > 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["2", "3", "4", "5"]


def test_the_oldest_go_until_the_rest_fits(tmp_path: Path) -> None:
    """By size; what cannot be read stays for a person to look at."""
    for name in "1234":
        _session(tmp_path, name, day=90 + int(name), n=1_000)
    broken = segments(tmp_path / "1")[0]
    broken.write_bytes(b"\xff" * broken.stat().st_size)
    one = size_on_disk(tmp_path / "2")
    done = tidy(tmp_path, _NOW_NS, compress=False, keep_bytes=round(3.5 * one))
    assert done.removed == ["2"]
    assert tidy(tmp_path, _NOW_NS, compress=False, keep_bytes=1).removed == ["3"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1", "4"]
