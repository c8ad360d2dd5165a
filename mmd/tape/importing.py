"""Turns an opened source into a tape: validated batch by batch, on disk only if nothing fatal was found."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from mmd.core.instrument import Instrument
from mmd.errors import InstrumentError, TapeError
from mmd.tape.format import TapeHeader
from mmd.tape.importers.source import Batch, Source
from mmd.tape.validation import Finding, Validation
from mmd.tape.writer import tape_writer


class Imported(NamedTuple):
    """What an import made and what it found."""

    header: TapeHeader
    findings: list[Finding]
    left_out: dict[str, int]


def import_tape(
    source: Source,
    out: Path,
    *,
    allow: Iterable[str] = (),
    on_batch: Callable[[], None] = lambda: None,
) -> Imported:
    """Write a source to `out`.

    Args:
        source: an importer's; used up.
        out: the tape file; overwritten only once the new one is whole.
        allow: names of fatal issues to count instead.
        on_batch: called after every batch, for progress.

    Raises:
        TapeError: A fatal issue, with its place, or a source without a frame; nothing is left behind.
    """
    validation = Validation(allow, has_recv_time=source.header.has_recv_time)
    _check_grid(source.header.instrument)
    with tape_writer(out, source.header) as writer:
        for batch in source.batches:
            validation.check(batch.rows, _place_of(source, batch))
            writer.write(batch.rows)
            on_batch()
        findings = validation.findings()
        issues = {f.issue.name: f.times for f in findings}
        writer.header = msgspec.structs.replace(writer.header, issues=issues)
        if writer.is_empty:
            raise TapeError(
                f"{source.places.files[0]}: expected market data, found none; check the format"
            )
    return Imported(writer.header, findings, dict(source.left_out))


def _place_of(source: Source, batch: Batch) -> Callable[[int], str]:
    return lambda row: source.places.told(batch.places[row])


def _check_grid(instrument: Instrument) -> None:
    """A tape of a tick or a lot that no codec can count in would be of no use."""
    try:
        grid = instrument.grid
    except InstrumentError as error:
        raise TapeError(f"{instrument.symbol}: {error}") from error
    assert grid.price_step > 0, "a grid has a positive step"
