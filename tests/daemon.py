"""Runs the real `mmd` command as a user would, and reads back what it wrote."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
EMBEDDED = ROOT / "deploy/config/embedded.toml"


class Finished(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def error_lines(self) -> list[str]:
        """Lines of standard error that are neither a structured log nor the compiler's progress."""
        return [line for line in self.err.splitlines() if not line.startswith(("{", "compil"))]


def mmd(*arguments: str | Path, cwd: Path, timeout_s: float = 100, **env: str) -> Finished:
    """Run `mmd ARGUMENTS` in a folder of the test's own."""
    import os

    done = subprocess.run(
        [sys.executable, "-m", "mmd.cli.main", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env=os.environ | env,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def run_embedded(
    cwd: Path, *arguments: str | Path, timeout_s: float = 100, **env: str
) -> tuple[Finished, dict[str, Any]]:
    """`mmd run` on the embedded exchange on free ports; returns it and its summary."""
    done = mmd(
        "run",
        "--config",
        EMBEDDED,
        "--summary",
        "s.json",
        "--set",
        "http.port=0",
        "--set",
        "embedded.port=0",
        *arguments,
        cwd=cwd,
        timeout_s=timeout_s,
        **env,
    )
    path = cwd / "s.json"
    return done, json.loads(path.read_text()) if path.exists() else {}
