"""A journal as columns agrees with the engine that made it."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from mmd.analytics.attribution import attribution
from mmd.analytics.session import Session, read_session
from mmd.core.flow.markout import HORIZONS_NS
from mmd.core.quoting.quote_state import QuoteState
from mmd.core.units import NANOS_PER_SECOND, Side
from mmd.errors import JournalError
from mmd.journal import replay as module
from mmd.journal.format import Kind, command_decoder, event_decoder
from mmd.journal.reader import read_spec, records
from tests.unit.mmd.analytics.tracks import RecordedSession


@pytest.fixture(scope="module")
def session(recorded: RecordedSession, session_folder: Path) -> Session:
    """Read once."""
    assert recorded.maker.ledger.fill_count > 50
    return read_session(session_folder)


def of_type(folder: Path, name: str) -> list:
    """All events or commands of a type."""
    decoders = {Kind.EVENT: event_decoder, Kind.COMMAND: command_decoder}
    decoded = (decoders[r.kind].decode(r.body) for r in records(folder) if r.kind in decoders)
    return [d for d in decoded if type(d).__name__ == name]


def test_pnl_is_the_engines(session: Session, recorded: RecordedSession) -> None:
    """The last sample is the session's end; causes as the engine counts them, rebates apart."""
    pnl = recorded.maker.ledger.pnl
    money, causes = pnl.position.money, pnl.attribution
    track = session.tracks[0]
    assert track.pnl == pytest.approx(float(money.decimal(pnl.total_units)), abs=1e-12)
    found = attribution(track)
    assert found.spread == pytest.approx(float(money.decimal(causes.edge_units)), abs=1e-12)
    assert found.inventory == pytest.approx(float(money.decimal(causes.inventory_units)), abs=1e-9)
    assert found.fees + found.rebates == pytest.approx(
        -float(money.decimal(causes.fee_units)), abs=1e-9
    )
    assert found.rebates > 0.0 > found.fees


def test_fills_are_the_journals(session: Session, session_folder: Path) -> None:
    """One row each, with side, price, quantity, time in unix nanoseconds and the order's level."""
    fills, spec = session.tracks[0].fills, read_spec(session_folder)
    expected = of_type(session_folder, "Fill")
    assert len(fills) == len(expected)
    for row, fill in zip(fills, expected, strict=True):
        assert row["sign"] == fill.side.sign
        assert (row["price_ticks"], row["qty_lots"]) == (fill.price_ticks, fill.qty_lots)
        assert row["ts_ns"] - spec.started_unix_ns == fill.ts_recv_ns - spec.started_monotonic_ns
        if fill.fee_asset == "USDT":
            assert row["fee"] == pytest.approx(fill.fee_atoms / 1e8)
        else:
            assert row["fee"] == pytest.approx(fill.fee_atoms / 1e8 * row["mid_half_ticks"] / 200)
    assert set(fills["level"].tolist()) <= {0, 1, 2}


def test_markouts_are_the_engines(session: Session, recorded: RecordedSession) -> None:
    """Quantity-weighted means by side equal the engine's own, at every horizon that has passed."""
    fills = session.tracks[0].fills
    judged = 0
    for side in Side:
        mine = fills[fills["sign"] == side.sign]
        for horizon, curve in enumerate(recorded.maker.ledger.markouts.curve(side)):
            after = mine["mid_after_half_ticks"][:, horizon]
            known = mine[after > 0]
            assert len(known) == curve.fills
            judged += len(known)
            if curve.fills > 0:
                moved = side.sign * (after[after > 0] - known["mid_half_ticks"]) / 2
                mean = np.average(moved, weights=known["qty_lots"])
                assert mean == pytest.approx(curve.adverse_ticks)
    assert judged > 100


def test_orders_are_the_journals(session: Session, session_folder: Path) -> None:
    """Every order sent, in order of its id; fills add up; those that ended say when."""
    orders, fills = session.tracks[0].orders, session.tracks[0].fills
    sent = of_type(session_folder, "PlaceOrder") + of_type(session_folder, "ReplaceOrder")
    assert orders["client_order_id"].tolist() == sorted(o.client_order_id for o in sent)
    by_id = {o.client_order_id: o for o in sent}
    for row in orders:
        command = by_id[int(row["client_order_id"])]
        assert (row["price_ticks"], row["qty_lots"]) == (command.price_ticks, command.qty_lots)
        assert row["sign"] == command.side.sign
    assert orders["filled_lots"].sum() == fills["qty_lots"].sum()
    assert (orders["accepted_ns"] >= orders["ts_ns"]).all()
    ended = {e.client_order_id for e in of_type(session_folder, "OrderEnded")}
    full = orders["filled_lots"] == orders["qty_lots"]
    gone = np.isin(orders["client_order_id"], sorted(ended)) | full
    assert ((orders["ended_ns"] > 0) == gone).all()
    assert 0 < (~gone).sum() <= 6


def test_samples_stand_on_the_grid(session: Session, recorded: RecordedSession) -> None:
    """One a second, with the book's touch, our quotes and the inventory."""
    samples = session.tracks[0].samples
    assert len(samples) == pytest.approx(180, abs=3)
    assert np.median(np.diff(samples["ts_ns"])) == NANOS_PER_SECOND
    assert (2 * samples["bid_ticks"] + 2 == samples["mid_half_ticks"]).all()
    two_sided = (samples["our_bid_ticks"] > 0) & (samples["our_ask_ticks"] > 0)
    assert two_sided.mean() > 0.8
    assert (samples["our_bid_ticks"] < samples["our_ask_ticks"])[two_sided].all()
    assert samples["position_atoms"][-1] == recorded.maker.ledger.position_atoms
    assert (np.diff(samples["quoted_lots"], axis=1) >= 0).all()
    assert samples["quoted_lots"][:, -1].max() > 0


def test_states_follow_each_other(session: Session, recorded: RecordedSession) -> None:
    """Active, withdrawn while halted, active again; no row repeats the one before it."""
    states = session.tracks[0].states
    assert states["state"][-1] == recorded.maker.state == QuoteState.ACTIVE
    halted = np.flatnonzero(states["state"] == QuoteState.WITHDRAWN)
    assert len(halted) == 1
    lasted_ns = states["ts_ns"][halted + 1] - states["ts_ns"][halted]
    assert lasted_ns[0] == 5 * NANOS_PER_SECOND
    pairs = list(zip(states["state"].tolist(), states["reason"].tolist(), strict=True))
    assert all(a != b for a, b in itertools.pairwise(pairs))
    assert (np.diff(states["ts_ns"]) >= 0).all()


def test_parts_add_up(session: Session) -> None:
    """PnL, fills and orders of neighbouring spans are the whole's, wherever it is cut."""
    whole = session.tracks[0]
    rng = np.random.default_rng(3)
    for cuts in np.sort(rng.integers(whole.start_ns, whole.end_ns, (20, 2))):
        edges = [whole.start_ns, *cuts.tolist(), whole.end_ns]
        parts = [whole.between(a, b) for a, b in itertools.pairwise(edges)]
        assert sum(p.pnl for p in parts) == pytest.approx(whole.pnl, abs=1e-9)
        assert sum(attribution(p).total for p in parts) == pytest.approx(whole.pnl, abs=1e-9)
        assert sum(len(p.fills) for p in parts) == len(whole.fills)
        assert sum(len(p.orders) for p in parts) == len(whole.orders)
        assert all(p.states["ts_ns"][0] >= p.start_ns for p in parts if len(p.states) > 0)


def test_the_session_lasts_to_its_last_event(session: Session) -> None:
    """From its start by the spec."""
    assert session.duration_s == pytest.approx(181.0, rel=1e-3)


def test_a_decision_comes_after_its_market_data(session: Session) -> None:
    """The bench's clock stands still meanwhile: every batch takes no time."""
    assert session.tick_to_decision.count > 100
    assert session.tick_to_decision.quantile_ns(1.0) == 1_000.0


def test_another_decision_is_refused(
    recorded: RecordedSession, session_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal that this engine would not have made is no base for numbers."""
    untouched = module.records

    def without_fills(folder: Path):
        found = list(untouched(folder))
        first = next(
            r
            for r in found
            if r.kind is Kind.EVENT and "Fill" in type(event_decoder.decode(r.body)).__name__
        )
        return (r for r in found if r is not first)

    monkeypatch.setattr(module, "records", without_fills)
    with pytest.raises(JournalError, match="decides otherwise than the recorded test did"):
        read_session(session_folder)


def test_horizons_are_those_of_the_engine(session: Session) -> None:
    """A column for each."""
    assert session.tracks[0].fills["mid_after_half_ticks"].shape[1] == len(HORIZONS_NS)
