"""What a new session must know of the one before it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from mmd.core.commands import PlaceOrder, ReplaceOrder
from mmd.core.events import DayMark, Reconciled
from mmd.core.trading_day import DayState, day_of
from mmd.core.units import NANOS_PER_SECOND
from mmd.journal.format import Kind, event_decoder
from mmd.journal.reader import read_spec, records, segment_records, segments

_NEW_ORDERS: Final = frozenset(kind.__struct_config__.tag for kind in (PlaceOrder, ReplaceOrder))
_MARK: Final = DayMark.__struct_config__.tag
"""Tags stand in the second byte of a command or event: what is not looked for needs no decoding."""
_FRESH_NS = 3_600 * NANOS_PER_SECOND
"""A journal that nobody has written to for so long needs no reading: all that it sent has arrived or expired."""


class Moment(NamedTuple):
    """When something happened, by the wall clock and by the clock that never goes back (of that boot)."""

    unix_ns: int
    monotonic_ns: int

    def age_ns(self, now: "Moment") -> int:
        """How long ago it was at least, by either clock; 0 where neither can tell.

        The wall clock may have been set, and the other begins anew when the machine does.
        """
        unix_ns = now.unix_ns - self.unix_ns
        monotonic_ns = now.monotonic_ns - self.monotonic_ns
        return max(0, min(unix_ns, monotonic_ns if monotonic_ns >= 0 else unix_ns))


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


def last_order_sent(sessions: Sequence[Path], now: Moment, environment: str) -> Moment | None:
    """When the last session of an environment decided on its last new order; None where there was none.

    Until the receive window after that is over, such an order may still be on its way to the venue, although
    the process that sent it is dead.

    Args:
        sessions: folders, oldest first.
        now: sessions that were last written to long before are not read.
        environment: sessions of others are passed over.

    Raises:
        JournalError: The session's journal does not verify.
    """
    for folder in reversed(sessions):
        if read_spec(folder).environment != environment:
            continue
        if now.unix_ns - segments(folder)[-1].stat().st_mtime_ns > _FRESH_NS:
            return None
        sent = last_new_order(folder)
        if sent is not None:
            return sent
    return None


def last_new_order(folder: Path) -> Moment | None:
    """When a session decided on its last new order. Raises: JournalError if its journal does not verify."""
    spec = read_spec(folder)
    started_ns = spec.started_unix_ns - spec.started_monotonic_ns
    paths = segments(folder)
    for path in reversed(paths):
        decided = ordered = b""
        for record in segment_records(path, is_last=path == paths[-1]):
            if record.kind is Kind.EVENT:
                decided = record.body
            elif record.kind is Kind.COMMAND and decided and record.body[1] in _NEW_ORDERS:
                ordered = decided
        if ordered:  # commands follow their decision directly
            at_ns = event_decoder.decode(ordered).ts_recv_ns
            return Moment(started_ns + at_ns, at_ns)
    return None


def _last_mark(folder: Path) -> DayState | None:
    """The last DayMark of a session, by reading as few segments as it takes."""
    paths = segments(folder)
    for path in reversed(paths):
        found = None
        for record in segment_records(path, is_last=path == paths[-1]):
            if record.kind is Kind.EVENT and record.body[1] == _MARK:
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
