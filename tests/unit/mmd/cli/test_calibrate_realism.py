"""`mmd calibrate` and `mmd realism` on a tape of a generated market."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mmd.calibration.catalogue import find_preset, write_preset
from mmd.calibration.generated_rows import generate_rows, preset_instrument
from mmd.cli.main import app
from mmd.errors import ConfigError, TapeError
from mmd.exchange.presets import FlowPreset
from mmd.tape.format import TapeHeader
from mmd.tape.writer import TapeWriter
from tests.generated_markets import table_preset


def _tape(path: Path, preset: FlowPreset, span_s: float) -> Path:
    header = TapeHeader(instrument=preset_instrument(preset), source="generated", command="made")
    writer = TapeWriter(path, header)
    for rows in generate_rows(preset, 3, span_s, warm_up_s=5.0):
        writer.write(rows)
    writer.close()
    return path


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes."""
    return _tape(tmp_path_factory.mktemp("tapes") / "made.tape.parquet", table_preset(), 120.0)


def mmd(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_a_calibrated_preset_is_a_file_that_other_commands_take(tape: Path, tmp_path: Path) -> None:
    """It says where it is from; realism compares it with the tape in one HTML file and a table."""
    out, page = tmp_path / "made.json", tmp_path / "made.html"
    told = mmd("calibrate", tape, "-o", out, "--about", "a test")
    assert told.exit_code == 0, told.output
    assert "phi" in told.stdout
    preset = find_preset(str(out))
    assert preset.about == "a test"
    assert preset.command.startswith("made; mmd ")
    again = mmd("calibrate", tape, "-o", tmp_path / "again.json", "--about", "a test", "--json")
    assert json.loads(again.stdout)["phi"] == pytest.approx(preset.informed_share, abs=1e-6)
    shown = mmd("realism", out, tape, "--report", page, "--for", "60s")
    assert shown.exit_code == 0, shown.output
    rows = [line.split("|")[1:5] for line in shown.stdout.splitlines() if line.startswith("| ")]
    spread = next(row for row in rows if row[0].strip() == "spread (ticks): mean")
    assert float(spread[1]) == pytest.approx(float(spread[2]), rel=0.3)
    assert 0.0 <= float(spread[3]) < 0.5
    html = page.read_text(encoding="utf-8")
    assert "<script" in html
    assert 'src="http' not in html
    assert "KS distance" in html


def test_realism_against_itself_finds_no_distance(tape: Path, tmp_path: Path) -> None:
    """The tape's own preset and seed: every distance is small, volatility is within a fifth."""
    write_preset(table_preset(), tmp_path / "same.json")
    page = tmp_path / "same.html"
    shown = mmd("realism", tmp_path / "same.json", tape, "--report", page, "--seed", "4")
    assert shown.exit_code == 0, shown.output
    distances = [line.split("|")[4] for line in shown.stdout.splitlines() if line.startswith("| ")]
    found = [float(d) for d in distances if d.strip().replace(".", "").isdigit()]
    assert len(found) == 7
    assert max(found) < 0.15


def test_impossible_requests_are_refused(tape: Path, tmp_path: Path) -> None:
    """A name that is no .json, tapes of two grids, a preset that is none, a tape that is none."""
    other = _tape(tmp_path / "other.tape.parquet", table_preset(lot_size=Decimal("0.01")), 1.0)
    out = tmp_path / "x.json"
    for arguments, error, complaint in (
        (("calibrate", tape, "-o", tmp_path / "x.txt"), ConfigError, "ends in .json"),
        (("calibrate", tape, other, "-o", out), ConfigError, "calibrate it apart"),
        (("calibrate", other, "-o", out), TapeError, "expected at least 50 market orders"),
        (("calibrate", tmp_path / "no", "-o", out), TapeError, "cannot be read"),
        (("realism", "wild", tape, "--report", out), ConfigError, "expected one of calm"),
    ):
        result = mmd(*arguments)
        assert isinstance(result.exception, error)
        assert complaint in str(result.exception)
        assert not out.exists()
