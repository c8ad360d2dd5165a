"""What a new session must know of the one before it."""

from collections.abc import Sequence
from pathlib import Path

from mmd.core.events import DayMark, Reconciled
from mmd.core.trading_day import DayState, day_of
from mmd.journal.format import Kind, event_decoder
from mmd.journal.reader import read_spec, records, segment_records, segments


def inventory_targets(folder: Path) -> dict[tuple[str, str], int]:
    """Base holdings, in atoms, that the session counted as no inventory, by (venue, symbol).

    A restart measures its inventory against the same target, so that a position is carried over and fills
    that happened while no daemon was running are part of it. Instruments that were never reconciled are
    left out.

    Raises:
        JournalError: The session's journal does not verify.
    """
    spec = read_spec(folder)
    targets = {i: target for i, target in enumerate(spec.target_atoms) if target is not None}
    for record in records(folder):
        if record.kind is Kind.EVENT:
            event = event_decoder.decode(record.body)
            if isinstance(event, Reconciled):
                targets.setdefault(event.instrument, event.base_atoms)
            if len(targets) == len(spec.instruments):
                break
    return {(spec.instruments[i].venue, spec.instruments[i].symbol): t for i, t in targets.items()}


def day_state(
    sessions: Sequence[Path], unix_ns: int, starts_s: int, *, environment: str | None = None
) -> DayState | None:
    """What earlier sessions made of the day that unix_ns belongs to; None where there were none.

    Each session is searched from its end for the last DayMark, and stands for what was handed to it if it came
    to none; sessions that began on another day end the search.

    Args:
        sessions: folders, oldest first.
        unix_ns: now.
        starts_s: when days start, seconds of UTC.
        environment: look at sessions of this one alone: play money and real money know nothing of each other.

    Raises:
        JournalError: A session's journal does not verify.
    """
    day = day_of(unix_ns, starts_s)
    for folder in reversed(sessions):
        spec = read_spec(folder)
        if environment not in (None, spec.environment):
            continue
        found = _last_mark(folder) or spec.day
        if found is not None:
            return found if found.day == day else None
        if day_of(spec.started_unix_ns, starts_s) != day:
            return None
    return None


def _last_mark(folder: Path) -> DayState | None:
    """The last DayMark of a session, by reading as few segments as it takes."""
    paths = segments(folder)
    for path in reversed(paths):
        found = None
        for record in segment_records(path, is_last=path == paths[-1]):
            if record.kind is Kind.EVENT:
                event = event_decoder.decode(record.body)
                if isinstance(event, DayMark):
                    found = event
        if found is not None:
            return DayState(
                day=found.day,
                currency=found.currency,
                pnl_atoms=found.pnl_atoms,
                peak_atoms=found.peak_atoms,
            )
    return None
