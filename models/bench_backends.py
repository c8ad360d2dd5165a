"""How long a network takes in torch as the daemon would use it: all instruments in one batch, on the CPU and on a card."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import torch

from mmd.core.learned.samples import BAR_NS
from mmd.core.learned.schema import N, schema_hash
from mmd.jit.kernel import F4
from models.artefact import Artefact, Manifest, read_artefact, write_artefact
from models.checks import network_outputs
from models.export import NETWORK_FILE, scripted_step
from models.remote_prediction import BATCH_MIN
from models.torch_backend import TorchBackend

_STEPS: Final = 5


def batches(weights: dict[str, F4]) -> Iterator[tuple[str, Callable[[], object] | str]]:
    """By backend: a call that takes a bar of BATCH_MIN instruments there and back, or why there is none."""
    torch.set_num_threads(1)
    x = np.random.default_rng(6).normal(size=(BATCH_MIN, N)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        artefact = _artefact(Path(folder), weights, x[:_STEPS])
        yield f"torch_cpu, {BATCH_MIN} instruments", _call(artefact, "cpu", x)
        if torch.cuda.is_available():
            yield f"torch_cuda, {BATCH_MIN} instruments", _call(artefact, "cuda", x)
        else:
            yield "torch_cuda", "torch finds no CUDA device here"


def _call(artefact: Artefact, device: str, x: F4) -> Callable[[], object]:
    backend, due = TorchBackend(artefact, len(x), device), np.ones(len(x), np.bool_)

    def bar() -> F4:
        backend.submit(x, due)
        return backend.take()

    return bar


def _artefact(folder: Path, weights: dict[str, F4], inputs: F4) -> Artefact:
    """The network as an artefact: what backends are loaded from, and compared by."""
    manifest = Manifest(
        kind="price_lstm", venue="", symbol="*", schema=schema_hash(), bar_ns=BAR_NS, horizons=(10,),
        created="", version="", command="mmd models bench", data=(), settings={}, metrics={},
    )  # fmt: skip
    golden = {"inputs": inputs, "outputs": network_outputs(weights, inputs)}
    own = {NETWORK_FILE: scripted_step(weights)}
    return read_artefact(write_artefact(folder, manifest, weights, golden, own))
