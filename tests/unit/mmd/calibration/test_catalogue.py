"""Presets by name and by file."""

from pathlib import Path

import pytest

from mmd.calibration.catalogue import find_preset, preset_names, write_preset
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import ConfigError
from mmd.exchange.presets import SYNTHETIC
from mmd.exchange.stress_presets import STRESS
from tests.generated_markets import flow_of, table_preset

MEASURED = [n for n in preset_names() if n not in SYNTHETIC and n not in STRESS]


def test_measured_presets_are_shipped_with_their_source() -> None:
    """Each says what it is, the command that made it, and what its data could not tell."""
    assert {"btcusdt", "nexousdt", "etf510050"} <= set(MEASURED)
    for name in MEASURED:
        preset = find_preset(name)
        assert preset.tables is not None
        assert "mmd calibrate" in preset.command
        assert len(preset.about) > 10
        assert len(preset.not_estimated) > 0
        assert "/" not in preset.command.replace("/s", "")


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_runs_uncrossed_and_two_sided(name: str) -> None:
    """Twenty seconds from a cold start."""
    exchange, flow = flow_of(find_preset(name), 2)
    book = exchange.markets[0].book
    for step in range(1, 200):
        flow.advance(step * NANOS_PER_SECOND // 10)
        bid, ask = book.best_bid, book.best_ask
        assert bid is not None
        assert ask is not None
        assert bid < ask


def test_a_written_preset_reads_back(tmp_path: Path) -> None:
    """Tables included."""
    path = tmp_path / "mine.json"
    write_preset(table_preset(), path)
    assert find_preset(str(path)) == table_preset()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"tables": 3}', "expected a preset, found Expected"),
        ("rubbish", "expected a preset, found JSON"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, complaint: str) -> None:
    """With what was found."""
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        find_preset(str(path))


def test_unknown_names_and_absent_files_are_refused(tmp_path: Path) -> None:
    """The names that there are come with the complaint."""
    with pytest.raises(
        ConfigError, match=r"expected one of calm, default, .*flash_crash.*found 'wild'"
    ):
        find_preset("wild")
    with pytest.raises(ConfigError, match="cannot be read"):
        find_preset(str(tmp_path / "absent.json"))
    with pytest.raises(ConfigError, match="cannot be written"):
        write_preset(table_preset(), tmp_path / "no" / "folder.json")
