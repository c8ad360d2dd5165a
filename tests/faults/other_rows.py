"""Names that do not resolve, and settings that are wrong."""

import asyncio
import subprocess
from pathlib import Path

from mmd.core.events import PrivateDown
from tests.daemon import EMBEDDED, mmd
from tests.faults.alone_rows import AloneFamily, Told, now_ns
from tests.faults.rig import rig
from tests.faults.rows import SkipError

NETWORK, CONFIG = AloneFamily("names"), AloneFamily("config")
_HOST = "exchange.mmd.test"


def _check_namespaces(mount: str) -> None:
    """Raises: SkipError where this machine lets nobody have mounts of their own."""
    tried = subprocess.run(["unshare", "-m", "sh", "-c", mount], capture_output=True, check=False)
    if tried.returncode != 0:
        raise SkipError("mount namespaces are not allowed here")


@NETWORK.row("DNS fails while connections are lost")
async def dns(folder: Path) -> Told:
    hosts = folder / "hosts"
    right = f"127.0.0.1 localhost {_HOST}\n"
    hosts.write_text(right)
    mount = f"mount --bind {hosts} /etc/hosts"
    bind = f'{mount} && exec "$0" "$@"'
    _check_namespaces(mount)
    prefix = ("unshare", "-m", "sh", "-c", bind)
    async with rig(folder) as made, made.started(host=_HOST, prefix=prefix) as daemon:
        hosts.write_text("127.0.0.1 localhost\n")
        injected_ns = await made.fault(fault="cut", how="reset")
        await made.event(PrivateDown)
        detected_ns = await made.logged("connect_failed")
        said = daemon.logged("connect_failed")[-1]
        await asyncio.sleep(1.5)
        hosts.write_text(right)
        at_ns = await made.recovered(detected_ns)
        return Told(
            injected_ns,
            detected_ns,
            at_ns,
            f"tries again: {said.get('error', '')[:90]}",
            await made.losses(),
        )


WRONG = {
    "risk.los_max=5": ("risk.los_max", "unknown key"),
    "quoting.levels=nine": ("quoting.levels = 'nine'", "expected"),
    "environment=live": ("live_confirmed",),
    "venues.embedded.recv_window_ms=0": ("recv_window_ms = '0'", "expected"),
    "journal.segment_mib=-1": ("journal.segment_mib", "expected"),
    "http.port=99999": ("http.port", "expected"),
}


@CONFIG.row(f"{len(WRONG)} wrong values, among them an unknown key")
async def wrong_values(folder: Path) -> Told:
    injected_ns = now_ns()
    for override, says in WRONG.items():
        done = await asyncio.to_thread(
            mmd, "run", "--config", EMBEDDED, "--set", override, cwd=folder, timeout_s=120
        )
        (line,) = done.error_lines
        assert done.code == 2, done
        assert all(part in line for part in says), line
    each_ns = injected_ns + (now_ns() - injected_ns) // len(WRONG)
    seen = "each refused in one line: key, value, what is expected"
    return Told(injected_ns, each_ns, None, seen, losses=None)
