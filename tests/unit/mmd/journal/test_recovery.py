"""Inventory is measured from the same holdings after a restart."""

from pathlib import Path

import pytest

from mmd.core.events import Reconciled, Timer
from mmd.core.units import InstrumentId
from mmd.errors import JournalError
from mmd.journal.recovery import inventory_targets
from mmd.journal.writer import JournalWriter
from tests.session import instrument, session_spec

TWO = (instrument(), instrument(id=InstrumentId(1), symbol="ODDUSDT", base="ODD"))


def written(folder: Path, *reconciled: tuple[int, int], **spec: object) -> Path:
    """A session over two instruments with these (instrument, holdings) reconciliations."""
    whole = session_spec(**({"instruments": TWO, "target_atoms": (None, None)} | spec))
    with JournalWriter(folder, whole, segment_bytes=1, sync_ns=10**7) as journal:
        for number, (which, atoms) in enumerate(reconciled):
            journal.event(Timer(number))
            journal.event(Reconciled(number, "embedded", InstrumentId(which), atoms))
    return folder


def test_the_first_holdings_found_are_the_target(tmp_path: Path) -> None:
    """Later reconciliations contain our own trades, and say nothing of it."""
    session = written(tmp_path / "s", (0, 500), (1, 70), (0, 900))
    assert inventory_targets(session) == {("embedded", "MMDUSDT"): 500, ("embedded", "ODDUSDT"): 70}


def test_a_carried_target_is_carried_on(tmp_path: Path) -> None:
    """Over any number of restarts, also where the session never came to reconcile."""
    session = written(tmp_path / "s", (0, 900), target_atoms=(500, 0))
    assert inventory_targets(session) == {("embedded", "MMDUSDT"): 500, ("embedded", "ODDUSDT"): 0}
    failed = written(tmp_path / "t", target_atoms=(500, None))
    assert inventory_targets(failed) == {("embedded", "MMDUSDT"): 500}


def test_what_was_never_reconciled_has_no_target(tmp_path: Path) -> None:
    """It is measured from what is found next time."""
    assert inventory_targets(written(tmp_path / "s", (1, 70))) == {("embedded", "ODDUSDT"): 70}


def test_a_journal_that_does_not_verify_is_refused(tmp_path: Path) -> None:
    """A position must not be guessed."""
    session = written(tmp_path / "s", (0, 500))
    segment = session / "000001.mmdj"
    data = bytearray(segment.read_bytes())
    data[20] ^= 1
    segment.write_bytes(data)
    with pytest.raises(JournalError, match="does not verify"):
        inventory_targets(session)
