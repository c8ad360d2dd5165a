"""Reads a whole tape and checks it against its header and the rules of `mmd.tape.validation`."""

from collections.abc import Callable, Iterable

from mmd.errors import TapeError
from mmd.tape.format import TapeCounts, count_rows
from mmd.tape.reader import Tape
from mmd.tape.validation import Finding, Validation


def verify_tape(
    tape: Tape, allow: Iterable[str] = (), on_rows: Callable[[int], None] = lambda rows: None
) -> list[Finding]:
    """Check every row; `on_rows` is told how many more are done.

    Raises:
        TapeError: A file is damaged, something fatal is on it, or the counts are not the header's.
    """
    allowed = (*allow, *tape.header.issues)
    validation = Validation(allowed, has_recv_time=tape.header.has_recv_time)
    counts = TapeCounts()
    before = 0
    for rows in tape.batches():
        validation.check(rows, _Place(tape, before))
        counts += count_rows(rows)
        before += len(rows)
        on_rows(len(rows))
    if counts != tape.header.counts:
        raise TapeError(
            f"{tape.path}: expected {tape.header.counts} by its header, found {counts}; restore it from a copy"
        )
    return validation.findings()


class _Place:
    """Names the rows of a batch by their number in the tape."""

    def __init__(self, tape: Tape, before: int) -> None:
        self._tape = tape
        self._before = before

    def __call__(self, row: int) -> str:
        return f"{self._tape.path}: row {self._before + row}"
