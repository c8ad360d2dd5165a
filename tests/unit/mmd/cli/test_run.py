"""`mmd run`'s own part: options to settings, and files that cannot be written are told first."""

from pathlib import Path

import pytest

from mmd.cli import run as module
from mmd.errors import ConfigError, MmdError


def test_options_are_the_last_word_of_the_settings() -> None:
    """Only those that were given; `--set` and an option of its own for the same key: the option counts."""
    assert module._overrides(None, None, None, None, False) == {}
    tape = [Path("a.gz"), Path("b.gz")]
    assert module._overrides(["seed=1", "risk.loss_max=5"], 0, tape, "max", True) == {
        "seed": 0,
        "risk.loss_max": "5",
        "embedded.tape": tape,
        "embedded.speed": "max",
        "quoting.enabled": False,
    }


def test_without_a_config_file_there_must_be_one_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """mmd.toml in the working folder."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="pass --config FILE"):
        module._default_config()
    (tmp_path / "mmd.toml").touch()
    assert module._default_config() == Path("mmd.toml")


def test_a_file_that_can_be_written_is_left_alone(tmp_path: Path) -> None:
    """The check makes nothing, and changes nothing that is there."""
    there = tmp_path / "there.json"
    there.write_text("kept")
    for path in (None, tmp_path / "new.json", there):
        module._check_writable("--summary", path)
    assert there.read_text() == "kept"
    assert [p.name for p in tmp_path.iterdir()] == ["there.json"]


@pytest.mark.parametrize(
    ("name", "says"), [("none/s.json", "does not exist"), (".", "found a folder")]
)
def test_a_file_that_cannot_be_written_is_named(name: str, says: str, tmp_path: Path) -> None:
    """The option, the path, the reason."""
    with pytest.raises(ConfigError, match=rf"--summary {tmp_path}.*{says}"):
        module._check_writable("--summary", tmp_path / name)


def test_a_summary_that_fails_at_the_end_is_one_line(tmp_path: Path) -> None:
    """The run has been shown by then."""
    with pytest.raises(MmdError, match="printed above"):
        module._write(tmp_path / "gone/s.json", b"{}")
