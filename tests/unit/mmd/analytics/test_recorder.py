"""What a recorder keeps of a replay that it watches itself."""

from pathlib import Path

import numpy as np
import pytest

from mmd.analytics.attribution import attribution
from mmd.analytics.recorder import Recorder
from mmd.analytics.session import read_session
from mmd.core.engine import Engine
from mmd.core.events import Decision
from mmd.core.inventory.pnl import Pnl
from mmd.journal.format import Kind, Record, event_decoder
from mmd.journal.replay import replay
from tests.unit.mmd.analytics.tracks import RecordedSession


def watched(folder: Path, samples_max: int) -> Recorder:
    """A recorder of samples alone."""
    recorders: list[Recorder] = []

    def observe(engine: Engine, record: Record) -> None:
        if not recorders:
            recorders.append(Recorder(engine.makers[0], samples_max))
        if record.kind is Kind.EVENT and isinstance(event_decoder.decode(record.body), Decision):
            recorders[0].on_decision(engine.now_ns)

    replay(folder, observe)
    return recorders[0]


def test_samples_are_bounded(recorded: RecordedSession, session_folder: Path) -> None:
    """Coarser the longer it lasts; what is kept is what a finer grid has at those times."""
    fine = read_session(session_folder).tracks[0].samples
    coarse = watched(session_folder, 40).samples.table
    assert 20 <= len(coarse) < 40
    assert np.median(np.diff(coarse["ts_ns"])) == 8_000_000_000
    kept = fine[np.isin(fine["ts_ns"] - fine["ts_ns"][0], coarse["ts_ns"] - coarse["ts_ns"][0])]
    assert len(kept) == len(coarse)
    for name in ("mid_half_ticks", "position_atoms", "equity", "mid_after_half_ticks"):
        assert (kept[name] == coarse[name]).all(), name


def test_funding_comes_out_of_the_journal(tmp_path: Path) -> None:
    """A payment in the middle of a session: replayed to the same PnL, and a cause of it in the report."""
    folder = tmp_path / "funded"
    session = RecordedSession(folder, 20, funding_atoms=-3_000_000)
    read = read_session(folder)
    causes = attribution(read.tracks[0])
    assert causes.funding == pytest.approx(-0.03, abs=1e-12)
    pnl = session.maker.ledger.pnl
    assert pnl is not None
    assert read.tracks[0].samples["equity"][-1] == float(
        pnl.position.money.decimal(pnl.total_units)
    )


def test_a_broken_identity_stops_it(
    recorded: RecordedSession, session_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PnL by balances and by causes must agree at every sample."""
    monkeypatch.setattr(Pnl, "identity_error", property(lambda _: 1))
    with pytest.raises(AssertionError, match="off by 1 units"):
        read_session(session_folder)
