"""Reports over sessions: one, several, and some that cannot be read."""

import json
import re
import shutil
from pathlib import Path

import pytest

from mmd.analytics.periods import Period
from mmd.analytics.report import facts, html, make_report, order_round_trip, warnings, write_report
from mmd.errors import JournalError
from tests.session import instrument
from tests.unit.mmd.analytics.tracks import RecordedSession

NEXT_DAY_NS = 1_700_086_400_000_000_000


@pytest.fixture(scope="module")
def root(
    tmp_path_factory: pytest.TempPathFactory, recorded: RecordedSession, session_folder: Path
) -> Path:
    """A journal folder with a session, a second of the next day, and one whose middle is broken."""
    folder = tmp_path_factory.mktemp("root")
    shutil.copytree(session_folder, folder / "1")
    RecordedSession(folder / "2", 30, started_unix_ns=NEXT_DAY_NS)
    broken = folder / "3"
    shutil.copytree(folder / "2", broken)
    segment = next(broken.iterdir())
    data = bytearray(segment.read_bytes())
    data[5000] ^= 1
    segment.write_bytes(data)
    return folder


def test_one_session(session_folder: Path, recorded: RecordedSession) -> None:
    """Its instruments measured, one period."""
    report = make_report(session_folder)
    assert [m.symbol for m in report.metrics] == ["MMDUSDT"]
    assert (len(report.periods), report.skipped) == (1, [])
    assert report.periods[0].pnl == pytest.approx(report.metrics[0].pnl)
    assert report.metrics[0].activity.fills == recorded.maker.ledger.fill_count


def test_several_sessions(root: Path) -> None:
    """The latest that can be read in full, all by period; what cannot be read is named and left out."""
    report = make_report(root)
    assert report.session.folder.name == "2"
    assert [row.period for row in report.periods] == ["2023-11-14", "2023-11-15"]
    month = make_report(root, Period.MONTH).periods
    assert (len(month), month[0].sessions) == (1, 2)
    assert month[0].pnl == pytest.approx(sum(row.pnl for row in report.periods))
    assert len(report.skipped) == 1
    assert "record does not verify" in warnings(report)[0]


def test_nothing_to_report(tmp_path: Path, root: Path) -> None:
    """No session, or none that can be read, with the reason."""
    with pytest.raises(JournalError, match="holds no session"):
        make_report(tmp_path)
    with pytest.raises(JournalError, match="does not verify"):
        make_report(root / "3")


def test_the_page(session_folder: Path, recorded: RecordedSession, tmp_path: Path) -> None:
    """One file with the header, every plot with a place, the metrics and the configuration."""
    out = tmp_path / "deep" / "report.html"
    write_report(session_folder, out)
    text = out.read_text()
    assert text.startswith("<!doctype html>")
    report = make_report(session_folder)
    assert f"{report.metrics[0].pnl:+,.4f} USDT" in text
    assert "spread_model" in text
    drawn = json.loads(re.search(r"const figures = (.*);\n", text)[1])
    titles = [figure["layout"]["title"]["text"] for figure in drawn]
    assert len(titles) == len(set(titles)) == text.count('class="plot') - 1
    for word in (
        "PnL",
        "Drawdown",
        "Inventory",
        "Quotes",
        "Quote state",
        "Markouts",
        "attribution",
    ):
        assert any(word in title for title in titles), word
    assert any(title.startswith("Order sent to acknowledged") for title in titles)
    assert html(report) == text


def test_unpriced_fees_are_a_warning(session_folder: Path, recorded: RecordedSession) -> None:
    """They are in no PnL, so the reader must know."""
    report = make_report(session_folder)
    assert warnings(report) == []
    report.metrics[0].unpriced_fees["BNB"] = 0.5
    assert "0.50000000 BNB are in no PnL" in warnings(report)[0]


def test_two_instruments(tmp_path: Path) -> None:
    """A chapter each; one that never had a price has nothing to show but does not stop the other."""
    two = (instrument(), instrument(id=1, symbol="QUIETUSDT"))
    RecordedSession(tmp_path / "1", 20, instruments=two, target_atoms=(None, None))
    report = make_report(tmp_path)
    assert [m.symbol for m in report.metrics] == ["MMDUSDT", "QUIETUSDT"]
    assert report.metrics[0].activity.fills > 0
    assert (report.metrics[1].activity.fills, report.metrics[1].pnl) == (0, 0.0)
    assert "<h2>embedded:QUIETUSDT</h2>" in html(report)


def test_facts_name_session_model_and_limits(
    session_folder: Path, recorded: RecordedSession
) -> None:
    """And what capital means."""
    lines = " ".join(facts(make_report(session_folder).session))
    for word in (session_folder.name, "glft", "position limit 1000", "risk.position_notional_max"):
        assert word in lines


def test_round_trips_of_orders(session_folder: Path, recorded: RecordedSession) -> None:
    """One for each acknowledged order; the bench's venue answers at once."""
    track = make_report(session_folder).session.tracks[0]
    durations = order_round_trip(track)
    assert durations.count == (track.orders["accepted_ns"] > 0).sum() > 20
    assert durations.quantile_ns(1.0) == 1000.0
