"""What can be wrong with a model that is promoted under a running daemon: missing, damaged, saying what cannot be, slow."""

import json
import shutil
from pathlib import Path

from mmd.core.events import ModelRefused, ModelSwap
from models.artefact import Artefact
from models.registry import POINTERS
from models.serving import SHIPPED, registry_at
from tests.e2e.test_model_swap import KIND, changed
from tests.faults.alone_rows import AloneFamily, Told
from tests.faults.rig import rig
from tests.faults.rows import SkipError
from tests.trained_models import network_artefact

FAMILY = AloneFamily("models")
_row = FAMILY.row
_FOLDER = "models"
_SETTINGS = ("--set", f"models.folder={_FOLDER}")
_SHOUT = 1e6
_WIDE = 512
"""Hidden units; the shipped network has fewer by far."""
_COMPILE_S = 240.0


def _champion(folder: Path) -> Artefact:
    """The champion network of a registry of our own."""
    shutil.copytree(SHIPPED, folder / _FOLDER)
    champion = registry_at(folder / _FOLDER).champion(KIND)
    assert champion is not None, "a network is shipped"
    return champion


async def _refused(folder: Path, promoted: str, *settings: str) -> Told:
    """A daemon starts with sound models; then another is promoted in the place of the champion."""
    pointers_file = folder / _FOLDER / POINTERS
    pointers = json.loads(pointers_file.read_text())
    async with rig(folder) as made, made.started(*_SETTINGS, *settings):
        pointers[KIND]["champion"] = promoted
        injected_ns = made.mark()
        pointers_file.write_text(json.dumps(pointers))
        refused = await made.found(ModelRefused, timeout_s=_COMPILE_S)
        at_ns = await made.recovered(refused.ts_recv_ns)
        losses = await made.losses()
        seen = f"refused, quotes go on: {refused.reason[:110]}"
        return Told(injected_ns, refused.ts_recv_ns, at_ns, seen, losses)


@_row("champion's files missing")
async def missing(folder: Path) -> Told:
    _champion(folder)
    return await _refused(folder, f"{KIND}-0000000000000bad")


@_row("hash wrong")
async def wrong_hash(folder: Path) -> Told:
    champion = _champion(folder)
    registry = registry_at(folder / _FOLDER)
    broken = changed(registry, champion, wo=0.5)
    file = max(registry.path(broken).iterdir(), key=lambda p: p.stat().st_size)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)
    return await _refused(folder, broken)


@_row("too slow for its bar")
async def slow(folder: Path) -> Told:
    _champion(folder)
    wide = network_artefact(folder / _FOLDER, hidden=_WIDE)
    return await _refused(folder, wide.path.name, "--set", "models.busy_share_max=0.001")


@_row("outputs that cannot be")
async def shouting(folder: Path) -> Told:
    champion = _champion(folder)
    registry = registry_at(folder / _FOLDER)
    loud = changed(registry, champion, wo=_SHOUT)
    async with rig(folder) as made, made.started(*_SETTINGS):
        made.mark()
        registry.promote(loud)
        injected_ns = await made.event(ModelSwap, holds=lambda e: e.model_id == loud)
        detected_ns = await made.seen(lambda row: row["learning"]["demoted"] == "FAULTS")
        at_ns = await made.recovered(detected_ns)
        row = (await made.daemon.state())["instruments"][0]
        assert row["prediction"]["rung"] == "GLFT", row["prediction"]
        seen = "used in no bar, demoted after ten, quotes go on without it"
        return Told(injected_ns, detected_ns, at_ns, seen, await made.losses())


@_row("CUDA lost")
async def cuda(_: Path) -> Told:
    raise SkipError(
        "needs a GPU; a backend that fails is tested on the CPU (test_remote_prediction.py)"
    )
