"""What every importer gives: a header, and batches of rows with their places."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from mmd.tape.format import Rows, TapeHeader
from mmd.tape.importers.meter import Meter
from mmd.tape.importers.options import ImportOptions
from mmd.tape.importers.places import Places


class Batch(NamedTuple):
    """Rows of whole frames, and where each came from (`Places.at`)."""

    rows: Rows
    places: Sequence[int]


@dataclass(frozen=True, slots=True)
class Source:
    """Something to import, opened: `batches` is read once."""

    header: TapeHeader
    batches: Iterator[Batch]
    places: Places
    left_out: Counter[str] = field(default_factory=Counter)
    """What the tape does not take over, and how often; complete once the batches are."""


Importer = Callable[[Sequence[Path], ImportOptions, Meter], Source]
"""Opens files of one format; what it cannot know without reading them it reads them for. Raises: TapeError."""
