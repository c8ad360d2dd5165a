"""Days, weeks and months in UTC."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mmd.analytics.periods import Period, by_period, chained, cut
from mmd.analytics.session import read_session
from tests.unit.mmd.analytics.tracks import RecordedSession, fill, sample, track

HOUR_S = 3600


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def over_new_year():
    """Ten hours from 2024-12-31 20:00, earning 1 an hour; a fill an hour."""
    start = at("2024-12-31T20:00")
    samples = [sample(start + HOUR_S * h, float(h)) for h in range(11)]
    fills = [fill(start + HOUR_S * h + 60, 1, 10_000, 1000) for h in range(10)]
    return track(fills, samples, start_s=start, end_s=start + 10 * HOUR_S)


@pytest.mark.parametrize(
    ("period", "labels"),
    [
        (Period.DAY, ["2024-12-31", "2025-01-01"]),
        (Period.WEEK, ["2025-W01"]),
        (Period.MONTH, ["2024-12", "2025-01"]),
    ],
)
def test_labels(period: Period, labels: list[str]) -> None:
    """Weeks are ISO weeks: that of new year began on Monday, 30 December."""
    assert [label for label, _ in cut(over_new_year(), period)] == labels


def test_rows_by_hand() -> None:
    """Four hours in the old year, six in the new; the last hour's PnL is counted where it was sampled."""
    rows = by_period([(over_new_year(), 500.0)], Period.DAY)
    assert [row.hours for row in rows] == [4.0, 6.0]
    assert [row.fills for row in rows] == [4, 6]
    assert sum(row.pnl for row in rows) == pytest.approx(10.0)
    assert [row.pnl for row in rows] == [3.0, 7.0]
    assert [row.attribution.spread for row in rows] == [3.0, 7.0]
    assert rows[0].notional == pytest.approx(400.0)
    assert rows[0].turnover_per_day == pytest.approx(400.0 / 500.0 / (4 / 24))
    assert rows[0].profit_per_share_bps == pytest.approx(1e4 * 3.0 / 400.0)


def test_sessions_of_one_day_are_one_row() -> None:
    """A rise of 3, then a fall of 2 in the next session: the drawdown spans both."""
    day = at("2026-03-04T00:00")
    first = track(samples=[sample(day, 0.0), sample(day + 60, 3.0)], start_s=day)
    second = track(samples=[sample(day + 90, 7.0), sample(day + 150, 5.0)], start_s=day + 90)
    other = track(samples=[sample(day, 0.0), sample(day + 60, 1.0)], start_s=day, symbol="ZZUSDT")
    rows = by_period([(first, 100.0), (second, 300.0), (other, 100.0)], Period.MONTH)
    assert [(row.symbol, row.sessions) for row in rows] == [("MMDUSDT", 2), ("ZZUSDT", 1)]
    assert (rows[0].pnl, rows[0].drawdown) == (1.0, 2.0)
    assert rows[0].drawdown_of_capital == pytest.approx(0.01)
    assert rows[0].sharpe.annualised.count == 2
    assert chained([first, second])[1].tolist() == [0.0, 3.0, 3.0, 1.0]


def test_no_samples_no_pnl() -> None:
    """A session that ended before its first price."""
    (row,) = by_period([(track(start_s=10.0, end_s=20.0), 100.0)], Period.DAY)
    assert (row.pnl, row.drawdown, row.fills) == (0.0, 0.0, 0)


def test_a_recorded_session_is_the_sum_of_its_days(
    tmp_path: Path,
) -> None:
    """One that runs over midnight, cut there."""
    folder = tmp_path / "session"
    start_ns = int(at("2026-05-31T23:59")) * 10**9
    RecordedSession(folder, 120, started_unix_ns=start_ns)
    whole = read_session(folder).tracks[0]
    for period, labels in (
        (Period.DAY, ["2026-05-31", "2026-06-01"]),
        (Period.MONTH, ["2026-05", "2026-06"]),
    ):
        rows = by_period([(whole, 1000.0)], period)
        assert [row.period for row in rows] == labels
        assert sum(row.pnl for row in rows) == pytest.approx(whole.pnl, abs=1e-9)
        assert sum(row.attribution.total for row in rows) == pytest.approx(whole.pnl, abs=1e-9)
        assert all(row.fills > 0 for row in rows)
        assert sum(row.fills for row in rows) == len(whole.fills)
