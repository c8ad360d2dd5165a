"""Names that do not resolve, models that are missing, damaged or wrong, settings that are."""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

from mmd.core.events import ModelRefused, PrivateDown
from models.registry import POINTERS
from tests.daemon import EMBEDDED, mmd
from tests.faults.alone_rows import AloneFamily, Told, now_ns
from tests.faults.rig import rig
from tests.faults.rows import SkipError

NETWORK, MODELS, CONFIG = (AloneFamily(name) for name in ("names", "models", "config"))
_HOST = "exchange.mmd.test"
_SHIPPED = Path(__file__).parents[2] / "models" / "shipped"


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


def _registry(folder: Path) -> Path:
    """A registry of our own with the shipped models; the champion price network stands in its place."""
    at = folder / "models"
    shutil.copytree(_SHIPPED, at)
    return at


def _settings(at: Path) -> tuple[str, ...]:
    return (
        "--set", f"models.folder={at}",
        "--set", "quoting.strategy=custom",
        "--set", "models.shadow=true",
        "--set", "models.watch_ms=100",
    )  # fmt: skip


async def _with_damage(folder: Path, damage: str) -> Told:
    """A daemon starts with sound models; then a damaged one is promoted in the place of the champion."""
    at = _registry(folder)
    pointers = json.loads((at / POINTERS).read_text())
    async with rig(folder) as made, made.started(*_settings(at)) as daemon:
        del daemon
        broken = "price_lstm-0000000000000bad"
        source = next(p for p in at.iterdir() if p.name.startswith("price_lstm-"))
        if damage != "missing":
            shutil.copytree(source, at / broken)
            file = max((at / broken).iterdir(), key=lambda p: p.stat().st_size)
            data = bytearray(file.read_bytes())
            data[len(data) // 2] ^= 0xFF
            file.write_bytes(data)
        pointers["price_lstm"]["champion"] = broken
        injected_ns = made.mark()
        (at / POINTERS).write_text(json.dumps(pointers))
        refused = await made.found(ModelRefused)
        at_ns = await made.recovered(refused.ts_recv_ns)
        return Told(
            injected_ns,
            refused.ts_recv_ns,
            at_ns,
            f"refused, quotes go on: {refused.reason[:90]}",
            await made.losses(),
        )


@MODELS.row("champion's files missing")
async def missing(folder: Path) -> Told:
    return await _with_damage(folder, "missing")


@MODELS.row("hash wrong")
async def wrong_hash(folder: Path) -> Told:
    return await _with_damage(folder, "hash")


@MODELS.row("CUDA lost")
async def cuda(_: Path) -> Told:
    raise SkipError("the daemon uses no GPU: models run as compiled kernels on the processor")


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
    return Told(
        injected_ns, each_ns, None, "each refused in one line: key, value, what is expected"
    )
