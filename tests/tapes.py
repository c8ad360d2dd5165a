"""What tests of tapes share: importing small files, the rows of a tape, and a book kept in plain dicts."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from mmd.core.market.record import DIFF, SNAPSHOT, TOP
from mmd.tape.format import EMPTY, LAST_IN_FRAME, ROW, Rows, TapeHeader
from mmd.tape.importers.meter import Meter
from mmd.tape.importers.options import ImportOptions
from mmd.tape.importers.source import Importer
from mmd.tape.importing import Imported, import_tape
from mmd.tape.reader import Tape, open_tape
from mmd.tape.writer import tape_writer
from tests.session import instrument

Book = tuple[dict[int, int], dict[int, int]]


def imported(
    importer: Importer,
    files: Sequence[Path],
    out: Path,
    *,
    allow: Iterable[str] = (),
    **options: object,
) -> tuple[Imported, Tape]:
    """Run an importer to a tape, and open that."""
    source = importer(files, ImportOptions(**options), Meter())
    made = import_tape(source, out, allow=allow)
    return made, open_tape(out)


def all_rows(tape: Tape) -> Rows:
    """Every row of a tape."""
    return np.concatenate([np.empty(0, ROW), *tape.batches()])


def write_tape(path: Path, rows: Rows) -> Tape:
    """A tape of the test instrument with these rows."""
    with tape_writer(path, TapeHeader(instrument=instrument(), source="test")) as writer:
        writer.write(rows)
    return open_tape(path)


def frames_of(rows: Rows) -> Iterator[Rows]:
    """The rows of each frame."""
    ends = np.flatnonzero(rows["flags"] & LAST_IN_FRAME) + 1
    yield from np.split(rows[: ends[-1]], ends[:-1]) if len(ends) else ()


def books(rows: Rows) -> Iterator[tuple[Rows, Book]]:
    """Each book frame with the whole book after it, kept in two dicts of ticks to lots."""
    book: Book = ({}, {})
    for frame in frames_of(rows):
        kind = int(frame["kind"][0])
        if kind not in (SNAPSHOT, DIFF, TOP):
            continue
        if kind in (SNAPSHOT, TOP):
            book = ({}, {})
        for row in frame[(frame["flags"] & EMPTY) == 0]:
            side = book[row["side"]]
            side.pop(int(row["price_ticks"]), None)
            if row["qty_lots"] > 0:
                side[int(row["price_ticks"])] = int(row["qty_lots"])
        yield frame, (dict(book[0]), dict(book[1]))


def row(kind: int, *, end: bool = True, flags: int = 0, **fields: int) -> tuple[int, ...]:
    """One row in the order of ROW."""
    values = {"kind": kind, "flags": flags | (LAST_IN_FRAME if end else 0)} | fields
    assert values.keys() <= set(ROW.names or ()), f"no such fields: {values}"
    return tuple(values.get(name, 0) for name in ROW.names or ())
