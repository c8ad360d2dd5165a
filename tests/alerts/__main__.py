"""`make alerts`: every alert that can be caused is caused on a running daemon, and a real Prometheus must raise it.

Rules are ours with shorter windows and waits; `docs/alerts.md` is written with what fired after how many seconds.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mmd.errors import MmdError
from tests.alerts.faults import Fault, Session
from tests.alerts.lying import liar_before
from tests.alerts.sessions import NOT_LIVE, sessions
from tests.monitoring.prometheus import Prometheus, all_rules, quicker, watching
from tests.monitoring.stack import ROOT, running

SHORTER = {
    "mmd_engine_start_time_seconds[10m]": "mmd_engine_start_time_seconds[600s]",  # a start may take minutes
    "[1h]": "[40s]",
    "offset 1h": "offset 40s",
    "[15m]": "[60s]",
    "[10m]": "[60s]",
    "[5m]": "[20s]",
    "mmd_uptime_seconds > 3600": "mmd_uptime_seconds > 50",
    "mmd_uptime_seconds > 7200": "mmd_uptime_seconds > 50",
}
FOR_MAX_S = 3
POLL_S = 0.5
PAGE = ROOT / "docs/alerts.md"


class Found(NamedTuple):
    """One alert, the fault that was to raise it, and after how long it did; None: it did not."""

    alert: str
    fault: str
    seconds: float | None


def is_wanted(session: Session, only: str) -> bool:
    """Whether its name holds a text, or the text is an alert that it raises."""
    return only in session.name or any(only in fault.alerts for fault in session.faults)


def play(session: Session, folder: Path) -> list[Found]:
    """One session: its faults one after the other."""
    found: list[Found] = []
    rules = quicker(all_rules(), SHORTER, FOR_MAX_S)
    with (
        running(
            folder,
            *session.settings,
            exchange=session.exchange,
            guardian=session.guardian,
            between=liar_before if session.is_lied_to else None,
        ) as stack,
        watching(folder / "prometheus", stack.targets, rules) as prometheus,
    ):
        stack.is_quoting()
        wait_up(prometheus)
        for fault in session.faults:
            wait_quiet(prometheus, fault)
            began_s = time.monotonic()
            fault.inject(stack)
            found += raised(prometheus, fault, began_s)
    return found


def wait_up(prometheus: Prometheus) -> None:
    """Let it see the daemon before anything is done to it: what changes must have been something else before."""
    until_s = time.monotonic() + 60
    while time.monotonic() < until_s and not prometheus.is_up():
        time.sleep(POLL_S)


def wait_quiet(prometheus: Prometheus, fault: Fault) -> None:
    """Give alerts of before the time to end, so that what fires next is this fault's."""
    until_s = time.monotonic() + 45
    while time.monotonic() < until_s and prometheus.firing() & set(fault.alerts):
        time.sleep(POLL_S)


def raised(prometheus: Prometheus, fault: Fault, began_s: float) -> Iterator[Found]:
    """Each expected alert, with the time from the fault to its firing."""
    waiting = dict.fromkeys(fault.alerts)
    while waiting and time.monotonic() - began_s < fault.wait_s:
        for alert in prometheus.firing() & waiting.keys():
            del waiting[alert]
            seconds = time.monotonic() - began_s
            print(f"{alert}: {seconds:.1f} s after: {fault.what}", flush=True)
            yield Found(alert, fault.what, seconds)
        time.sleep(POLL_S)
    for alert in waiting:
        print(f"{alert}: NOT after: {fault.what}; firing: {prometheus.firing()}", flush=True)
        yield Found(alert, fault.what, None)


@contextlib.contextmanager
def small_disk() -> Iterator[Path | None]:
    """A memory disk of 20 MB, where we may mount one."""
    with tempfile.TemporaryDirectory(prefix="mmd-disk-") as name:
        mount = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", name]
        if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode != 0:
            yield None
            return
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "-l", name], check=False)


def page(found: list[Found], names: list[str], before: str) -> str:
    """docs/alerts.md; alerts that no session of this run was to raise keep what stands in the page before."""
    rows = {row.split()[1]: row for row in before.splitlines() if row.startswith("| ")}
    for one in found:
        how = f"{one.seconds:.0f} s" if one.seconds is not None else "test only"
        what = one.fault if one.seconds is not None else "did not fire in this run"
        rows[one.alert] = f"| {one.alert} | {what} | {how} |"
    for name in names:
        if name in NOT_LIVE or name not in rows:
            why = NOT_LIVE.get(name, "was not tried yet")
            rows[name] = f"| {name} | {why} | test only |"
    shown = [rows[name] for name in names]
    live = sum(not row.endswith("| test only |") for row in shown)
    return _HEAD.format(live=live, every=len(names)) + "\n".join(shown) + "\n"


_HEAD = """# Alerts by the faults that raise them

Written by `make alerts ARGS=--write`: embedded exchange, daemon and a real Prometheus, rules with shorter windows (minutes
become 20 to 60 s) and waits of 3 s at most. {live} of {every} alerts were raised live; every one is raised by its fault, and by
that alone, in `tests/unit/deploy/test_alerts.py`. What to do about each stands in [runbooks.md](runbooks.md). Times are from
the fault to the alert, on a machine that did a dozen other things.

| alert | raised live by | after |
|---|---|---|
"""


def main(*, write: bool, only: str) -> int:
    """Play every session; 0 if every alert that was expected fired."""
    found: list[Found] = []
    with tempfile.TemporaryDirectory(prefix="mmd-alerts-") as name, small_disk() as disk:
        for number, session in enumerate(sessions(disk)):
            if is_wanted(session, only):
                print(f"-- {session.name}", flush=True)
                try:
                    found += play(session, Path(name) / str(number))
                except (MmdError, OSError) as error:
                    print(f"{session.name}: {error}", flush=True)
                    found.append(Found(session.name, "the session itself", None))
    rules: list[dict[str, Any]] = [r for g in all_rules()["groups"] for r in g["rules"]]
    names = [rule["alert"] for rule in rules if "alert" in rule]
    if write:
        PAGE.write_text(page(found, names, PAGE.read_text()))
    return 1 if any(one.seconds is None for one in found) else 0


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument(
        "--write", action="store_true", help="write docs/alerts.md, of what was played"
    )
    words.add_argument(
        "--only", default="", help="sessions whose name holds this, or that raise an alert so named"
    )
    given = words.parse_args()
    sys.exit(main(write=given.write, only=given.only))
