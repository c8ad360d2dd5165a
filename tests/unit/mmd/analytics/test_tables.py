"""Metrics as text."""

from pathlib import Path

import pytest

from mmd.analytics.bootstrap import Interval
from mmd.analytics.metrics import Metrics, measure
from mmd.analytics.periods import Period, by_period
from mmd.analytics.session import read_session
from mmd.analytics.tables import (
    BARS_MIN,
    PERIOD_HEADER,
    percent,
    percent_span,
    period_cells,
    sections,
    span,
)
from tests.unit.mmd.analytics.tracks import RecordedSession, sample, track


@pytest.fixture(scope="module")
def measured(recorded: RecordedSession, session_folder: Path) -> Metrics:
    """Of the recorded session."""
    return measure(read_session(session_folder).tracks[0], 1000.0)


def texts(metrics: Metrics) -> dict[str, str]:
    return {row.name: row.value for section in sections(metrics) for row in section.rows}


def test_values_are_the_metrics(measured: Metrics) -> None:
    """In their units, sources of PnL by name; of hedging and arbitrage there were none."""
    found = texts(measured)
    assert found["PnL"] == f"{measured.pnl:+,.4f} USDT"
    assert found["rebates"] == f"{measured.attribution.rebates:+,.4f} USDT"
    assert (found["hedging"], found["arbitrage"]) == ("+0.0000 USDT", "+0.0000 USDT")
    assert found["fills"] == str(measured.activity.fills)
    assert found["inside the limit"] == "100.00 %"
    assert found["naive fills/orders"] == percent(measured.fills.naive_ratio)
    edge = measured.markouts[0].markout_bps.estimate
    assert found["markout 0.1 s"] == f"{edge:+.3f} bps"
    assert found["markout 600 s"] == "-"
    assert "withdrawn (risk)" in found


def test_too_few_bars_make_no_ratio(measured: Metrics) -> None:
    """It says how many there are and how many it takes."""
    assert texts(measured)["Sharpe ± standard error"] == f"- (3 of {BARS_MIN} bars)"
    samples = [sample(60 * i, float(i % 7)) for i in range(BARS_MIN + 1)]
    ratio = texts(measure(track(samples=samples), 100.0))["Sharpe ± standard error"]
    assert "±" in ratio
    assert "bars" not in ratio


def test_names_are_not_repeated(measured: Metrics) -> None:
    """Within a section each row is another thing."""
    for section in sections(measured):
        names = [row.name for row in section.rows]
        assert len(names) == len(set(names)) > 0


def test_nothing_at_all_can_be_shown() -> None:
    """A session without a price."""
    found = texts(measure(track(end_s=5.0), 100.0))
    assert found["PnL"] == "+0.0000 USDT"
    assert found["profit factor"] == found["edge"] == found["quoted spread"] == "-"


def test_unpriced_fees_are_shown() -> None:
    """With asset and amount."""
    made = track(samples=[sample(0)])
    made.unpriced_fees["BNB"] = 0.25
    assert texts(measure(made, 100.0))["unpriced fees"] == "0.25000000 BNB"


def test_period_cells_fit_their_header() -> None:
    """One cell a column."""
    (row,) = by_period([(track(samples=[sample(0), sample(3600, 2.5)]), 100.0)], Period.DAY)
    cells = dict(zip(PERIOD_HEADER, period_cells(row), strict=True))
    assert (cells["period"], cells["hours"]) == ("1970-01-01", "1.00")
    assert cells["PnL"] == "+2.5000 USDT"


def test_spans_and_percents() -> None:
    """Scaled, or empty."""
    assert span(Interval(0.5, 0.25, 0.75, 9), ".2f") == "0.25 … 0.75"
    assert percent_span(Interval(0.5, 0.25, 0.75, 9)) == "25.0 … 75.0 %"
    nothing = Interval(0.5, None, None, 9)
    assert span(nothing, ".0f") == percent_span(nothing) == ""
    assert (percent(0.5), percent(None)) == ("50.00 %", "-")
