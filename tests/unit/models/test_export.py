"""TorchScript and the compiled step compute one thing, alone and in a batch of instruments."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[train]'")

from mmd.core.learned.schema import N  # noqa: E402
from mmd.errors import ArtefactError  # noqa: E402
from models.artefact import Artefact, read_artefact, write_artefact  # noqa: E402
from models.checks import network_outputs  # noqa: E402
from models.export import NETWORK_FILE, load_step, scripted_step, zero_state  # noqa: E402
from models.torch_backend import TorchBackend, check_parity, step_times_ns  # noqa: E402
from tests.trained_models import manifest, network_weights  # noqa: E402

STEPS = 250  # more than the window of attention


def artefact(folder: Path, seed: int = 1, script_seed: int = 1) -> Artefact:
    """A small network; with another script_seed its network.pt is another network's."""
    weights = network_weights(seed)
    inputs = np.random.default_rng(0).normal(size=(STEPS, N)).astype(np.float32)
    golden = {"inputs": inputs, "outputs": network_outputs(weights, inputs)}
    own = {NETWORK_FILE: scripted_step(network_weights(script_seed))}
    return read_artefact(write_artefact(folder, manifest("price_lstm"), weights, golden, own))


def test_torchscript_equals_the_compiled_step(tmp_path: Path) -> None:
    """To 1e-5 over more steps than the window has, through the file."""
    made = artefact(tmp_path)
    step = load_step((made.path / NETWORK_FILE).read_bytes())
    assert 0.0 <= check_parity(step, made) <= 1e-5
    out = step(torch.zeros(1, N), *zero_state(1, 8))[0]
    assert np.abs(out.detach().numpy() - made.golden["outputs"][0]).max() > 1e-3


def test_another_network_is_refused(tmp_path: Path) -> None:
    """Weights and network.pt of two trainings do not pass for one model."""
    with pytest.raises(ArtefactError, match="differs from the compiled step"):
        TorchBackend(artefact(tmp_path, script_seed=2), 1, "cpu")


def test_what_is_no_network_is_refused() -> None:
    """One line, not torch's trace."""
    with pytest.raises(ArtefactError, match=r"network\.pt cannot be read"):
        load_step(b"torch")


def run_batch(made: Artefact, device: str) -> None:
    """Three instruments: one due each bar, one every other bar, one that forgets half way."""
    backend = TorchBackend(made, 3, device)
    inputs = made.golden["inputs"]
    got: list[list[np.ndarray]] = [[], [], []]
    x = np.zeros((3, N), np.float32)
    for k in range(STEPS):
        if k == STEPS // 2:
            backend.clear(2)
        due = np.array([True, k % 2 == 0, True])
        x[:] = np.nan  # rows that are not due are not looked at
        x[0], x[2] = inputs[k], inputs[k % (STEPS // 2)]
        if due[1]:
            x[1] = inputs[k // 2]
        backend.submit(x, due)
        out = backend.take()
        assert backend.is_done
        for row in np.flatnonzero(due):
            got[row].append(out[row])
    wanted = made.golden["outputs"]
    assert np.abs(np.array(got[0]) - wanted).max() <= 1e-5
    assert np.abs(np.array(got[1]) - wanted[: len(got[1])]).max() <= 1e-5
    assert np.abs(np.array(got[2]) - np.tile(wanted[: STEPS // 2], (2, 1))).max() <= 1e-5


def test_a_batch_of_instruments_is_each_of_them(tmp_path: Path) -> None:
    """Rows do not touch each other, and who is not due stays as he was."""
    run_batch(artefact(tmp_path), "cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_cuda_graph_computes_the_same(tmp_path: Path) -> None:
    """The captured step between pinned buffers agrees with the compiled one on the CPU."""
    run_batch(artefact(tmp_path), "cuda")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """With what to do instead."""
    made = artefact(tmp_path)
    (made.path / NETWORK_FILE).unlink()
    with pytest.raises(ArtefactError, match="use the compiled backend"):
        TorchBackend(made, 1, "cpu")


def test_steps_are_timed(tmp_path: Path) -> None:
    """One wall time a bar, none of them nothing."""
    backend = TorchBackend(artefact(tmp_path), 2, "cpu")
    assert (step_times_ns(backend, np.zeros((2, N), np.float32), 5) > 0).all()
