"""Settings: precedence, and errors that name key, value and expectation."""

from pathlib import Path

import pytest

from mmd import config
from mmd.errors import ConfigError

EXAMPLE = Path(__file__).parents[3] / "deploy/config/embedded.toml"
TOML = '[venues.v]\nadapter = "binance_spot"\napi_secret = "hush"\n[risk]\nloss_max = 10\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mmd.toml"
    path.write_text(TOML)
    return path


def test_shipped_example_loads() -> None:
    """The example that `make run` uses is valid."""
    assert config.load(EXAMPLE).environment == "embedded"


def test_environment_beats_file_and_command_line_beats_both(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Precedence from lowest: file, environment, command line."""
    assert config.load(file).risk.loss_max == 10
    monkeypatch.setenv("MMD_RISK__LOSS_MAX", "20")
    assert config.load(file).risk.loss_max == 20
    assert config.load(file, {"risk.loss_max": "30"}).risk.loss_max == 30


def test_secrets_file_beats_environment(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in the secrets folder overrides the environment."""
    (tmp_path / "mmd_seed").write_text("41")
    monkeypatch.setattr(config, "SECRETS_FOLDER", tmp_path)
    monkeypatch.setenv("MMD_SEED", "40")
    assert config.load(file).seed == 41


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("risk.collar_bps", "-1", ("risk.collar_bps", "-1", "greater than 0")),
        ("quoting.levels", "nine", ("quoting.levels", "nine", "integer")),
        ("quoting.spread_model", "magic", ("quoting.spread_model", "magic", "'glft'")),
        ("quoting.spread_bps_min", "200", ("spread_bps_min", "200", "spread_bps_max")),
        ("quoting.spread_model", "avellaneda_stoikov", ("close_utc",)),
        ("quoting.forecast", "flow", ("forecast flow", "flow_coefficient 0.0")),
        ("quoting.flow_coefficient", "0.3", ("forecast none", "flow_coefficient 0.3")),
        ("risk.los_max", "5", ("risk.los_max", "unknown key")),
        ("environment", "live", ("live_confirmed",)),
        ("embedded.speed", "fast", ("embedded.speed", "fast")),
    ],
)
def test_a_wrong_setting_is_named(file: Path, key: str, value: str, says: tuple[str, ...]) -> None:
    """Each error is one line with the key, the value and what was expected."""
    with pytest.raises(ConfigError) as caught:
        config.load(file, {key: value})
    message = str(caught.value)
    assert "\n" not in message
    for part in says:
        assert part in message


def test_every_problem_is_reported_at_once(file: Path) -> None:
    """Two wrong settings give two lines."""
    with pytest.raises(ConfigError) as caught:
        config.load(file, {"risk.collar_bps": "0", "quoting.levels": "99"})
    assert len(str(caught.value).splitlines()) == 2


def test_mistyped_environment_variable_is_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting that would silently do nothing is an error."""
    monkeypatch.setenv("MMD_RSK__LOSS_MAX", "20")
    with pytest.raises(ConfigError, match="MMD_RSK__LOSS_MAX"):
        config.load(file)


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    """No file, and no TOML."""
    with pytest.raises(ConfigError, match=r"nowhere\.toml does not exist"):
        config.load(tmp_path / "nowhere.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("[risk\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        config.load(broken)


def test_no_secret_is_shown(file: Path) -> None:
    """Neither the settings' text nor an error shows an adapter's keys."""
    assert "hush" not in repr(config.load(file))


def test_the_example_of_live_settings_asks_before_it_trades() -> None:
    """It does not load until it is confirmed, and then its limits are small."""
    live = EXAMPLE.with_name("live.toml")
    with pytest.raises(ConfigError, match="live_confirmed"):
        config.load(live)
    settings = config.load(live, {"live_confirmed": True})
    assert settings.risk.position_notional_max <= 50
    assert settings.risk.loss_max <= 5
