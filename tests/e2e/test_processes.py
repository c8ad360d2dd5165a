"""The family of processes: ops dies and comes back, the parent dies, people steer; the engine goes on or ends in order."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.daemon import EMBEDDED, mmd

TOKEN = "t0ken-of-the-test"


class Family:
    """A running `mmd run`."""

    def __init__(self, folder: Path, seconds: int) -> None:
        self.folder = folder
        self.log = (folder / "log").open("w+")
        arguments = [
            "run",
            "--config",
            str(EMBEDDED),
            "--for",
            f"{seconds}s",
            "--summary",
            "s.json",
        ]
        for setting in ("http.port=0", "embedded.port=0", f"http.token={TOKEN}"):
            arguments += ["--set", setting]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mmd.cli.main", *arguments],
            cwd=folder,
            stdout=self.log,
            stderr=self.log,
        )

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Log entries so far of one event."""
        self.log.flush()
        text = (self.folder / "log").read_text()
        rows = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return [row for row in rows if row.get("event") == event]

    def address(self) -> str:
        """Where ops listens now."""
        return str(self.lines("ops_up")[-1]["address"])

    def get(self, path: str) -> Any:
        """A page's JSON, errors included."""
        try:
            with urllib.request.urlopen(self.address() + path, timeout=15) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def post(self, path: str, token: str | None) -> int:
        """Status of a POST."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        request = urllib.request.Request(self.address() + path, method="POST", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def child(self, role: str) -> int:
        """Process id of one of ours."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    command = (entry / "cmdline").read_bytes().split(b"\0")
                    parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                except OSError:
                    continue
                if role.encode() in command and b"--role" in command and parent == self.process.pid:
                    return int(entry.name)
        raise AssertionError(f"no {role} process")


def wait_for(condition: Callable[[], Any], timeout_s: float = 60) -> Any:
    """Poll until something is true; returns it."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            value = condition()
        except (OSError, IndexError, KeyError):
            value = None
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("waited in vain")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[int], Family]]:
    families: list[Family] = []

    def _start(seconds: int) -> Family:
        family = Family(tmp_path, seconds)
        families.append(family)
        wait_for(lambda: family.process.poll() is not None or family.get("/readyz")["ready"], 250)
        assert family.process.poll() is None, (tmp_path / "log").read_text()
        return family

    yield _start
    for family in families:
        if family.process.poll() is None:
            family.process.terminate()
            family.process.wait(20)
        family.log.close()


def test_ops_is_restarted_and_the_engine_does_not_notice(start: Callable[[int], Family]) -> None:
    """Kill -9 of ops under load, twice: pages come back, the engine keeps deciding, nothing is lost."""
    family = start(300)
    engine = family.child("engine")
    for count in (1, 2):
        os.kill(family.child("ops"), signal.SIGKILL)
        wait_for(lambda count=count: len(family.lines("ops_up")) == count + 1)
        assert wait_for(lambda: family.get("/healthz")["alive"])
    assert family.child("engine") == engine
    family.process.terminate()
    assert family.process.wait(60) == 0
    summary = json.loads((family.folder / "s.json").read_text())
    assert (
        summary["feed"]["gaps"]
        == summary["feed"]["resyncs"]
        == summary["feed"]["book_mismatches"]
        == 0
    )
    assert summary["reconciliation"] == {"position_drift": 0, "open_orders_left": 0}
    assert mmd("journal", "replay", cwd=family.folder).code == 0


def test_people_can_halt_and_resume(start: Callable[[int], Family]) -> None:
    """By HTTP with the token only, by command, by signal, by file; each is in the log with who it was."""
    family = start(300)

    def level() -> str:
        return str(family.get("/api/state")["risk_level"])

    assert family.post("/api/control/halt", None) == 403
    assert family.post("/api/control/halt", "wrong") == 403
    assert family.post("/api/control/explode", TOKEN) == 400
    assert level() == "NORMAL"
    halts: list[Callable[[], object]] = [
        lambda: family.post("/api/control/halt", TOKEN),
        lambda: mmd("halt", "--journal", "var/journal", cwd=family.folder),
        lambda: family.process.send_signal(signal.SIGUSR1),
        (family.folder / "var/journal/HALT").touch,
    ]
    for halt in halts:
        halt()
        wait_for(lambda: level() == "HALTED", 30)
        wait_for(lambda: family.get("/api/state")["instruments"][0]["orders"] == [], 30)
        (family.folder / "var/journal/HALT").unlink(missing_ok=True)
        assert mmd("resume", "--journal", "var/journal", cwd=family.folder).code == 0
        wait_for(lambda: level() == "NORMAL", 30)
    shown = mmd("status", "--journal", "var/journal", cwd=family.folder)
    assert "MMDUSDT" in shown.out
    who = [row["who"] for row in family.lines("operator_command") if row["action"] == "halt"]
    assert [w.split()[0] for w in who] == ["http", "cli", "SIGUSR1", "file"]


def test_when_the_parent_is_killed_the_engine_pulls_its_quotes(
    start: Callable[[int], Family],
) -> None:
    """Kill -9 of the parent: engine and ops end by themselves, with every order confirmed gone."""
    family = start(60)
    wait_for(lambda: family.get("/api/state")["instruments"][0]["orders"])
    engine, ops = family.child("engine"), family.child("ops")
    family.process.kill()
    family.process.wait()
    for pid in (engine, ops):
        wait_for(
            lambda pid=pid: (
                not Path(f"/proc/{pid}").exists()
                or "Z" in Path(f"/proc/{pid}/stat").read_text().split(")")[1][:3]
            ),
            60,
        )
    summary = json.loads(wait_for((family.folder / "s.json").read_text, 60))
    assert summary["reconciliation"]["open_orders_left"] == 0
