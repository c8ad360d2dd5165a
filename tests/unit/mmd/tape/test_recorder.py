"""The recorder: what was handed over is on tape, segments rotate, and a crash costs only what was not flushed."""

import os
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from mmd.core.market.record import DIFF, MARKET, TRADE
from mmd.core.units import InstrumentId
from mmd.errors import TapeError
from mmd.jit.kernel import new
from mmd.tape.format import AFTER_GAP, ROW, TapeHeader
from mmd.tape.reader import open_tape
from mmd.tape.recorder import Recorder, Rotation, recover_segments
from mmd.tape.segment_log import SegmentLog, read_log
from tests.market_events import fill
from tests.session import instrument
from tests.tapes import all_rows, row

_HEADER = TapeHeader(instrument=instrument(), source="record")
_ROTATION = Rotation()


def _recorder(folder: Path, rotation: Rotation = _ROTATION, **symbols: int) -> Recorder:
    headers = {0: _HEADER} | {
        n: TapeHeader(instrument=instrument(id=InstrumentId(n), symbol=name), source="record")
        for name, n in symbols.items()
    }
    return Recorder(folder, headers, rotation, unix_less_monotonic_ns=1_000)


def _record(recorder: Recorder, numbers: range, number: int = 0) -> None:
    """Diffs of one level at these nanoseconds."""
    market = new(MARKET)
    for n in numbers:
        ids = {"first": n, "last": n, "prev": n - 1, "ts_recv_ns": n, "instrument": number}
        recorder.on_market(fill(market, DIFF, [(100 + n, 1)], **ids))


def test_what_is_recorded_is_on_tape(tmp_path: Path) -> None:
    """Two instruments in two folders, receive times as wall time."""
    recorder = _recorder(tmp_path, ODDUSDT=3)
    _record(recorder, range(1, 50))
    _record(recorder, range(7, 9), 3)
    recorder.close()
    tape = open_tape(tmp_path / "MMDUSDT")
    rows = all_rows(tape)
    assert rows["last"].tolist() == list(range(1, 50))
    assert rows["ts_recv_ns"].tolist() == [1_000 + n for n in range(1, 50)]
    assert all_rows(open_tape(tmp_path / "ODDUSDT"))["last"].tolist() == [7, 8]
    assert (recorder.frames, recorder.rows) == ({0: 49, 3: 2}, {0: 49, 3: 2})
    assert not list(tmp_path.rglob("*.rows"))


def test_segments_rotate_by_rows_and_by_age(tmp_path: Path) -> None:
    """A flush is the finest cut: a segment is full when it has enough rows, or is old enough."""
    recorder = _recorder(tmp_path, Rotation(age_ns=50, rows=20))
    for begin in (1, 11, 21, 31, 200):
        _record(recorder, range(begin, begin + 10))
        recorder.flush()
    recorder.close()
    tape = open_tape(tmp_path / "MMDUSDT")
    assert [f.name[:6] for f in tape.files] == ["000001", "000002", "000003"]
    assert [open_tape(f).header.counts.rows for f in tape.files] == [20, 20, 10]
    assert len(all_rows(tape)) == 50


def test_a_restart_continues_and_marks_the_hole(tmp_path: Path) -> None:
    """A new segment in the same folder; its first row says that something is missing before it."""
    for begin in (1, 100):
        recorder = _recorder(tmp_path)
        _record(recorder, range(begin, begin + 3))
        recorder.close()
    rows = all_rows(open_tape(tmp_path / "MMDUSDT"))
    assert rows["last"].tolist() == [1, 2, 3, 100, 101, 102]
    assert ((rows["flags"] & AFTER_GAP) != 0).tolist() == [False, False, False, True, False, False]


def test_a_lost_feed_marks_the_hole(tmp_path: Path) -> None:
    """Within one recording."""
    recorder = _recorder(tmp_path)
    _record(recorder, range(1, 3))
    recorder.mark_gap(0)
    _record(recorder, range(9, 11))
    recorder.close()
    rows = all_rows(open_tape(tmp_path / "MMDUSDT"))
    assert rows[(rows["flags"] & AFTER_GAP) != 0]["last"].tolist() == [9]


def test_a_crash_loses_only_what_was_not_flushed(tmp_path: Path) -> None:
    """The child is killed after a flush and three more records; the next start recovers the flushed ones."""
    pid = os.fork()
    if pid == 0:  # no cleanup of any kind: os._exit is as good as SIGKILL to the files
        folder = tmp_path / "MMDUSDT"
        folder.mkdir()
        log = SegmentLog(folder / "000001.rows", _HEADER)
        log.append(np.array([row(TRADE, first=n, ts_recv_ns=n) for n in range(1, 6)], ROW))
        os.write(log._file.fileno(), np.array([row(DIFF, end=False)], ROW).tobytes()[:50])
        os._exit(0)
    os.waitpid(pid, 0)
    recorder = _recorder(tmp_path)
    assert [(path.name, rows) for path, rows in recorder.recovered] == [("000001.tape.parquet", 5)]
    _record(recorder, range(9, 10))
    recorder.close()
    rows = all_rows(open_tape(tmp_path / "MMDUSDT"))
    assert rows["first"].tolist() == [1, 2, 3, 4, 5, 9]


def test_an_unfinished_frame_is_not_recovered(tmp_path: Path) -> None:
    """Rows after the last whole frame are left out; a log without any frame leaves no tape."""
    log = SegmentLog(tmp_path / "000007.rows", _HEADER)
    log.append(np.array([row(TRADE), row(DIFF, end=False)], ROW))
    log.close()
    SegmentLog(tmp_path / "000008.rows", _HEADER).close()
    assert recover_segments(tmp_path) == [(tmp_path / "000007.tape.parquet", 1)]
    assert [p.name for p in tmp_path.iterdir()] == ["000007.tape.parquet"]


def test_a_strange_log_is_refused(tmp_path: Path) -> None:
    """It is left where it is."""
    (tmp_path / "000001.rows").write_bytes(b"something else")
    with pytest.raises(TapeError, match="expected a recorder's segment"):
        recover_segments(tmp_path)
    assert (tmp_path / "000001.rows").exists()


def test_a_log_reads_back_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames that straddle blocks stay whole."""
    monkeypatch.setattr("mmd.tape.segment_log._BLOCK_ROWS", 4)
    rows = np.array([row(DIFF, end=n % 3 == 2, price_ticks=n) for n in range(30)], ROW)
    log = SegmentLog(tmp_path / "x.rows", _HEADER)
    log.append(rows)
    log.close()
    header, blocks = read_log(tmp_path / "x.rows")
    parts = list(blocks)
    assert header.instrument.tick_size == Decimal("0.01")
    assert all(len(part) % 3 == 0 for part in parts)
    assert np.array_equal(np.concatenate(parts), rows)


def test_a_disk_that_fails_ends_the_recording(tmp_path: Path) -> None:
    """The error of the writing thread comes out where records are handed over."""
    recorder = _recorder(tmp_path)
    (tmp_path / "MMDUSDT").rmdir()
    _record(recorder, range(1, 3))
    with pytest.raises(TapeError, match="cannot be written"):
        recorder.close()
