"""An exchange that takes orders for faults and a daemon that trades on it, as processes a user would start."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from mmd.errors import MmdError
from tests.monitoring.prometheus import free_port

ROOT = Path(__file__).parents[2]
TOKEN = "token-of-this-run"
START_S = 400.0
STOP_S = 20.0
POLL_S = 0.3


class Process:
    """One `mmd` command with its log in a file."""

    def __init__(self, folder: Path, name: str, *arguments: str | Path) -> None:
        self.folder, self.name, self.arguments = folder, name, arguments
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mmd.cli.main", *map(str, arguments)],
                cwd=folder,
                stdout=file,
                stderr=file,
            )

    def found(self, pattern: str) -> str:
        """What a pattern's group matched in the log, waited for. Raises: MmdError if it never does."""
        until_s = time.monotonic() + START_S
        while time.monotonic() < until_s:
            match = re.search(pattern, self.log.read_text())
            if match:
                return match[1]
            if self.process.poll() is not None:
                break
            time.sleep(POLL_S)
        raise MmdError(f"{pattern!r} never stood in {self.log}: {self.log.read_text()[-800:]}")

    def end(self) -> None:
        """Stop it in order, or else."""
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def again(self) -> "Process":
        """The same command, started anew once this one has ended."""
        self.end()
        return Process(self.folder, self.name, *self.arguments)

    def children(self) -> dict[str, int]:
        """Its child processes by role."""
        found: dict[str, int] = {}
        pid = self.process.pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            words = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
            if "--role" in words:
                found[words[words.index("--role") + 1]] = int(child)
        return found


class Middle(Protocol):
    """Somebody between the daemon and the exchange."""

    port: int
    """Where the daemon goes to."""


class Stack:
    """Exchange and daemon while they run."""

    def __init__(
        self,
        exchange: Process,
        daemon: Process,
        guardian: Process | None,
        figures: int,
        middle: Middle | None = None,
    ) -> None:
        """`guardian` stands beside the daemon and serves its metrics at the port `figures`; None: it has none there.

        `middle` stands between the daemon and the exchange.
        """
        self.exchange = exchange
        self.daemon = daemon
        self.guardian = guardian
        self._figures = figures
        self.middle = middle
        self.exchange_address = exchange.found(r"listening on (http://\S+)")
        self.page = daemon.found(r'"dashboard": "(http://[^"]+)"')

    @property
    def targets(self) -> list[str]:
        """What Prometheus scrapes."""
        alone = [] if self.guardian is None else [f"127.0.0.1:{self._figures}"]
        return [self.page.removeprefix("http://"), *alone]

    def state(self) -> dict[str, Any]:
        """`/api/state`."""
        with urllib.request.urlopen(f"{self.page}/api/state", timeout=5) as answer:
            return json.load(answer)

    def fault(self, fault: str, **fields: Any) -> None:
        """Order one of the exchange."""
        self._post(
            f"{self.exchange_address}/control/faults",
            {"X-MMD-Token": TOKEN},
            json.dumps({"fault": fault} | fields).encode(),
        )

    def operate(self, action: str) -> None:
        """A person's order."""
        self._post(f"{self.page}/api/control/{action}", {"Authorization": f"Bearer {TOKEN}"}, b"")

    def until(self, holds: Callable[[dict[str, Any]], bool], wait_s: float = 60.0) -> None:
        """Wait for the state. Raises: MmdError if it never comes."""
        until_s = time.monotonic() + wait_s
        while time.monotonic() < until_s:
            with contextlib.suppress(OSError, ValueError):
                if holds(self.state()):
                    return
            time.sleep(POLL_S)
        raise MmdError(f"the daemon never came to be so; its log ends {self.tail()}")

    def is_quoting(self) -> None:
        """Wait until orders rest on both sides."""
        self.until(lambda s: len({o["side"] for i in s["instruments"] for o in i["orders"]}) == 2)

    def end(self) -> None:
        """Stop the daemon, which may be another than at the beginning."""
        self.daemon.end()

    def tail(self) -> str:
        """The end of the daemon's log."""
        return self.daemon.log.read_text()[-600:]

    def _post(self, url: str, headers: dict[str, str], body: bytes) -> None:
        request = urllib.request.Request(url, body, headers, method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()


@contextlib.contextmanager
def running(
    folder: Path,
    *settings: str,
    config: str = "embedded.toml",
    exchange: tuple[str, ...] = (),
    guardian: bool = False,
    between: Callable[[str], contextlib.AbstractContextManager[Middle]] | None = None,
) -> Iterator[Stack]:
    """Exchange and daemon with their logs in a folder; `settings` are KEY=VALUE; with or without a guardian beside them.

    `between` puts somebody before the exchange at an address.
    """
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("MMD_LOG__FORMAT", "json")
    with contextlib.ExitStack() as stack:
        venue = Process(folder, "exchange", "exchange", "--port", "0", "--faults", TOKEN, *exchange)
        stack.callback(venue.end)
        address = venue.found(r"listening on (http://\S+)")
        middle = None if between is None else stack.enter_context(between(address))
        figures = free_port()
        pairs = [
            "embedded.autostart=false",
            f"embedded.port={address.rsplit(':', 1)[1] if middle is None else middle.port}",
            f"http.port={free_port()}",
            f"http.token={TOKEN}",
            *settings,
        ]
        if guardian:
            at = f"127.0.0.1:{free_port()}"
            pairs += [f"guardian.listen={at}", f"guardian.address={at}"]
            pairs += [f"guardian.token={TOKEN}", f"guardian.metrics_port={figures}"]
        words = ["--config", str(ROOT / "deploy/config" / config)]
        words += [word for pair in pairs for word in ("--set", pair)]
        alone = Process(folder, "guardian", "guardian", *words) if guardian else None
        if alone is not None:
            stack.callback(alone.end)
        daemon = Process(folder, "daemon", "run", *words)
        stack.callback(daemon.end)
        made = Stack(venue, daemon, alone, figures, middle)
        stack.callback(made.end)
        yield made
