"""Makes every mistake of docs/troubleshooting.md's first table with the real command, and compares what is seen."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mmd.cli.main import main
from mmd.journal.folder_lock import folder_lock
from tests.daemon import EMBEDDED, Finished

PAGE = Path(__file__).parents[2] / "docs/troubleshooting.md"


class Mistake(NamedTuple):
    """One row of the table."""

    name: str
    seen: str
    code: int


def table() -> dict[str, Mistake]:
    """By name."""
    section = PAGE.read_text().split("## The commonest mistakes")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| (\d) \| .+ \|$", section, re.MULTILINE)
    return {name: Mistake(name, seen, int(code)) for name, seen, code in rows}


TABLE = table()


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Port of a running embedded exchange; it is a program that takes ports, too."""
    with subprocess.Popen(
        [sys.executable, "-m", "mmd.cli.main", "exchange", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path_factory.mktemp("exchange"),
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline().split("listening on http://127.0.0.1:")[1].split()[0])
        process.terminate()


class Mmd:
    """`mmd ARGUMENTS` in this process, in a folder of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: Any, folder: Path) -> None:
        monkeypatch.chdir(folder)
        self._patch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> Finished:
        self._patch.setattr("sys.argv", ["mmd", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = self._capsys.readouterr()
        return Finished(int(str(ended.value.code)), told.out, told.err)

    def run(self, *settings: str, config: Path = EMBEDDED) -> Finished:
        """`mmd run` without a process of its own for ops, with these settings."""
        words = [word for setting in settings for word in ("--set", setting)]
        return self("run", "--single-process", "--config", config, *words)


def in_use(mmd: Mmd, port: int) -> Finished:
    with folder_lock(Path("var/journal")):
        return mmd.run("http.port=0", *outside(port))


def bad_toml(mmd: Mmd, _: int) -> Finished:
    Path("mmd.toml").write_text("[risk]\nloss_max = fifty\n")
    return mmd.run(config=Path("mmd.toml"))


def outside(port: int) -> tuple[str, str]:
    """Quote on an exchange that is there."""
    return "embedded.autostart=false", f"embedded.port={port}"


MISTAKES: dict[str, Callable[[Mmd, int], Finished]] = {
    "wrong key": lambda mmd, port: mmd.run(
        "http.port=0", *outside(port), "venues.embedded.api_key=wrong"
    ),
    "HTTP port taken": lambda mmd, port: mmd.run(f"http.port={port}", *outside(port)),
    "exchange port taken": lambda mmd, port: mmd.run("http.port=0", f"embedded.port={port}"),
    "wrong symbol": lambda mmd, port: mmd.run(
        "http.port=0", *outside(port), 'venues.embedded.instruments=["NOSUCHUSDT"]'
    ),
    "no model": lambda mmd, _: mmd("models", "promote", "NO-SUCH-MODEL"),
    "mistyped key": lambda mmd, _: mmd.run("risk.los_max=5"),
    "old key": lambda mmd, _: mmd.run("quoting.fixed_skew_bps=1"),
    "missing key file": lambda mmd, port: mmd.run(
        "http.port=0",
        *outside(port),
        "venues.embedded.api_secret=",
        "venues.embedded.api_private_key_file=NO-SUCH-FILE",
    ),
    "bad TOML": bad_toml,
    "live without confirmation": lambda mmd, _: mmd.run("environment=live"),
    "venue unreachable": lambda mmd, _: mmd.run("http.port=0", *outside(1)),
    "journal in use": in_use,
    "no daemon": lambda mmd, _: mmd("status", "--config", EMBEDDED),
    "no settings": lambda mmd, _: mmd("run"),
}
BY_HAND = {"clock off", "disk full"}
"""Those that need another clock (tests/e2e/test_bad_input.py has it) or another disk (below)."""


def test_every_row_is_tried() -> None:
    """A row without a test, or a test without a row, would be a promise."""
    assert TABLE.keys() == MISTAKES.keys() | BY_HAND
    assert len(TABLE) >= 12


def seen(done: Finished, mistake: Mistake) -> None:
    """The text of the table, where … stands for anything, and the code."""
    pattern = ".*".join(map(re.escape, mistake.seen.split("…")))
    assert "Traceback" not in done.err
    assert any(re.fullmatch(pattern, line) for line in done.error_lines), done.err
    assert len(done.error_lines) == 1, done.err
    assert done.code == mistake.code


@pytest.mark.parametrize("name", sorted(MISTAKES))
def test_a_mistake_is_told_as_the_page_says(
    name: str, exchange: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Literally."""
    seen(MISTAKES[name](Mmd(monkeypatch, capsys, tmp_path), exchange), TABLE[name])


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`mmd check` says it before it hurts."""
    from typer.testing import CliRunner

    from mmd.cli import first_aid
    from mmd.cli.main import app
    from tests.unit.mmd.cli.test_check import Usage

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(first_aid.shutil, "disk_usage", lambda _: Usage(1 << 40, 1 << 40, 1 << 20))
    told = CliRunner().invoke(
        app,
        ["check", "--config", str(EMBEDDED), "--set", "http.port=0", "--set", "embedded.port=0"],
    )
    seen(Finished(told.exit_code, told.stdout, told.stderr), TABLE["disk full"])
