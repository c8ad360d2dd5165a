"""Which trades earlier sessions have on record, so that the next one can be told of those that were made since.

A reconciliation says up to which trade all were told; fills after it may have gaps. Sessions are read from their end
back to their last reconciliation, and one after the other as far as that takes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from mmd.core.events import Fill, Reconciled
from mmd.core.instrument import Instrument
from mmd.core.trades_told import TradesTold
from mmd.core.units import InstrumentId
from mmd.journal.format import Kind, event_decoder
from mmd.journal.reader import read_spec, segment_records, segments

_TAGS: Final = frozenset(kind.__struct_config__.tag for kind in (Fill, Reconciled))
"""Of the events that matter, which stand in the second byte of theirs: most records need no decoding."""
Market = tuple[str, str]
"""Venue and symbol."""


class OnRecord(NamedTuple):
    """What one session, or several that follow each other, have of an instrument's trades."""

    reconciled: bool
    """Whether there is a reconciliation to begin at."""
    to_id: int | None
    """What it said; None where it said nothing, or there is none."""
    later: frozenset[int]
    """Trades told after it."""


def trades_on_record(
    sessions: Sequence[Path], instruments: Sequence[Instrument], environment: str
) -> dict[InstrumentId, TradesTold]:
    """Where to go on for each instrument; those left out begin at the venue's newest trade.

    Args:
        sessions: folders, oldest first.
        instruments: of the session that begins.
        environment: sessions of others are passed over.

    Raises:
        JournalError: A session's journal does not verify.
    """
    wanted = {(i.venue, i.symbol) for i in instruments}
    found: dict[Market, OnRecord] = {}
    for folder in reversed(sessions):
        if all(m in found and found[m].reconciled for m in wanted):
            break
        if read_spec(folder).environment == environment:
            found = followed(session_trades(folder), found)
    return resumed(found, instruments)


def resumed(
    found: Mapping[Market, OnRecord], instruments: Sequence[Instrument]
) -> dict[InstrumentId, TradesTold]:
    """The same for the instruments of a session."""
    told = {}
    for instrument in instruments:
        record = found.get((instrument.venue, instrument.symbol))
        if record is not None and record.to_id is not None:
            to_id = record.to_id
            told[instrument.id] = TradesTold(to_id, frozenset(n for n in record.later if n > to_id))
    return told


def session_trades(folder: Path) -> dict[Market, OnRecord]:
    """What one session has, by instrument. Raises: JournalError if its journal does not verify."""
    spec = read_spec(folder)
    found: dict[Market, OnRecord] = {}
    paths = segments(folder)
    for path in reversed(paths):
        if len(found) == len(spec.instruments) and all(r.reconciled for r in found.values()):
            break
        part = _segment_trades(path, spec.instruments, is_last=path == paths[-1])
        found = followed(part, found)
    return found


def followed(
    before: Mapping[Market, OnRecord], after: Mapping[Market, OnRecord]
) -> dict[Market, OnRecord]:
    """Two stretches of time as one."""
    found = dict(before)
    for market, record in after.items():
        if record.reconciled or market not in before:
            found[market] = record
        else:
            earlier = before[market]
            found[market] = earlier._replace(later=earlier.later | record.later)
    return found


def _segment_trades(
    path: Path, instruments: Sequence[Instrument], *, is_last: bool
) -> dict[Market, OnRecord]:
    """What one segment has."""
    ends: dict[InstrumentId, int | None] = {}
    later: dict[InstrumentId, set[int]] = {}
    for record in segment_records(path, is_last=is_last):
        if record.kind is not Kind.EVENT or record.body[1] not in _TAGS:
            continue
        event = event_decoder.decode(record.body)
        if isinstance(event, Reconciled):
            ends[event.instrument] = event.trade_id
            later[event.instrument] = set()
        elif isinstance(event, Fill):
            later.setdefault(event.instrument, set()).add(event.trade_id)
    return {
        (instruments[at].venue, instruments[at].symbol): OnRecord(
            at in ends, ends.get(at), frozenset(later.get(at, ()))
        )
        for at in ends.keys() | later.keys()
    }
