"""Lines of text files in whatever wrapping they come: plain, gzip, xz, or the one member of a zip."""

import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, cast

from mmd.errors import TapeError
from mmd.tape.importers.meter import Meter

_LINE_MAX = 32 * 1024 * 1024
_REPORT_LINES = 1 << 13
_BUFFER = 1 << 18
_GZIP, _XZ, _ZIP = b"\x1f\x8b", b"\xfd7zXZ\x00", b"PK"
_BROKEN = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, zipfile.BadZipFile)


def byte_lines(path: Path, meter: Meter) -> Iterator[tuple[int, bytes]]:
    """Yield (line number from 1, line without its end) of every line that is not blank.

    Raises:
        TapeError: naming file and line, for a file that is missing, empty, cut short or of another packing.
    """
    number = 0
    is_empty = True
    try:
        with ExitStack() as stack:
            raw = stack.enter_context(path.open("rb"))
            text = stack.enter_context(_unpacked(raw, path))
            meter.opened(raw)
            stack.callback(meter.closed, raw)
            while line := text.readline(_LINE_MAX):
                number += 1
                if number % _REPORT_LINES == 0:
                    meter.report()
                if stripped := line.strip():
                    is_empty = False
                    yield number, stripped
    except _BROKEN as error:
        raise TapeError(
            f"{path}: expected a whole file, found it broken after line {number} ({error}); copy it again"
        ) from error
    except OSError as error:
        raise TapeError(
            f"{path}: cannot be read ({error.strerror or error}); check the path"
        ) from error
    if is_empty:
        raise TapeError(f"{path}: expected lines of text, found an empty file")


def csv_rows(path: Path, meter: Meter) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, fields) of a CSV file without quoting. Raises: TapeError as `byte_lines`."""
    for number, line in byte_lines(path, meter):
        try:
            yield number, line.decode("ascii").split(",")
        except UnicodeDecodeError as error:
            raise TapeError(
                f"{path}: line {number}: expected CSV text, found {line[:40]!r}; check the format"
            ) from error


def first_line(path: Path) -> str:
    """The first line of a file, for telling formats apart. Raises: TapeError."""
    return next(byte_lines(path, Meter()))[1].decode("ascii", errors="replace")


def member_name(path: Path) -> str:
    """The name of what is packed in a zip; the file's own name otherwise."""
    if not zipfile.is_zipfile(path):
        return path.name
    with zipfile.ZipFile(path) as archive:
        return _only_member(archive, path)


def _unpacked(raw: BinaryIO, path: Path) -> BinaryIO:
    magic = raw.read(6)
    raw.seek(0)
    if magic.startswith(_GZIP):
        return cast("BinaryIO", gzip.open(raw, "rb"))
    if magic.startswith(_XZ):
        return cast("BinaryIO", lzma.open(raw, "rb"))
    if magic.startswith(_ZIP):
        archive = zipfile.ZipFile(raw)
        member = cast("RawIOBase", archive.open(_only_member(archive, path)))
        return cast("BinaryIO", BufferedReader(member, _BUFFER))  # its own readline is slow
    return raw


def _only_member(archive: zipfile.ZipFile, path: Path) -> str:
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if len(names) != 1:
        raise TapeError(
            f"{path}: expected a zip of one file, found {len(names)} in it; unpack it and name them"
        )
    return names[0]
