"""Reading captured frames: order, units of time, and what is wrong with a bad file."""

import gzip
from pathlib import Path

import pytest

from mmd.errors import TapeError
from mmd.tape.raw_frames import RawFrame, read_frames


def _write(path: Path, text: bytes) -> Path:
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def test_files_follow_each_other_and_times_become_nanoseconds(tmp_path: Path) -> None:
    """Microseconds and nanoseconds are told apart; gzip and plain files mix."""
    first = _write(tmp_path / "a.gz", b'1721749182850494 {"a":1}\n\n1721749182850495 [2]\n')
    second = _write(tmp_path / "b.txt", b'1723161256172216566 {"b":3}')
    assert list(read_frames([first, second])) == [
        RawFrame(1721749182850494000, b'{"a":1}'),
        RawFrame(1721749182850495000, b"[2]"),
        RawFrame(1723161256172216566, b'{"b":3}'),
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"", "found an empty file"),
        (b'1 {"a":1}\nhello world\n', "line 2: expected '<local time in us or ns> <json>'"),
        (b'1 {"a":1}\n2 \n', "line 2: expected a JSON text after the time"),
        (b'1 {"a":1\n', "line 1: expected a JSON text after the time"),
        (b'9223372036854776 {"a":1}\n', "expected a local time that is 64 bits of ns"),
        (b'9223372036854775808 {"a":1}\n', "expected a local time that is 64 bits of ns"),
    ],
)
def test_bad_files_are_refused_with_the_line(tmp_path: Path, text: bytes, complaint: str) -> None:
    """One line that names the file, the line and what was expected."""
    path = _write(tmp_path / "bad.txt", text)
    with pytest.raises(TapeError) as caught:
        list(read_frames([path]))
    assert complaint in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_truncated_gzip_gives_its_lines_and_then_an_error(tmp_path: Path) -> None:
    """What was read before the cut is good; the cut is not silent."""
    whole = gzip.compress(b"".join(b'%d {"a":%d}\n' % (i, i) for i in range(5000)))
    path = tmp_path / "cut.gz"
    path.write_bytes(whole[: len(whole) // 2])
    reading = read_frames([path])
    assert [next(reading).payload for _ in range(100)][99] == b'{"a":99}'
    with pytest.raises(TapeError, match=r"expected a whole gzip file, found it broken after line"):
        list(reading)


def test_a_file_that_is_no_gzip_or_missing_is_named(tmp_path: Path) -> None:
    """Wrong suffix and wrong path."""
    path = tmp_path / "plain.gz"
    path.write_bytes(b'1 {"a":1}\n')
    with pytest.raises(TapeError, match=r"plain\.gz: expected a whole gzip file"):
        list(read_frames([path]))
    with pytest.raises(TapeError, match=r"absent\.gz: cannot be read"):
        list(read_frames([tmp_path / "absent.gz"]))
