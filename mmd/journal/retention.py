"""What becomes of sessions that are over: closed segments are compressed, old sessions removed.

Nothing here touches the segment that a running daemon writes (the last one of the latest session), the newest
session of any environment (a restart reads its baseline and its day's loss), or a session that cannot be read.
"""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import zstandard

from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import JournalError
from mmd.journal.format import COMPRESSED, SUFFIX
from mmd.journal.reader import read_spec, segments, sessions_in, size_on_disk

_LEVEL = 3
_DAY_S = 86_400


class Tidied(NamedTuple):
    """What was done to a journal folder, or would be."""

    compressed: int
    """Segments."""
    saved_bytes: int
    removed: list[str]
    """Names of sessions, oldest first."""
    freed_bytes: int


def tidy(
    folder: Path,
    now_unix_ns: int,
    *,
    compress: bool,
    keep_days: float | None = None,
    keep_bytes: int | None = None,
    is_dry_run: bool = False,
) -> Tidied:
    """Remove sessions beyond the limits, then compress the closed segments of those that stay.

    Args:
        folder: the journal folder.
        now_unix_ns: what ages are counted from.
        compress: whether to compress at all.
        keep_days: sessions that began longer ago go; None: none does.
        keep_bytes: the oldest go until the rest takes no more; None: none does.
        is_dry_run: only tell; the sizes of segments before compression are then not known to shrink.

    Raises:
        JournalError: The folder cannot be written.
    """
    removed = _beyond(folder, now_unix_ns, keep_days, keep_bytes)
    freed = sum(size_on_disk(session) for session in removed)
    if is_dry_run:
        return Tidied(0, 0, [session.name for session in removed], freed)
    compressed = saved = 0
    try:
        for session in removed:
            shutil.rmtree(session)
        for path in _closed(folder) if compress else ():
            saved += _compress(path)
            compressed += 1
    except OSError as error:
        raise JournalError(
            f"journal folder {folder} cannot be tidied ({error}): expected to be allowed to write in it"
        ) from error
    return Tidied(compressed, saved, [session.name for session in removed], freed)


def _beyond(
    folder: Path, now_unix_ns: int, keep_days: float | None, keep_bytes: int | None
) -> list[Path]:
    """Sessions to remove, oldest first."""
    newest: dict[str, Path] = {}
    began_ns: dict[Path, int] = {}
    for session in sessions_in(folder):
        try:
            spec = read_spec(session)
        except JournalError:
            continue  # evidence: it stays until a person has looked
        newest[spec.environment] = session
        began_ns[session] = spec.started_unix_ns
    free = [s for s in began_ns if s not in newest.values()]
    beyond = []
    if keep_days is not None:
        oldest_ns = now_unix_ns - round(keep_days * _DAY_S * NANOS_PER_SECOND)
        beyond = [s for s in free if began_ns[s] < oldest_ns]
    if keep_bytes is not None:
        left = sum(size_on_disk(s) for s in sessions_in(folder) if s not in beyond)
        for session in [s for s in free if s not in beyond]:
            if left <= keep_bytes:
                break
            left -= size_on_disk(session)
            beyond.append(session)
    return beyond


def _closed(folder: Path) -> list[Path]:
    """Plain segments that nobody writes any more, oldest first."""
    sessions = sessions_in(folder)
    plain = [p for s in sessions for p in segments(s) if not p.name.endswith(COMPRESSED)]
    live = segments(sessions[-1])[-1] if sessions else None
    return [path for path in plain if path != live]


def _compress(path: Path) -> int:
    """Put a compressed segment in a plain one's place; bytes saved. Readers find one or the other at any time."""
    data = path.read_bytes()
    packed = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(data)
    if zstandard.ZstdDecompressor().decompress(packed) != data:
        raise JournalError(f"{path}: what was compressed does not come back; it is left as it was")
    done = path.with_name(path.name.removesuffix(SUFFIX) + COMPRESSED)
    partial = done.with_name(done.name + ".partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    with partial.open("wb") as file:
        file.write(packed)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(done)
    path.unlink()
    return len(data) - len(packed)
