"""Reads journals back, verifying every record; tolerates a torn tail, refuses a corrupt middle."""

from collections.abc import Iterator
from pathlib import Path

import zstandard

from mmd.core.spec import SessionSpec
from mmd.errors import JournalError
from mmd.journal.format import (
    BODY_MAX,
    COMPRESSED,
    HEAD,
    SUFFIX,
    Kind,
    Record,
    spec_decoder,
)
from mmd.journal.record_search import KINDS, any_record_from, is_whole, verifies


def segments(folder: Path) -> list[Path]:
    """A session's segments in order, compressed or not. Raises: JournalError if there is none."""
    by_number = {
        path.name.partition(".")[0]: path
        for suffix in (COMPRESSED, SUFFIX)  # the plain one where both are there
        for path in folder.glob(f"*{suffix}")
    }
    if not by_number:
        raise JournalError(f"{folder} holds no journal: expected files like 000001{SUFFIX}")
    return [by_number[number] for number in sorted(by_number)]


def is_session(folder: Path) -> bool:
    """Whether a folder holds segments."""
    return any(any(folder.glob(f"*{suffix}")) for suffix in (SUFFIX, COMPRESSED))


def session_at(folder: Path) -> Path:
    """A session's folder itself, or the latest one below a journal folder. Raises: JournalError."""
    return folder if is_session(folder) else latest_session(folder)


def sessions_in(folder: Path) -> list[Path]:
    """Folders of the sessions below a journal folder, oldest first.

    One whose process was killed before its first record was whole did nothing, and is none.
    """
    return sorted(p for p in folder.glob("*") if p.is_dir() and is_session(p) and _has_begun(p))


def latest_session(folder: Path) -> Path:
    """The newest session's folder below a journal folder. Raises: JournalError if there is none."""
    sessions = sessions_in(folder)
    if not sessions:
        raise JournalError(f"{folder} holds no session; run `mmd run` first or name another folder")
    return sessions[-1]


def read_spec(folder: Path) -> SessionSpec:
    """The session's header. Raises: JournalError if it is missing or of another schema."""
    first = next(records(folder), None)
    if first is None or first.kind is not Kind.HEADER:
        raise JournalError(
            f"{folder}: expected a header as the first record, found {first.kind.name if first else 'nothing'}"
        )
    return spec_decoder.decode(first.body)


def records(folder: Path) -> Iterator[Record]:
    """All records of a session in order, headers included.

    Raises:
        JournalError: A record in the middle does not verify, with segment and offset. A torn record at
            the very end of the last segment ends the iteration instead: its write never finished.
    """
    expected = 1
    paths = segments(folder)
    for number, path in enumerate(paths):
        for record in segment_records(path, is_last=number == len(paths) - 1):
            if record.sequence != expected:
                raise JournalError(
                    f"{path.name} offset {record.offset}: expected record {expected}, found {record.sequence}; a segment is missing or out of order"
                )
            expected += 1
            yield record


def _has_begun(folder: Path) -> bool:
    """Whether there is a record, or the ruins of some; only one record is read where all is well."""
    first, *others = segments(folder)
    if others or first.name.endswith(COMPRESSED):
        return True
    try:
        with first.open("rb") as file:
            data = file.read(HEAD.size)
            length = HEAD.unpack(data)[0] if len(data) == HEAD.size else 0
            data += file.read(min(length, BODY_MAX))
    except FileNotFoundError:  # it is being compressed just now, so that its session is over
        return True
    return verifies(memoryview(data), 0) or not _is_unfinished(memoryview(_content(first)), length)


def _is_unfinished(data: memoryview, length: int) -> bool:
    """Whether a segment is what a process leaves that dies while it writes the first record, of that length or none."""
    if length > BODY_MAX or any_record_from(data, 0):
        return False
    return length == 0 or not bytes(data[HEAD.size + length :]).strip(b"\0")


def segment_records(path: Path, *, is_last: bool) -> Iterator[Record]:
    """Records of one segment. Raises: JournalError as `records` does."""
    content, name = _content(path), path.name
    data = memoryview(content)
    at, head_size, unpack = 0, HEAD.size, HEAD.unpack_from
    while at + head_size <= len(data):
        length, checksum, sequence, kind = unpack(data, at)
        if length == 0 and checksum == 0:
            _expect_zeros(path, data, at, is_last=is_last)
            return
        if not is_whole(data, at, length, checksum, kind):
            if is_last and not any_record_from(data, at + 1):
                return
            raise JournalError(
                f"{name} offset {at}: record does not verify and others follow; the file is kept as it is, restore it from a copy"
            )
        end = at + head_size + length
        yield Record(sequence, KINDS[kind], content[at + head_size : end], name, at)
        at = end
    if at != len(data) and not is_last:
        raise JournalError(
            f"{name} offset {at}: segment ends inside a record; restore it from a copy"
        )


def _content(path: Path) -> bytes:
    """A segment's bytes, also where it is compressed between being listed and being read."""
    if not path.name.endswith(COMPRESSED):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            path = path.with_name(path.name.removesuffix(SUFFIX) + COMPRESSED)
    try:
        return zstandard.ZstdDecompressor().decompress(path.read_bytes())
    except (OSError, zstandard.ZstdError) as error:
        raise JournalError(
            f"{path} cannot be read ({error}): expected a compressed segment; restore it from a copy"
        ) from error


def _expect_zeros(path: Path, data: memoryview, at: int, *, is_last: bool) -> None:
    """Behind the last record of a live or crashed session's segment there is only zero fill."""
    if any_record_from(data, at):
        raise JournalError(
            f"{path.name} offset {at}: a hole before further records; restore the file from a copy"
        )
    if not is_last and len(data) - at > HEAD.size:
        raise JournalError(f"{path.name} offset {at}: segment was not finished but another follows")


def size_on_disk(folder: Path) -> int:
    """Bytes that a session's segments take."""
    return sum(p.stat().st_size for p in segments(folder))
