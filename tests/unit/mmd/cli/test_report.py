"""`mmd report` for people, for programs and as HTML."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mmd.cli.main import app
from mmd.errors import ConfigError, JournalError
from tests.unit.mmd.analytics.tracks import RecordedSession


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal folder with one session."""
    folder = tmp_path_factory.mktemp("journal")
    RecordedSession(folder / "20260101T000000-1", 30)
    return folder


def mmd(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


def test_tables_and_html(root: Path, tmp_path: Path) -> None:
    """Printed, and written where it is asked for; its size is told."""
    out = tmp_path / "report.html"
    done = mmd(root, "--out", out)
    assert done.exit_code == 0
    assert "PnL and its causes" in done.stdout
    assert "2023-11-14" in done.stdout
    assert f"{out.stat().st_size:,} bytes" in done.stdout.replace("\n", "")
    assert out.read_text().startswith("<!doctype html>")


def test_definitions_where_there_is_room(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A narrow terminal shows metric, value and interval."""
    assert "what fills of quotes were better" not in mmd(root).stdout
    monkeypatch.setenv("COLUMNS", "200")
    assert "what fills of quotes were better" in mmd(root).stdout


def test_json(root: Path) -> None:
    """One object; a week by its ISO number."""
    found = json.loads(mmd(root / "20260101T000000-1", "--json", "--period", "week").stdout)
    assert set(found) == {"session", "metrics", "periods", "skipped"}
    assert found["metrics"][0]["symbol"] == "MMDUSDT"
    assert found["periods"][0]["period"] == "2023-W46"
    assert found["periods"][0]["pnl"] == pytest.approx(found["metrics"][0]["pnl"])


def test_refusals(root: Path, tmp_path: Path) -> None:
    """A period that there is not, a folder without sessions."""
    error = mmd(root, "--period", "year").exception
    assert isinstance(error, ConfigError)
    assert "expected one of day, week, month" in str(error)
    assert isinstance(mmd(tmp_path).exception, JournalError)
