"""What a new session must know of the one before it."""

from pathlib import Path

from mmd.core.events import Reconciled
from mmd.journal.format import Kind, event_decoder
from mmd.journal.reader import read_spec, records


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
