"""The way most importers go: frames out of lines, read once for the grid where it is not given, and once for good."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, TypeVar

from mmd.core.instrument import Instrument
from mmd.errors import TapeError
from mmd.tape.format import TapeHeader
from mmd.tape.importers.decimals import GridFinder, GridNumbers, Numbers
from mmd.tape.importers.frame_rows import Frame, batches
from mmd.tape.importers.meter import Meter
from mmd.tape.importers.options import ImportOptions, as_told
from mmd.tape.importers.places import Places
from mmd.tape.importers.source import Source

T = TypeVar("T")
FrameReader = Callable[[Numbers, Counter[str]], Iterator[Frame]]
"""Reads all frames of a source, counting by itself what it leaves out."""
Describe = Callable[[Decimal, Decimal], Instrument]
"""Makes the instrument of (tick, lot)."""


def parsed(
    path: Path,
    lines: Iterable[tuple[int, T]],
    parse: Callable[[int, T], Iterable[Frame]],
    unit: str = "line",
) -> Iterator[Frame]:
    """Frames of a file's lines, any number of each.

    Raises:
        TapeError: naming file and line, where parse raises ValueError, IndexError or KeyError.
    """
    for number, line in lines:
        try:
            frames = parse(number, line)
        except (ValueError, IndexError, KeyError) as error:
            raise located(path, number, error, unit) from error
        yield from frames


def located(path: Path, number: int, error: Exception, unit: str = "line") -> TapeError:
    """What parsing a line raised, with the line."""
    lacks = f"expected a field, found none ({error!r})"
    reason = str(error) if isinstance(error, ValueError) else lacks
    return TapeError(f"{path}: {unit} {number}: {reason}; check the format and the grid")


class Nature(NamedTuple):
    """What a format is called and what its files hold."""

    name: str
    has_sequence: bool = False
    has_recv_time: bool = False


def two_pass(
    nature: Nature,
    places: Places,
    options: ImportOptions,
    meter: Meter,
    read: FrameReader,
    describe: Describe,
) -> Source:
    """Open a source; tick and lot that the options do not give are found by reading it through first.

    Raises: TapeError as `read` does.
    """
    is_known = options.tick is not None and options.lot is not None
    for path in places.files:
        meter.expect(path, passes=1 if is_known else 2)
    finder = GridFinder()
    if not is_known:
        for _ in read(finder, Counter()):
            pass
    instrument = as_told(options, describe(options.tick or finder.tick, options.lot or finder.lot))
    left_out: Counter[str] = Counter()
    header = TapeHeader(
        instrument=instrument,
        source=nature.name,
        files=tuple(path.name for path in places.files),
        command=options.command,
        is_tick_inferred=options.tick is None,
        is_lot_inferred=options.lot is None,
        has_sequence=nature.has_sequence,
        has_recv_time=nature.has_recv_time,
    )
    return Source(header, batches(read(GridNumbers(instrument), left_out)), places, left_out)
