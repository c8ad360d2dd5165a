"""The writer: whole frames in row groups, nothing half-written, what is written can be read."""

import contextlib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.market.record import DIFF, TRADE
from mmd.errors import TapeError
from mmd.tape import writer as writers
from mmd.tape.format import LAST_IN_FRAME, ROW, Rows, TapeHeader
from mmd.tape.reader import open_tape
from mmd.tape.writer import TapeWriter, tape_writer
from tests.session import instrument
from tests.tapes import all_rows, frames_of, row

_HEADER = TapeHeader(instrument=instrument(), source="test")
_INT64 = st.integers(-(2**63), 2**63 - 2)


@st.composite
def framed_rows(draw: st.DrawFn) -> list[Rows]:
    """Batches of rows with any numbers, cut anywhere, that end with a whole frame."""
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=40))
    rows = np.zeros(sum(lengths), ROW)
    for name in ("ts_event_ns", "ts_recv_ns", "first", "last", "prev", "price_ticks", "order_id"):
        rows[name] = draw(st.lists(_INT64, min_size=len(rows), max_size=len(rows)))
    rows["kind"], rows["side"] = DIFF, draw(st.integers(0, 1))
    rows["flags"][np.cumsum(lengths) - 1] = LAST_IN_FRAME
    cuts = sorted(draw(st.lists(st.integers(0, len(rows)), max_size=5)))
    return np.split(rows, cuts)


@settings(max_examples=40, deadline=None)
@given(framed_rows())
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, parts: list[Rows]
) -> None:
    """Any rows in any batches come back, in order and bit for bit."""
    path = tmp_path_factory.mktemp("tape") / "x.tape.parquet"
    with tape_writer(path, _HEADER) as writer:
        for part in parts:
            writer.write(part)
    tape = open_tape(path)
    expected = np.concatenate(parts)
    assert np.array_equal(all_rows(tape), expected)
    assert tape.header.counts.rows == len(expected)
    assert sum(tape.header.counts.frames.values()) == sum(1 for _ in frames_of(expected))


def test_a_frame_never_straddles_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames of seven rows in groups of about a hundred: every group ends with a frame's end."""
    monkeypatch.setattr(writers, "ROW_GROUP_ROWS", 100)
    path = tmp_path / "x.tape.parquet"
    frame = np.array([row(DIFF, end=n == 6, price_ticks=n + 1) for n in range(7)], ROW)
    with tape_writer(path, _HEADER) as writer:
        for batch in np.array_split(np.tile(frame, 300), 11):
            writer.write(batch)
    groups = pq.ParquetFile(path).metadata
    sizes = [groups.row_group(n).num_rows for n in range(groups.num_row_groups)]
    assert len(sizes) > 5
    assert all(size % 7 == 0 and size <= 300 for size in sizes)


def test_a_failed_block_leaves_nothing(tmp_path: Path) -> None:
    """Neither the tape nor its temporary file, and an older tape of that name stays as it was."""
    path = tmp_path / "x.tape.parquet"
    path.write_text("older")
    with contextlib.suppress(ZeroDivisionError), tape_writer(path, _HEADER) as writer:
        writer.write(np.array([row(TRADE)], ROW))
        raise ZeroDivisionError
    assert [p.name for p in tmp_path.iterdir()] == ["x.tape.parquet"]
    assert path.read_text() == "older"


def test_an_unfinished_frame_is_refused(tmp_path: Path) -> None:
    """Rows without an end are an importer's mistake, and no tape."""
    with pytest.raises(TapeError, match="found 1 rows without an end"):  # noqa: SIM117
        with tape_writer(tmp_path / "x.tape.parquet", _HEADER) as writer:
            writer.write(np.array([row(TRADE), row(DIFF, end=False)], ROW))
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """One line that names the file."""
    with pytest.raises(TapeError, match=r"none/x.tape.parquet: cannot be written"):
        TapeWriter(tmp_path / "none" / "x.tape.parquet", _HEADER)
