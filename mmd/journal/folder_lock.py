"""One daemon, one journal folder: whoever comes second is told, instead of writing beside the first."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from mmd.errors import JournalError

LOCK_FILE = "lock"
"""In the journal folder; holds the process id of who has it. The system lets go of it when that process ends, however."""


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Have the folder for ourselves. Raises: JournalError where another daemon has it, or it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise JournalError(
            f"cannot create journal folder {folder}: {error.strerror}; choose another journal.folder"
        ) from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(file, 32).decode() or "unknown"
            raise JournalError(
                f"journal.folder = {folder}: another daemon (process {holder}) writes there; stop it, or set another "
                "journal.folder for this one"
            ) from None
        os.ftruncate(file, 0)
        os.write(file, str(os.getpid()).encode())
        yield
    finally:
        os.close(file)
