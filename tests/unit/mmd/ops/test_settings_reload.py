"""A reload: what is safe takes effect and is told, the rest is refused, nonsense changes nothing."""

from pathlib import Path

import pytest

from mmd import config
from mmd.config import Settings
from mmd.errors import ConfigError
from mmd.ops.settings_reload import SettingsReload, changeable
from tests.daemon import EMBEDDED
from tests.driver_bench import DriverBench


class Sources:
    """A settings file that a person edits."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "mmd.toml"
        self.file.write_text(EMBEDDED.read_text())

    def load(self) -> Settings:
        return config.load(self.file)

    def edit(self, before: str, after: str) -> None:
        text = self.file.read_text()
        assert before in text
        self.file.write_text(text.replace(before, after))


def running(sources: Sources) -> tuple[SettingsReload, DriverBench]:
    bench = DriverBench()
    bench.start()
    bench.driver.stop()
    bench.bring_up()
    settings = sources.load()
    reload = SettingsReload(settings, sources.load, bench.driver)
    reload.reload("test")  # the bench's spec is another one
    return reload, bench


async def test_safe_numbers_take_effect_and_the_rest_is_refused(tmp_path: Path) -> None:
    """Each by the name that the user knows, with what was and what is."""
    sources = Sources(tmp_path)
    reload, bench = running(sources)
    sources.edit("levels = 3", "levels = 2\nrefresh_delay_ms = 70")
    sources.edit("loss_max = 100", "loss_max = 80")
    sources.edit("seed = 7", "seed = 8")
    done = reload.reload("cli")
    assert done.changed == [
        "quoting.levels: 3 → 2",
        "quoting.refresh_delay_ms: 100 → 70",
        "risk.loss_max: 100 → 80",
    ]
    assert done.refused == ["seed: 7 stays: needs a new start of mmd run"]
    spec = bench.real_engine.spec
    assert (spec.quoting.levels, spec.quoting.refresh_delay_ns) == (2, 70_000_000)
    again = reload.reload("cli")
    assert again.changed == []
    assert again.refused == done.refused


async def test_nothing_that_differs_is_nothing_journalled(tmp_path: Path) -> None:
    """No event without a change."""
    reload, bench = running(Sources(tmp_path))
    before = len(bench.real_engine.settings_changes)
    done = reload.reload("cli")
    assert (done.changed, done.refused) == ([], [])
    assert len(bench.real_engine.settings_changes) == before


async def test_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    """The error names key and value, as at the start."""
    sources = Sources(tmp_path)
    reload, bench = running(sources)
    spec = bench.real_engine.spec
    sources.edit("levels = 3", "levels = 99")
    with pytest.raises(ConfigError, match=r"quoting\.levels = 99"):
        reload.reload("cli")
    assert bench.real_engine.spec is spec


async def test_secrets_are_not_told(tmp_path: Path) -> None:
    """Not even that of a token that was changed."""
    sources = Sources(tmp_path)
    reload, _ = running(sources)
    sources.file.write_text(sources.file.read_text() + '\n[http]\ntoken = "hush-hush"\n')
    (line,) = reload.reload("cli").refused
    assert line.startswith("http.token: ***")
    assert "hush" not in line


def test_every_changeable_setting_is_one_of_the_tree() -> None:
    """Names with ms for the spec's ns."""
    sections = {"quoting": config.QuotingSection, "risk": config.RiskSection}
    known = {f"{s}.{name}" for s, kind in sections.items() for name in kind.model_fields}
    assert changeable() <= known
