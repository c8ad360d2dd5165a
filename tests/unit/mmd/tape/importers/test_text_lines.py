"""Text files in every wrapping, and broken ones, which name file and line."""

import gzip
import lzma
import zipfile
from pathlib import Path

import pytest

from mmd.errors import TapeError
from mmd.tape.importers.meter import Meter
from mmd.tape.importers.text_lines import byte_lines, csv_rows, first_line, member_name

_TEXT = b"a,b\n\n1,2\r\n3,4"


def _zip(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, _TEXT)
    return path


def _wrapped(folder: Path, kind: str) -> Path:
    """The text in one wrapping; names do not matter, the first bytes do."""
    path = folder / "data"
    if kind == "zip":
        return _zip(path, "inner.csv")
    packed = {"plain": bytes, "gzip": gzip.compress, "xz": lzma.compress}[kind](_TEXT)
    path.write_bytes(packed)
    return path


@pytest.mark.parametrize("kind", ["plain", "gzip", "xz", "zip"])
def test_lines_come_out_of_any_wrapping(tmp_path: Path, kind: str) -> None:
    """Numbered as in the text; blank lines are passed over; the meter ends at the size on disk."""
    path = _wrapped(tmp_path, kind)
    meter = Meter()
    meter.expect(path)
    assert list(byte_lines(path, meter)) == [(1, b"a,b"), (3, b"1,2"), (4, b"3,4")]
    assert list(csv_rows(path, Meter()))[1:] == [(3, ["1", "2"]), (4, ["3", "4"])]
    assert first_line(path) == "a,b"
    assert meter.total == path.stat().st_size
    assert 0 < meter.done() <= meter.total


@pytest.mark.parametrize("kind", ["gzip", "xz", "zip"])
def test_a_cut_file_names_itself_and_the_line(tmp_path: Path, kind: str) -> None:
    """Half of the bytes are missing."""
    path = _wrapped(tmp_path, kind)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(
        TapeError, match=r"data: expected a whole file, found it broken after line \d"
    ):
        list(byte_lines(path, Meter()))


@pytest.mark.parametrize("data", [b"", b"\n \n", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_refused(tmp_path: Path, data: bytes) -> None:
    """Packed or not."""
    path = tmp_path / "data"
    path.write_bytes(data)
    with pytest.raises(TapeError, match="found an empty file"):
        list(byte_lines(path, Meter()))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """With the system's reason."""
    with pytest.raises(TapeError, match=r"cannot be read \(No such file"):
        list(byte_lines(tmp_path / "none", Meter()))


def test_a_zip_holds_one_file(tmp_path: Path) -> None:
    """Of several none is taken."""
    assert member_name(_zip(tmp_path / "one.zip", "inner.csv")) == "inner.csv"
    two = _zip(tmp_path / "two.zip", "a.csv", "b.csv")
    with pytest.raises(TapeError, match="expected a zip of one file, found 2"):
        list(byte_lines(two, Meter()))


def test_binary_is_no_csv(tmp_path: Path) -> None:
    """Refused at the line where it shows."""
    path = tmp_path / "data"
    path.write_bytes(b"a,b\n\xff\xfe,1\n")
    with pytest.raises(TapeError, match="line 2: expected CSV text"):
        list(csv_rows(path, Meter()))
