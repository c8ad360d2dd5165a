"""All metrics of a recorded session together."""

from pathlib import Path

import msgspec
import pytest

from mmd.analytics.metrics import Metrics, activity, allocated_capital, measure
from mmd.analytics.session import read_session
from tests.session import instrument, risk, session_spec
from tests.unit.mmd.analytics.tracks import RecordedSession, fill, sample, track


def test_activity_by_hand() -> None:
    """Twice 1.00 traded on a capital of 4 in half a day: turnover 1; PnL 0.02 is 100 bps of it."""
    made = track(
        [fill(10, 1, 10_000, 10, fee=0.001), fill(20, -1, 10_000, 10, fee=-0.003, is_maker=False)],
        [sample(0), sample(43_200, 0.02)],
    )
    found = activity(made, 4.0)
    assert (found.fills, found.maker_fills, found.orders) == (2, 1, 0)
    assert found.notional == pytest.approx(2.0)
    assert found.turnover_per_day == pytest.approx(1.0)
    assert found.profit_per_share_bps == pytest.approx(100.0)
    assert found.fees_per_notional_bps == pytest.approx(-10.0)


def test_activity_of_nothing() -> None:
    """Ratios without a denominator are absent."""
    found = activity(track(), 4.0)
    assert (found.turnover_per_day, found.profit_per_share_bps) == (None, None)


def test_capital_is_stated_or_the_limit() -> None:
    """A stated one is shared by the instruments."""
    assert allocated_capital(session_spec(risk=risk(position_notional_max=700))) == 700.0
    two = (instrument(), instrument(id=1, symbol="OTHERUSDT"))
    spec = session_spec(instruments=two, risk=risk(capital_base=5000), target_atoms=(None, None))
    assert allocated_capital(spec) == 2500.0


def test_a_recorded_session(recorded: RecordedSession, session_folder: Path) -> None:
    """Parts agree with each other, survive JSON, and come out the same a second time."""
    track = read_session(session_folder).tracks[0]
    found = measure(track, 1000.0)
    assert found.attribution.total == pytest.approx(found.pnl)
    assert found.activity.fills == len(track.fills) == found.markouts[0].markout_bps.count
    assert found.drawdown_of_capital == found.drawdown / 1000.0 > 0.0
    assert found.inventory.within_limit == 1.0
    assert sum(s.share for s in found.states) == pytest.approx(1.0)
    assert {p.level for p in found.markouts_by_level} == set(track.fills["level"].tolist())
    assert found.sharpe.annualised.count == 3
    decoded = msgspec.json.decode(msgspec.json.encode(found), type=Metrics)
    assert decoded == found == measure(track, 1000.0)
