"""The page of settings is what the code reads, and leaves nothing out."""

from pathlib import Path

from mmd.config import Settings, setting_names
from mmd.config_reference import reference
from mmd.ops.settings_reload import changeable

FILE = Path(__file__).parents[3] / "docs/configuration.md"


def test_the_page_is_current() -> None:
    """`make docs` writes it."""
    assert FILE.read_text() == reference(), "run `make docs`"


def test_every_setting_is_on_it_with_a_meaning() -> None:
    """One row each; those that change while the daemon runs are marked."""
    rows = {
        line.split("`")[1]: line for line in FILE.read_text().splitlines() if line.startswith("| `")
    }
    headings = FILE.read_text()
    names = {
        name
        for name in setting_names(Settings)
        if f"## {name}.NAME\n" not in headings and f"## [[{name}]]\n" not in headings
    }
    assert names <= rows.keys()
    for name in names:
        assert rows[name].split("|")[-2].strip(), f"{name} has no description"
        assert ("**live**" in rows[name]) == (name in changeable()), name
