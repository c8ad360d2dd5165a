"""Raw captured frames: files of lines `<local time> <json>`, plain or gzip, read lazily in sequence."""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from mmd.errors import TapeError

_MICROSECONDS_BELOW = (
    10**17
)  # local times are microseconds or nanoseconds since 1970; these cannot meet
_LINE_MAX = 32 * 1024 * 1024


_LATEST = 2**63 - 1
_DIGITS_MAX = len(str(_LATEST))


class RawFrame(NamedTuple):
    """A frame as it was received, and when by the recorder's clock."""

    ts_ns: int
    payload: bytes


def read_frames(paths: Sequence[Path]) -> Iterator[RawFrame]:
    """Yield every frame of the files, one file after the other; only one line is in memory at a time.

    Raises: TapeError, naming file and line, for a file that is missing, empty or cut short, and for a line
        that is not a time and a JSON text.
    """
    for path in paths:
        yield from _read_file(path)


def _read_file(path: Path) -> Iterator[RawFrame]:
    number = 0
    try:
        with _open(path) as file:
            while line := file.readline(_LINE_MAX):
                number += 1
                if not line.isspace():
                    yield parse_frame(line, path, number)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TapeError(
            f"{path}: expected a whole gzip file, found it broken after line {number} ({error}); copy or record it again"
        ) from error
    except OSError as error:
        raise TapeError(
            f"{path}: cannot be read ({error.strerror or error}); check the path"
        ) from error
    if number == 0:
        raise TapeError(f"{path}: expected lines of '<local time> <json>', found an empty file")


def _open(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return cast("BinaryIO", gzip.open(path, "rb"))
    return path.open("rb")


def parse_frame(line: bytes, path: Path, number: int) -> RawFrame:
    """Read one line of a file. Raises: TapeError, naming file and line, if it is not a time and a JSON text."""
    stamp, _, payload = line.strip().partition(b" ")
    if not stamp.isdigit() or len(stamp) > _DIGITS_MAX:
        raise TapeError(
            f"{path}: line {number}: expected '<local time in us or ns> <json>', found {line[:40]!r}"
        )
    if not (payload.startswith((b"{", b"[")) and payload.endswith((b"}", b"]"))):
        raise TapeError(
            f"{path}: line {number}: expected a JSON text after the time, found {payload[:40]!r}"
        )
    ts = int(stamp)
    ts_ns = ts * 1000 if ts < _MICROSECONDS_BELOW else ts
    if ts_ns > _LATEST:
        raise TapeError(
            f"{path}: line {number}: expected a local time that is 64 bits of ns, found {ts}"
        )
    return RawFrame(ts_ns, payload)
