"""`make container-test`: builds the image and runs exchange and daemon in it, as a user of compose would.

Settings by environment: ENGINE (docker), COMPOSE (docker-compose of this environment), BASE_IMAGE and TORCH (arguments of
the build), BUILD_OPTIONS (more of them, e.g. --network host), SKIP_BUILD=1 (mmd:local is there already).
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
IMAGE = "mmd:local"
SERVICES = ("exchange", "guardian", "daemon")
PAGE = "http://127.0.0.1:8080"
BYTES_MAX = 1_800_000_000
NO_ENGINE = 3
WAIT_S = 240.0
ENGINE = shlex.split(os.environ.get("ENGINE", "docker"))
COMPOSE = shlex.split(
    os.environ.get("COMPOSE", str(Path(sys.executable).parent / "docker-compose"))
)


class StepFailedError(Exception):
    """Something is not as it must be."""


def run(*command: str, wait_s: float = 3600.0) -> str:
    """A command's output. Raises: StepFailedError with what it said."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=wait_s,
        check=False,
        env=os.environ | {"DOCKER_BUILDKIT": "1"},
    )
    if done.returncode != 0:
        raise StepFailedError(f"{shlex.join(command)}: {(done.stdout + done.stderr)[-1500:]}")
    return done.stdout


def expect(holds: bool, what: str) -> None:
    """Raises: StepFailedError."""
    if not holds:
        raise StepFailedError(what)


def metrics() -> dict[str, float]:
    """One scrape: the value of each series."""
    with urllib.request.urlopen(f"{PAGE}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name.removesuffix("{}"): float(value) for name, value in pairs}


def until(what: str, holds: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    """Scrape until it is so. Raises: StepFailedError if it never is."""
    until_s = time.monotonic() + WAIT_S
    seen: dict[str, float] = {}
    while time.monotonic() < until_s:
        try:
            seen = metrics()
        except OSError:
            seen = {}
        if seen and holds(seen):
            return seen
        time.sleep(0.5)
    raise StepFailedError(f"never came about: {what}; {run(*COMPOSE, 'logs', '--tail', '20')}")


def build() -> None:
    """The image, no larger than it may be."""
    if os.environ.get("SKIP_BUILD") != "1":
        words = shlex.split(os.environ.get("BUILD_OPTIONS", ""))
        for name in ("BASE_IMAGE", "TORCH"):
            if name in os.environ:
                words += ["--build-arg", f"{name}={os.environ[name]}"]
        run(*ENGINE, "build", *words, "-t", IMAGE, ".")
    size = int(run(*ENGINE, "image", "inspect", "--format", "{{.Size}}", IMAGE))
    print(f"image: {size / 1e6:.0f} MB")
    expect(size <= BYTES_MAX, f"expected at most {BYTES_MAX} bytes, found {size}")


def up() -> None:
    """Exchange, guardian and daemon, healthy, in order."""
    run(*COMPOSE, "config", "-q")
    run(*COMPOSE, "up", "-d", "--no-build", "--wait", "--wait-timeout", "400", *SERVICES)


def scraped() -> None:
    """Quoting, with numbers that move."""
    first = until(
        "orders work",
        lambda m: (
            any(value > 0 for name, value in m.items() if name.startswith("mmd_orders_working"))
            and m["mmd_ready"] == 1
        ),
    )
    until("decisions grow", lambda m: m["mmd_decisions_total"] > first["mmd_decisions_total"])


def hardened() -> None:
    """Not root, nothing to write on but its volume, no capabilities; kernels came with the image."""
    row: dict[str, Any] = json.loads(
        run(*ENGINE, "inspect", run(*COMPOSE, "ps", "-q", "daemon").strip())
    )[0]
    host = row["HostConfig"]
    expect(row["Config"]["User"] == "10001", f"user {row['Config']['User']}")
    expect(host["ReadonlyRootfs"], "the root file system can be written")
    expect(host["CapDrop"] == ["ALL"], f"capabilities {host['CapDrop']}")
    expect("no-new-privileges:true" in host["SecurityOpt"], "new privileges can be had")
    who = run(*COMPOSE, "exec", "-T", "daemon", "python", "-c", _PROBE).strip()
    expect(who == "10001 read-only", f"expected uid 10001 on a read-only root, found {who}")
    log = run(*COMPOSE, "logs", "daemon")
    expect("compil" not in log, "kernels were compiled in the container, not in the image")


_PROBE = """
import os
try:
    open("/opt/x", "w")
except OSError:
    print(os.getuid(), "read-only")
"""


def halted() -> None:
    """By the command in the container: every order gone; and quoting again."""
    operate = (*COMPOSE, "exec", "-T", "daemon", "mmd")
    where = ("--journal", "/var/lib/mmd/journal")
    run(*operate, "halt", *where)
    until(
        "halted without orders",
        lambda m: (
            m['mmd_risk_level{level="HALTED"}'] == 1
            and all(v == 0 for name, v in m.items() if name.startswith("mmd_orders_working"))
        ),
    )
    run(*operate, "resume", *where)
    until(
        "quoting again",
        lambda m: (
            m['mmd_risk_level{level="NORMAL"}'] == 1
            and any(v > 0 for name, v in m.items() if name.startswith("mmd_orders_working"))
        ),
    )


def taken_back() -> None:
    """The daemon's container is killed: the guardian's takes its orders back, and the next daemon quotes again."""
    name = run(*COMPOSE, "ps", "-q", "daemon").strip()
    until("orders rest", lambda seen: sum(_working(seen)) > 0)
    run(*ENGINE, "kill", "-s", "KILL", name)
    until_s = time.monotonic() + WAIT_S
    figures = ""
    while "losses_total 1" not in figures or "orders_canceled_total 0" in figures:
        if time.monotonic() > until_s:
            raise StepFailedError(f"the guardian took nothing back: {figures}")
        figures = run(*COMPOSE, "exec", "-T", "guardian", "python", "-c", _GUARDIAN_FIGURES)
        time.sleep(0.2)
    log = run(*COMPOSE, "logs", "guardian")
    expect("orders_not_confirmed_gone" not in log, "the guardian could not confirm: " + log[-800:])
    run(*COMPOSE, "up", "-d", "--no-build", "--wait", "--wait-timeout", "400", "daemon")
    scraped()


def _working(seen: dict[str, float]) -> list[float]:
    return [n for name, n in seen.items() if name.startswith("mmd_orders_working")]


_GUARDIAN_FIGURES = """
import urllib.request
print(urllib.request.urlopen("http://127.0.0.1:9201/metrics", timeout=5).read().decode())
"""


def stopped() -> None:
    """SIGTERM: ends by itself, quotes confirmed gone."""
    name = run(*COMPOSE, "ps", "-q", "daemon").strip()
    run(*COMPOSE, "stop", "daemon")
    code = run(*ENGINE, "inspect", "--format", "{{.State.ExitCode}}", name).strip()
    log = run(*COMPOSE, "logs", "--tail", "60", "daemon")
    expect(code == "0", f"expected exit code 0 after SIGTERM, found {code}: {log[-1500:]}")
    expect("stop_not_confirmed" not in log, "quotes were not confirmed gone")


STEPS = (build, up, scraped, hardened, halted, taken_back, stopped)


def main() -> int:
    """All steps with their times; 0 if every one holds."""
    if shutil.which(ENGINE[0]) is None or shutil.which(COMPOSE[0]) is None:
        print(f"make container-test did not run: no {ENGINE[0]} or no {COMPOSE[0]} on this machine")
        return NO_ENGINE
    try:
        run(*ENGINE, "version", "--format", "{{.Server.Version}}", wait_s=30)
    except StepFailedError as error:
        print(
            f"make container-test did not run: no container engine answers ({str(error)[-200:].strip()})"
        )
        return NO_ENGINE
    try:
        for step in STEPS:
            began_s = time.monotonic()
            step()
            print(f"{step.__name__}: {time.monotonic() - began_s:.1f} s", flush=True)
    except StepFailedError as error:
        print(f"make container-test failed: {error}")
        print(run(*COMPOSE, "logs", "--tail", "30"))
        return 1
    finally:
        subprocess.run([*COMPOSE, "down", "-v"], cwd=ROOT, capture_output=True, check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
