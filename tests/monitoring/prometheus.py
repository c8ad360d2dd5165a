"""A real Prometheus that watches something on this machine, with our rules or quicker copies of them."""

import contextlib
import json
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from mmd.errors import MmdError

RULES = Path(__file__).parents[2] / "deploy/prometheus/rules"
START_S = 60.0
STOP_S = 20.0
POLL_S = 0.5


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Prometheus:
    """One that runs."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str, **query: str) -> Any:
        """The data of an answer of its API."""
        url = f"{self.address}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def firing(self) -> set[str]:
        """Names of the alerts that fire now."""
        alerts = self.get("alerts")["alerts"]
        return {a["labels"]["alertname"] for a in alerts if a["state"] == "firing"}

    def is_up(self, job: str = "mmd") -> bool:
        """Whether the last scrape of a job worked."""
        found = self.get("query", query=f'up{{job="{job}"}}')["result"]
        return bool(found) and all(one["value"][1] == "1" for one in found)


def quicker(rules: dict[str, Any], shorter: dict[str, str], for_max_s: int) -> dict[str, Any]:
    """A copy of rules with some texts replaced by others, which waits no longer than so."""
    text = json.dumps(rules)
    for long, short in shorter.items():
        text = text.replace(long, short)
    made: dict[str, Any] = json.loads(text)
    for group in made["groups"]:
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = f"{min(_seconds(rule['for']), for_max_s)}s"
    return made


def all_rules() -> dict[str, Any]:
    """Every group of deploy/prometheus/rules."""
    files = sorted(RULES.glob("*.yml"))
    return {"groups": [g for path in files for g in yaml.safe_load(path.read_text())["groups"]]}


@contextlib.contextmanager
def watching(
    folder: Path, targets: list[str], rules: dict[str, Any], interval_s: int = 1
) -> Iterator[Prometheus]:
    """Scrape and judge every interval, until the block ends. Raises: MmdError if there is no Prometheus."""
    program = shutil.which("prometheus")
    if program is None:
        raise MmdError("prometheus is not installed; on Debian: apt install prometheus")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules.yml").write_text(yaml.safe_dump(rules))
    every = {"scrape_interval": f"{interval_s}s", "evaluation_interval": f"{interval_s}s"}
    scrape = {"job_name": "mmd", "static_configs": [{"targets": targets}]}
    configuration = {"global": every, "rule_files": ["rules.yml"], "scrape_configs": [scrape]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    listen = f"127.0.0.1:{free_port()}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={listen}",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            yield _started(Prometheus(f"http://{listen}"), process, folder)
        finally:
            process.terminate()
            process.wait(STOP_S)


def _started(
    prometheus: Prometheus, process: "subprocess.Popen[bytes]", folder: Path
) -> Prometheus:
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError):
            prometheus.get("alerts")
            return prometheus
        time.sleep(POLL_S)
    raise MmdError(f"Prometheus did not start: {(folder / 'log').read_text()[-500:]}")


def _seconds(duration: str) -> int:
    """Of a duration like 30s or 5m."""
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600}[duration[-1]]
