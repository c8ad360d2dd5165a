"""Models change under a daemon that trades over sockets: swap, rollback, refusal, demotion; nothing is missed, and it replays."""

import signal
import time
from pathlib import Path

import numpy as np
import pytest

from adapters.binance_spot.sandbox import Sandbox, SandboxOptions
from mmd.core.events import ModelSwap
from mmd.core.learned.schema import N
from mmd.journal.format import Kind, event_decoder
from mmd.journal.reader import latest_session, records
from mmd.journal.replay import replay
from models.artefact import Artefact, Manifest, read_artefact, write_artefact
from models.checks import network_outputs
from models.registry import Registry
from models.serving import models_of, registry_at
from tests.live_daemon import LiveDaemon, running

KIND = "price_lstm"
SWAP_S_MAX = 1.0


def changed(registry: Registry, shipped: Artefact, **by: float) -> str:
    """The shipped network with some weights multiplied: of the same shape, so that nothing is compiled."""
    factors = {name: np.float32(by.get(name, 1.0)) for name in shipped.weights}
    weights = {k: (v * factors[k]).astype(v.dtype) for k, v in shipped.weights.items()}
    inputs = np.repeat(weights["shift"][None], 5, axis=0).astype(np.float32)
    assert inputs.shape == (5, N)
    golden = {"inputs": inputs, "outputs": network_outputs(weights, inputs)}
    made = Manifest(**{f: getattr(shipped.manifest, f) for f in Manifest.__struct_fields__})
    path = write_artefact(registry.folder, made, weights, golden, {"network.pt": b"none"})
    return path.name


async def placed(daemon: LiveDaemon, model: str, count: int) -> float:
    """Seconds until the log says, for the count-th time, that the champion is this."""
    began = time.monotonic()
    while True:
        row = await daemon.event("model_placed", count)
        if row["role"] == "champion" and row["model"] == model:
            return time.monotonic() - began
        count += 1


async def test_models_change_under_load(tmp_path: Path) -> None:
    """Within a second each, between two events; a model that says what cannot be is out within a bar and then demoted."""
    registry = registry_at(tmp_path / "models")
    first = registry.pointers(KIND).champion
    shipped = registry.load(first)
    second = changed(registry, shipped, wo=0.5)
    broken = changed(registry, shipped, wo=1e6)
    damaged = changed(registry, shipped, wo=0.25)
    async with (
        Sandbox(SandboxOptions(seed=5)) as sandbox,
        running(
            tmp_path, sandbox.port, "--set", "models.folder=models", wait_s=90,
        ) as daemon,
    ):  # fmt: skip
        await daemon.quoting()
        await daemon.instrument(lambda i: i["prediction"]["rung"] == "FORECAST")
        registry.promote(second)
        seen = len(daemon.logged("model_placed"))
        took = [await placed(daemon, second, seen + 1)]
        seen = len(daemon.logged("model_placed"))
        registry.rollback(KIND)
        took.append(await placed(daemon, first, seen + 1))
        assert min(took) < SWAP_S_MAX, took
        row = await daemon.instrument(lambda i: i["prediction"]["champions"].get(KIND) == first)
        assert row["prediction"]["rung"] == "FORECAST"  # it came warm; the trees have no weight
        registry.promote(damaged)
        (registry.path(damaged) / "weights.npz").write_bytes(b"")
        await daemon.event("model_refused")
        registry.rollback(KIND)
        registry.promote(broken)
        row = await daemon.instrument(lambda i: i["learning"]["demoted"] == "FAULTS")
        assert row["prediction"]["rung"] == "GLFT"
        await daemon.event("model_demoted")
        await daemon.quoting()
        status, metrics = await daemon.get("/metrics")
        assert status == 200
        (told,) = (x for x in metrics.splitlines() if x.startswith("mmd_model_demoted{"))
        assert 'reason="FAULTS"' in told
        await daemon.event("demotion_written")
        (written,) = registry.pointers(KIND).demoted
        assert (written.model, written.reason) == (broken, "faults")
        registry.rollback(KIND)
        row = await daemon.instrument(lambda i: i["learning"]["demoted"] == "NONE")
        book = (await daemon.state())["instruments"][0]["book"]
        assert (book["gaps"], book["mismatches"], book["resyncs"]) == (0, 0, 0)
        done, _ = await daemon.end(signal.SIGINT)
        assert done.code == 0, done.err
    session = latest_session(tmp_path / "var/journal")
    events = [event_decoder.decode(r.body) for r in records(session) if r.kind is Kind.EVENT]
    swaps = [e.model_id for e in events if isinstance(e, ModelSwap) and e.kind == KIND]
    assert swaps[:3] == [first, second, first]
    assert broken in swaps
    assert damaged not in swaps
    result = replay(session, models=models_of(session, tmp_path / "models"))
    assert result.divergence is None
    assert result.commands > 6


def test_weights_that_say_what_is_no_number_cannot_be_promoted(tmp_path: Path) -> None:
    """The golden check computes them; the champion stays."""
    registry = registry_at(tmp_path)
    shipped = registry.load(registry.pointers(KIND).champion)
    with pytest.raises(ValueError, match="not finite"):
        changed(registry, shipped, bo=float("nan"))
    assert read_artefact(shipped.path).manifest.id == registry.pointers(KIND).champion
