"""The reader: time ranges by row group, folders of segments, and files that are no tapes."""

from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmd.core.market.record import DIFF
from mmd.errors import TapeError
from mmd.tape import reader
from mmd.tape import writer as writers
from mmd.tape.format import METADATA_KEY, ROW, Rows, TapeHeader, encode_header
from mmd.tape.reader import open_tape
from mmd.tape.writer import tape_writer
from tests.session import instrument
from tests.tapes import all_rows, row, write_tape


def _seconds(begin: int, end: int) -> Rows:
    """A diff of two rows at every second."""
    rows = [
        row(DIFF, end=bool(k), ts_recv_ns=t * 10**9, prev=t)
        for t in range(begin, end)
        for k in (0, 1)
    ]
    return np.array(rows, ROW)


def test_a_time_range_is_cut_to_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From 40 s (in) to 60 s (out), and only the row groups that reach into it are read."""
    monkeypatch.setattr(writers, "ROW_GROUP_ROWS", 10)
    path = tmp_path / "x.tape.parquet"
    with tape_writer(path, TapeHeader(instrument=instrument(), source="test")) as writer:
        for second in range(0, 100, 5):
            writer.write(_seconds(second, second + 5))
    tape, groups = open_tape(path), []
    real = reader._read_group

    def counted(*args: object) -> Rows:
        groups.append(args[1])
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(reader, "_read_group", counted)
    rows = np.concatenate(list(tape.batches(40 * 10**9, 60 * 10**9)))
    assert rows["ts_recv_ns"].tolist() == [t * 10**9 for t in range(40, 60) for _ in (0, 1)]
    assert groups == [8, 9, 10, 11]


def test_a_range_may_be_empty(tmp_path: Path) -> None:
    """Nothing was received then."""
    tape = write_tape(tmp_path / "x.tape.parquet", _seconds(0, 5))
    assert list(tape.batches(10**12, 10**13)) == []


def test_segments_read_as_one_tape(tmp_path: Path) -> None:
    """In the order of their names, with the counts of all."""
    write_tape(tmp_path / "000002.tape.parquet", _seconds(5, 9))
    write_tape(tmp_path / "000001.tape.parquet", _seconds(0, 5))
    tape = open_tape(tmp_path)
    assert np.array_equal(all_rows(tape), _seconds(0, 9))
    assert (tape.header.counts.rows, tape.header.counts.last_ns) == (18, 8 * 10**9)


def test_segments_of_two_instruments_are_refused(tmp_path: Path) -> None:
    """A changed tick would change what the integers mean."""
    write_tape(tmp_path / "000001.tape.parquet", _seconds(0, 1))
    other = TapeHeader(instrument=instrument(tick_size=Decimal("0.5")), source="test")
    with tape_writer(tmp_path / "000002.tape.parquet", other) as writer:
        writer.write(_seconds(1, 2))
    with pytest.raises(TapeError, match=r"000002.*tick 0.01.*found.*tick 0.5"):
        open_tape(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PAR1 not really", b"1,2,3\n" * 100])
def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    """The message names it and says what it should be."""
    path = tmp_path / "x.tape.parquet"
    path.write_bytes(content)
    with pytest.raises(TapeError, match=r"x.tape.parquet: expected a tape"):
        open_tape(path)


def test_a_missing_tape_is_told(tmp_path: Path) -> None:
    """A file that is not there, and a folder without tapes."""
    with pytest.raises(TapeError, match="cannot be read"):
        open_tape(tmp_path / "none.tape.parquet")
    with pytest.raises(TapeError, match="expected a tape or a folder"):
        open_tape(tmp_path)


def test_other_columns_are_refused(tmp_path: Path) -> None:
    """Parquet with our header but not our rows."""
    header = encode_header(TapeHeader(instrument=instrument(), source="test"))
    table = pa.table({"price": [1.0]}).replace_schema_metadata({METADATA_KEY: header})
    pq.write_table(table, tmp_path / "x.tape.parquet")
    with pytest.raises(TapeError, match="expected columns ts_event_ns"):
        list(open_tape(tmp_path / "x.tape.parquet").batches())


def test_a_damaged_row_group_is_told(tmp_path: Path) -> None:
    """Bytes overwritten in the middle of the data: named by file and row group."""
    path = tmp_path / "x.tape.parquet"
    write_tape(path, _seconds(0, 1000))
    data = bytearray(path.read_bytes())
    data[40:400] = bytes(360)
    path.write_bytes(data)
    with pytest.raises(TapeError, match=r"row group 0 cannot be read"):
        list(open_tape(path).batches())


def test_the_header_is_of_this_schema() -> None:
    """A header of the future is not read as if it were of today."""
    header = TapeHeader(instrument=instrument(), source="test")
    assert msgspec.json.decode(encode_header(header))["schema"] == header.schema == 1
