"""`mmd check`: each part is tried, and what fails says what to do."""

import json
import socket
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from mmd.cli import first_aid as module
from mmd.cli.main import app
from mmd.config import Settings, load
from mmd.errors import ConfigError
from tests.daemon import EMBEDDED

PARTS = ("settings", "adapter", "secrets", "journal", "ports", "models", "kernels", "venue")
FREE = ("--set", "http.port=0", "--set", "embedded.port=0")


class Usage(NamedTuple):
    """As shutil.disk_usage gives it."""

    total: int
    used: int
    free: int


def settings(folder: Path) -> Settings:
    return load(EMBEDDED, {"journal.folder": str(folder)})


def test_the_schema_describes_every_section() -> None:
    """It is valid JSON, with descriptions and limits for editors."""
    done = CliRunner().invoke(app, ["check", "--print-schema"])
    assert done.exit_code == 0
    schema = json.loads(done.stdout)
    assert set(schema["properties"]) == set(Settings.model_fields)
    assert schema["additionalProperties"] is False
    levels = schema["$defs"]["QuotingSection"]["properties"]["levels"]
    assert (levels["minimum"], levels["maximum"]) == (1, 8)
    assert levels["description"]


def test_all_well(tmp_path: Path) -> None:
    """One line a part."""
    overrides = [*FREE, "--set", f"journal.folder={tmp_path}"]
    done = CliRunner().invoke(app, ["check", "--config", str(EMBEDDED), *overrides])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", p] for p in PARTS]


def test_the_first_failure_gives_the_code_and_the_others_are_still_tried(tmp_path: Path) -> None:
    """An adapter that does not exist, and a folder that cannot be."""
    (tmp_path / "file").write_text("")
    overrides = [
        "--set",
        "venues.embedded.recv_window_ms=0",
        "--set",
        f"journal.folder={tmp_path}/file/x",
    ]
    done = CliRunner().invoke(app, ["check", "--config", str(EMBEDDED), *overrides])
    assert done.exit_code == 2
    failed = [line for line in done.stderr.splitlines() if line.startswith("mmd: FAIL")]
    assert "recv_window_ms = '0'" in failed[0]
    assert "journal.folder" in failed[1]


def test_a_full_disk_is_told_before_it_hurts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four segments should fit."""
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: Usage(1 << 40, 1 << 40, 200 << 20))
    with pytest.raises(ConfigError, match="200 MiB free, expected at least 256"):
        module._journal(settings(tmp_path))


def test_the_journal_folder_is_made_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    """As `mmd run` would make it."""
    folder = tmp_path / "a/b"
    assert "writable" in module._journal(settings(folder))
    assert list(folder.iterdir()) == []


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    """With the setting's name, and where to look."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        wanted = load(EMBEDDED, {"http.port": str(port), "embedded.port": "0"})
        with pytest.raises(ConfigError, match=rf"http\.port: 127\.0\.0\.1:{port} .* `mmd status`"):
            module._ports(wanted)


def test_keys_that_others_may_read_are_told(tmp_path: Path) -> None:
    """Where they are worth something."""
    file = tmp_path / "mmd.toml"
    file.write_text('[venues.b]\napi_secret = "s"\n')
    paper = load(EMBEDDED, {"environment": "paper"})
    file.chmod(0o644)
    with pytest.raises(ConfigError, match=r"holds api_secret and others may read it; chmod 600"):
        module._secrets(paper, file)
    file.chmod(0o600)
    assert module._secrets(paper, file) == "not readable by others"
    file.chmod(0o644)
    assert "embedded" in module._secrets(settings(tmp_path), file)


def test_as_json_each_part_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For machines, with the same exit code."""
    monkeypatch.setattr(module, "compile_all", lambda _: "none")
    wrong = ["--set", "venues.embedded.recv_window_ms=0", "--set", f"journal.folder={tmp_path}"]
    done = CliRunner().invoke(app, ["check", "--config", str(EMBEDDED), "--json", *FREE, *wrong])
    assert done.exit_code == 2
    rows = json.loads(done.stdout)
    assert [row["part"] for row in rows] == list(PARTS)
    assert next(row["part"] for row in rows if not row["ok"]) == "adapter"
