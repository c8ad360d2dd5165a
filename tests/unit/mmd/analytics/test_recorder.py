"""What a recorder keeps of a replay that it watches itself."""

from pathlib import Path

import numpy as np
import pytest

from mmd.analytics.attribution import attribution
from mmd.analytics.recorder import Recorder
from mmd.analytics.session import read_session
from mmd.core.engine import Engine
from mmd.core.events import Decision, Fill
from mmd.core.inventory.pnl import Pnl
from mmd.core.orders.order import OrderPurpose
from mmd.core.units import Side
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
    recorders[0].settle()
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


def test_hedges_and_arbitrage_are_told_apart(
    recorded: RecordedSession, session_folder: Path
) -> None:
    """Lots that a hedge sells and an arbitrage buys, both worse than the mid: what the mid's move makes of each is theirs."""
    engine = replay(session_folder).engine
    maker = engine.makers[0]
    recorder, mid, now_ns = Recorder(maker), maker.view.mid_half_ticks, engine.now_ns
    recorder.sample(now_ns)
    for number, side, purpose in (
        (1, Side.SELL, OrderPurpose.HEDGE),
        (2, Side.BUY, OrderPurpose.ARBITRAGE),
    ):
        price = mid // 2 + 3 * side.sign
        event = Fill(
            now_ns,
            maker.instrument.id,
            number,
            0,
            10**9 + number,
            side,
            price,
            10,
            False,
            0,
            "USDT",
            0,
        )
        maker.ledger.on_fill(event, mid, now_ns, purpose)
    maker.view.mid_half_ticks = mid + 40
    maker.ledger.on_mid(mid + 40, now_ns)
    recorder.sample(now_ns)
    before, after = recorder.samples.table
    lot_ticks = 10 * 0.001 * 0.01
    gained = {
        name: after[name] - before[name] for name in ("hedging", "arbitrage", "edge", "drift")
    }
    assert gained["hedging"] + gained["arbitrage"] == pytest.approx(-2 * 3 * lot_ticks)
    assert gained["arbitrage"] == pytest.approx((20 - 3 + (mid % 2) * 0.5) * lot_ticks)
    assert gained["edge"] == 0.0
    moved = 40 * 0.5 * 0.01 * maker.ledger.position_atoms / 1e8
    assert gained["drift"] == pytest.approx(moved)
    assert after["equity"] - before["equity"] == pytest.approx(sum(gained.values()))


def test_a_broken_identity_stops_it(
    recorded: RecordedSession, session_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PnL by balances and by causes must agree at every sample."""
    monkeypatch.setattr(Pnl, "identity_error", property(lambda _: 1))
    with pytest.raises(AssertionError, match="off by 1 units"):
        read_session(session_folder)
