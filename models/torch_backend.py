"""Price predictors in torch: one batch over all instruments a bar, on CUDA where there is a device, else on the CPU.

On CUDA a step is a captured graph between pinned buffers: a bar costs two copies and one launch, and nobody waits for
it; `take` hands out the result once it is there. The CPU computes at once. It is for many instruments or a host that
has torch loaded anyway: for a few, the compiled step (mmd.core.learned.lstm) is faster.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmd.errors import ArtefactError
from mmd.jit.kernel import F4
from models.artefact import Artefact
from models.export import NETWORK_FILE, PARITY, Step, load_step, zero_state

_CAPTURE_WARM_UPS = 3


def best_device() -> str:
    """The device to run on: cuda where torch finds one, else cpu."""
    return "cuda" if torch.cuda.is_available() else "cpu"


class TorchBackend:
    """One price predictor stepped for many instruments at once.

    Attributes:
        device: "cuda" or "cpu".
        instruments: rows of a batch.
    """

    def __init__(self, artefact: Artefact, instruments: int, device: str | None = None) -> None:
        """Load network.pt of a checked artefact and compare it with the compiled step's golden outputs.

        Raises: ArtefactError where network.pt is missing, cannot be read, or computes something else.
        """
        self.device, self.instruments = device or best_device(), instruments
        self._step: Step = load_step(_network_file(artefact), self.device)
        check_parity(self._step, artefact, self.device)
        inputs, outputs = len(artefact.weights["shift"]), len(artefact.weights["bo"])
        is_cuda = self.device == "cuda"
        self._x_host = torch.zeros(instruments, inputs, pin_memory=is_cuda)
        self._due_host = torch.zeros(instruments, dtype=torch.bool, pin_memory=is_cuda)
        self._out_host = torch.zeros(instruments, outputs, pin_memory=is_cuda)
        self._x = self._x_host.to(self.device, copy=True)
        self._due = self._due_host.to(self.device, copy=True)
        self._out = self._out_host.to(self.device, copy=True)
        self._state = zero_state(instruments, len(artefact.weights["bq"]), self.device)
        self._launch: Callable[[], None] = self._advance
        self._is_done: Callable[[], bool] = lambda: True
        if is_cuda:
            self._capture()

    def submit(self, x: F4, is_due: NDArray[np.bool_]) -> None:
        """Begin a bar; the arrays may be used again at once.

        Args:
            x: shape (instruments, inputs), raw; rows that are not due are not looked at.
            is_due: shape (instruments,), whose bar has ended; the state of the others stays.
        """
        self._x_host.numpy()[is_due] = x[is_due]
        self._due_host.numpy()[:] = is_due
        self._x.copy_(self._x_host, non_blocking=True)
        self._due.copy_(self._due_host, non_blocking=True)
        self._launch()
        self._out_host.copy_(self._out, non_blocking=True)
        if self.device == "cuda":
            done = torch.cuda.Event()  # type: ignore[no-untyped-call]
            done.record()
            self._is_done = done.query

    @property
    def is_done(self) -> bool:
        """Whether the last bar's outputs are there."""
        return self._is_done()

    def take(self) -> F4:
        """Outputs of the last bar, shape (instruments, outputs); waits for them; rows not due keep their last."""
        if self.device == "cuda":
            torch.cuda.current_stream().synchronize()
        out: F4 = self._out_host.numpy().copy()
        return out

    def clear(self, instrument: int) -> None:
        """Forget an instrument's past, as after a gap in its feed."""
        for tensor in (*self._state, self._out):
            tensor[instrument].zero_()

    def _advance(self) -> None:
        """Step the state in place for those that are due; all shapes and addresses are fixed."""
        with torch.no_grad():
            out, *state = self._step(self._x, *self._state)
            for old, new in zip((self._out, *self._state), (out, *state), strict=True):
                due = self._due.view(-1, *(1 for _ in range(old.dim() - 1)))
                old.copy_(torch.where(due, new, old))

    def _capture(self) -> None:
        """Record `_advance` as a CUDA graph; nobody is due meanwhile, so the state stays as it is."""
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(_CAPTURE_WARM_UPS):
                self._advance()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._advance()
        self._launch = graph.replay


def check_parity(step: Step, artefact: Artefact, device: str = "cpu") -> float:
    """Compute the golden outputs, which are the compiled step's, with the torch step.

    Returns:
        The largest difference.

    Raises:
        ArtefactError: It is above PARITY.
    """
    wanted = artefact.golden["outputs"]
    state: tuple[Tensor, ...] = zero_state(1, len(artefact.weights["bq"]), device)
    worst = 0.0
    with torch.no_grad():
        for x, expected in zip(artefact.golden["inputs"], wanted, strict=True):
            out, *after = step(torch.from_numpy(x)[None].to(device), *state)
            state = tuple(after)
            worst = max(worst, float(np.abs(out[0].cpu().numpy() - expected).max()))
    if not worst <= PARITY:
        raise ArtefactError(
            f"{artefact.path / NETWORK_FILE}: differs from the compiled step by {worst:.3g} on {device}, expected at "
            f"most {PARITY:g}: use the compiled backend, or train it again"
        )
    return worst


def step_times_ns(backend: TorchBackend, x: F4, count: int) -> NDArray[Any]:
    """Wall time of so many bars from submit to take, all instruments due."""
    due = np.ones(backend.instruments, np.bool_)
    times = np.empty(count, np.int64)
    for k in range(count):
        began = time.perf_counter_ns()
        backend.submit(x, due)
        backend.take()
        times[k] = time.perf_counter_ns() - began
    return times


def _network_file(artefact: Artefact) -> bytes:
    try:
        return (artefact.path / NETWORK_FILE).read_bytes()
    except OSError as error:
        raise ArtefactError(
            f"{artefact.path}: expected {NETWORK_FILE} ({error.strerror}): use the compiled backend"
        ) from error
